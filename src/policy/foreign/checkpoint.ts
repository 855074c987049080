/**
 * A checkpoint as trainers write it (safetensors, one file) in the place of the weights that an ONNX export has. Contract:
 * every weight of the graph comes from the checkpoint, or nothing is used and a sentence says which one does not fit; types
 * and layout stay the graph's, constants (rotary tables, masks) stay as they are; what is given is not changed.
 *
 * Exporters store a linear layer as [in, out] under no name of its own, trainers as [out, in] under the module's: its name is
 * then that of the node that multiplies by it. Of a square one, whose shape says nothing, the way round is taken that is
 * more like the weights that the graph has; where neither is, the trainers'.
 */
import {
  TensorProto_DataLocation,
  TensorProto_DataType,
  type NodeProto,
  type TensorProto,
} from 'onnx-buf';
import { floatsFromHalves, toHalf } from '../../math/half';
import { isTrainable, type Weight, type Weights } from '../graph/lift';
import {
  decode,
  dimensions,
  encode,
  floatValues,
  GraphError,
  type OnnxModel,
} from '../graph/proto';
import { readSafetensors } from '../safetensors';

const { FLOAT, FLOAT16 } = TensorProto_DataType;

interface Files {
  onnx: Uint8Array<ArrayBuffer>;
  external: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
}

export interface WithCheckpoint {
  onnx: Uint8Array<ArrayBuffer>;
  external: Map<string, Uint8Array<ArrayBuffer>>;
}

/** Buffers that trainers keep and graphs have as constants. */
const BUFFERS = /rotary|\brope\b|inv_freq|\b(cos|sin)_cache$|\.masked_bias$|\.attn\.bias$/;
const QUANTISED = /NBits$|Integer$|QLinear|^QGemm|DequantizeLinear$/;
/** Cosine below which two matrices have nothing to do with each other. */
const ALIKE = 0.2;

interface Use {
  node: NodeProto;
  index: number;
}

/**
 * @param file of the checkpoint, for sentences
 * @throws GraphError, SafetensorsError
 */
export function withCheckpoint(
  { onnx, external }: Files,
  bytes: Uint8Array,
  file: string,
): WithCheckpoint {
  if (/-\d+-of-\d+\.safetensors$/.test(file)) {
    throw new GraphError(
      `${file} is one of several files that hold a checkpoint together; only checkpoints of one file are read.`,
    );
  }
  const model = decode(onnx);
  const uses = usesOf(model);
  demandPlain(model, file);
  const { weights } = readSafetensors(bytes, file);
  const checkpoint = new Checkpoint(weights, file);
  const patched = new Map(external);
  const copied = new Set<string>();
  for (const tensor of model.graph.initializer) {
    const of = uses.get(tensor.name) ?? [];
    if (!isWeight(tensor, of)) continue;
    put(tensor, checkpoint.valuesFor(tensor, of, ownValues(tensor, external)), patched, copied);
  }
  checkpoint.demandAllUsed();
  return { onnx: encode(model), external: patched };
}

function usesOf({ graph }: OnnxModel): Map<string, Use[]> {
  const uses = new Map<string, Use[]>();
  for (const node of graph.node) {
    node.input.forEach((name, index) =>
      uses.set(name, [...(uses.get(name) ?? []), { node, index }]),
    );
  }
  return uses;
}

/** Weights of fewer bits are other numbers than a checkpoint's. */
function demandPlain({ graph }: OnnxModel, file: string): void {
  const node = graph.node.find(({ opType }) => QUANTISED.test(opType));
  if (node === undefined) return;
  throw new GraphError(
    `The weights of ${file} cannot stand in this graph, whose own are rounded to fewer bits (${node.opType}). ` +
      'Choose the fp32 or fp16 weights for it.',
  );
}

function isWeight({ name, dataType, dims }: TensorProto, uses: readonly Use[]): boolean {
  if (dataType !== FLOAT && dataType !== FLOAT16) return false;
  if (BUFFERS.test(name) || dims.length === 0 || uses.length === 0) return false;
  if (isTrainable(name)) return true;
  const matrix = ({ node: { opType }, index }: Use) =>
    ['MatMul', 'Gemm'].includes(opType) && index === 1;
  return dims.length === 2 && uses.some(matrix);
}

/** Without what frameworks put before the name of the same module. */
const canonical = (name: string): string =>
  name.replace(/^(base_model\.model\.)?(module\.|_orig_mod\.)*(model\.|transformer\.)?/, '');

/** What the checkpoint may call it, the likeliest first. */
function namesOf({ name }: TensorProto, uses: readonly Use[]): string[] {
  const builder = name
    .replace(/\.MatMul\.weight$/, '.weight')
    .replace(/\.Add\.bias$/, '.bias')
    .replace(/\.attn\./, '.self_attn.')
    .replace(/layers\.\d+\.final_norm_layernorm\./, 'norm.')
    .replace(/_norm\.layernorm\./, '_norm.');
  const modules = uses.flatMap(({ node }) => {
    const [, path, operator] = /^\/?(.+)\/(MatMul|Gemm|Gather|Add)(_\d+)?$/.exec(node.name) ?? [];
    if (path === undefined) return [];
    return [`${path.replaceAll('/', '.')}.${operator === 'Add' ? 'bias' : 'weight'}`];
  });
  const all = [name, builder, ...modules];
  // A head that is the embedding stands in the checkpoint once.
  const tied = all.some((one) => canonical(one) === 'lm_head.weight')
    ? ['embed_tokens.weight', 'wte.weight']
    : [];
  return [...all, ...tied];
}

const isReverse = ([a, b, more]: readonly number[], [c, d]: readonly number[]) =>
  more === undefined && a === d && b === c;

function transposed({ shape, values }: Weight): Float32Array<ArrayBuffer> {
  const [rows, columns] = shape as [number, number];
  const result = new Float32Array(values.length);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      result[column * rows + row] = values[row * columns + column];
  return result;
}

/** Cosine of the angle between two tensors; 0 where one of them is nothing. */
function likeness(a: Float32Array, b: Float32Array): number {
  let [both, own, other] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    both += a[i] * b[i];
    own += a[i] * a[i];
    other += b[i] * b[i];
  }
  return own > 0 && other > 0 ? both / Math.sqrt(own * other) : 0;
}

class Checkpoint {
  private readonly byName: ReadonlyMap<string, string>;
  private readonly used = new Set<string>();

  constructor(
    private readonly weights: Weights,
    private readonly file: string,
  ) {
    this.byName = new Map([...weights.keys()].map((name) => [canonical(name), name]));
  }

  /** In the graph's layout. @param own what the graph has */
  valuesFor(
    tensor: TensorProto,
    uses: readonly Use[],
    own: Float32Array<ArrayBuffer>,
  ): Float32Array<ArrayBuffer> {
    const wanted = dimensions(tensor);
    const name = namesOf(tensor, uses)
      .map((one) => this.byName.get(canonical(one)))
      .find((one) => one !== undefined);
    const packed = name === undefined ? this.packed(namesOf(tensor, uses), wanted) : null;
    if (packed !== null) return packed;
    const found = name === undefined ? undefined : this.weights.get(name);
    if (name === undefined || found === undefined) {
      throw new GraphError(
        `${this.file} has no tensor for the weight "${tensor.name.slice(0, 80)}" of the graph. It has ` +
          `${this.weights.size}: ${[...this.weights.keys()].slice(0, 4).join(', ')}, … Is it of this model?`,
      );
    }
    this.used.add(name);
    const { shape } = found;
    const as = shape.join() === wanted.join();
    const round = isReverse(shape, wanted);
    if (as && round) {
      const turned = transposed(found);
      const [straight, other] = [likeness(found.values, own), likeness(turned, own)];
      if (Math.max(straight, other) >= ALIKE) return straight >= other ? found.values : turned;
      return name === tensor.name ? found.values : turned;
    }
    if (as) return found.values;
    if (round) return transposed(found);
    throw new GraphError(
      `Tensor "${name}" is [${shape.join(', ')}] in ${this.file}, the graph’s "${tensor.name.slice(0, 80)}" is ` +
        `[${wanted.join(', ')}]: heads may be padded or weights packed in this export. Choose another graph of the model, ` +
        'or a checkpoint of this one.',
    );
  }

  /** Queries, keys and values in one matrix, as exporters pack them; null: it is none */
  private packed(names: readonly string[], wanted: number[]): Float32Array<ArrayBuffer> | null {
    const name = names.find((one) => /\.qkv_proj\.(weight|bias)$/.test(one));
    if (name === undefined) return null;
    const parts = ['q', 'k', 'v'].map((part) =>
      this.byName.get(canonical(name.replace('.qkv_proj.', `.${part}_proj.`))),
    );
    const found = parts.flatMap((part) => this.weights.get(part ?? '') ?? []);
    const rows = found.reduce((sum, { shape }) => sum + shape[0], 0);
    const inner = wanted.length === 2 ? wanted[0] : undefined;
    if (found.length !== 3 || rows !== wanted.at(-1)) return null;
    if (found.some(({ shape }) => shape[1] !== inner)) return null;
    for (const part of parts) this.used.add(part ?? '');
    const values = new Float32Array(rows * (inner ?? 1));
    let at = 0;
    for (const part of found) {
      values.set(part.values, at);
      at += part.values.length;
    }
    return inner === undefined ? values : transposed({ shape: [rows, inner], values });
  }

  /** @throws GraphError where the graph leaves something out, which another graph would not */
  demandAllUsed(): void {
    const rest = [...this.weights.keys()].find((name) => {
      if (this.used.has(name) || BUFFERS.test(name)) return false;
      // The head beside the embedding that it is.
      const embedding = this.byName.get('embed_tokens.weight') ?? this.byName.get('wte.weight');
      if (canonical(name) !== 'lm_head.weight' || embedding === undefined) return true;
      const [a, b] = [this.weights.get(name), this.weights.get(embedding)];
      return a?.values.some((value, i) => value !== b?.values[i]) ?? true;
    });
    if (rest === undefined) return;
    throw new GraphError(
      `The graph has no place for tensor "${rest}" of ${this.file}: they are not of one model.`,
    );
  }
}

interface Place {
  location: string;
  offset: number;
}

function placeOf({ dataLocation, externalData }: TensorProto): Place | null {
  if (dataLocation !== TensorProto_DataLocation.EXTERNAL) return null;
  const said = new Map(externalData.map(({ key, value }) => [key, value]));
  const location = (said.get('location') ?? '').replace(/^\.\//, '');
  return { location, offset: Number(said.get('offset') ?? 0) };
}

const outside = ({ name }: TensorProto, { location }: Place) =>
  new GraphError(
    `The weight "${name.slice(0, 80)}" is in a file "${location.slice(0, 80)}", which is not beside the graph or was cut.`,
  );

function ownValues(tensor: TensorProto, external: Files['external']): Float32Array<ArrayBuffer> {
  const size = dimensions(tensor).reduce((x, y) => x * y, 1);
  const place = placeOf(tensor);
  if (place === null) {
    const values = floatValues(tensor);
    if (values.length === size) return values;
    throw new GraphError(
      `The weight "${tensor.name.slice(0, 80)}" claims ${size} numbers and holds ${values.length}.`,
    );
  }
  const length = size * (tensor.dataType === FLOAT ? 4 : 2);
  const bytes = external.get(place.location)?.slice(place.offset, place.offset + length);
  if (bytes?.length !== length) throw outside(tensor, place);
  return tensor.dataType === FLOAT
    ? new Float32Array(bytes.buffer)
    : floatsFromHalves(new Uint16Array(bytes.buffer));
}

/** @param copied files of `external` that are copies already */
function put(
  tensor: TensorProto,
  values: Float32Array<ArrayBuffer>,
  external: Map<string, Uint8Array<ArrayBuffer>>,
  copied: Set<string>,
): void {
  const array = tensor.dataType === FLOAT ? values : Uint16Array.from(values, toHalf);
  const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  const place = placeOf(tensor);
  if (place === null) {
    tensor.floatData = [];
    tensor.int32Data = [];
    tensor.rawData = bytes;
    return;
  }
  const { location, offset } = place;
  let data = external.get(location);
  if (data === undefined) throw outside(tensor, place);
  if (!copied.has(location)) {
    data = data.slice();
    external.set(location, data);
    copied.add(location);
  }
  data.set(bytes, offset);
}
