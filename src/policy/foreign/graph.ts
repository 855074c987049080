/**
 * A foreign model's graph made ready to run: its ports found by what they are, and edited so that the rest of the lab
 * meets one kind of graph. Contract:
 * - ids, mask and positions are fed as int64, logits come as float32, whatever the file has;
 * - where the last product allows it, logits are computed only for the rows that are asked for;
 * - weights stay as they are; what the file claims is compared with what is there before anything is allocated;
 * - what cannot be run is a GraphError: what, where, what to do.
 */
import {
  TensorProto_DataLocation,
  TensorProto_DataType,
  type GraphProto,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from 'onnx-buf';
import { elementTypeOf, integers, nodeOf, portInfo } from '../graph/make';
import {
  readPorts,
  rowBytes,
  type CachePort,
  type PolicyPorts,
  type PortNames,
  type RowBytes,
} from '../graph/ports';
import { decode, dimensions, encode, GraphError, type OnnxModel } from '../graph/proto';
import type { WholeGraph } from '../session';
import type { ForeignConfig } from './config';
import type { ModelFiles } from './repository';

/** Above this a second copy of the graph, to decode in a loop, costs more memory than it is worth. */
const LOOP_BYTES = 64e6;
const MOST_NODES = 200_000;
const MOST_CACHES = 1024;
/** What one WebAssembly memory holds. */
const MOST_BYTES = 2 ** 32;

const own = (name: string) => `lab.foreign.${name}`;

const { FLOAT, FLOAT16, INT64, INT32, BOOL } = TensorProto_DataType;

/** Bytes of an element; half bytes for four bits. */
const ELEMENT_BYTES: Partial<Record<number, number>> = {
  [FLOAT]: 4,
  [FLOAT16]: 2,
  [TensorProto_DataType.BFLOAT16]: 2,
  [TensorProto_DataType.DOUBLE]: 8,
  [INT64]: 8,
  [TensorProto_DataType.UINT64]: 8,
  [INT32]: 4,
  [TensorProto_DataType.UINT32]: 4,
  [TensorProto_DataType.INT16]: 2,
  [TensorProto_DataType.UINT16]: 2,
  [TensorProto_DataType.INT8]: 1,
  [TensorProto_DataType.UINT8]: 1,
  [BOOL]: 1,
  [TensorProto_DataType.INT4]: 0.5,
  [TensorProto_DataType.UINT4]: 0.5,
};

/** What the graph computes in: how far rounding may carry its numbers follows from it. */
export interface Arithmetic {
  /** half precision in caches, logits or weights */
  half: boolean;
  /** activations rounded to 8 bits at run time, by what else is in the batch or not */
  rounded: boolean;
}

export interface PreparedGraph extends WholeGraph {
  arithmetic: Arithmetic;
  /** element types of logits and caches in the file */
  types: string[];
  /** operators outside of the standard */
  contributed: string[];
  /** of all weights, in the file and beside it */
  weightBytes: number;
  /** of the largest tensor */
  largestBytes: number;
  /** of the caches */
  rowBytes: RowBytes;
  /** where the graph as it is must be run again without `rows`: its bytes */
  plain: () => WholeGraph;
}

const gigabytes = (bytes: number) => `${(bytes / 1e9).toPrecision(3)} GB`;

/** Every node, those of inner graphs behind the one that holds them. */
function* nodesOf(graph: GraphProto): Generator<NodeProto> {
  for (const node of graph.node) {
    yield node;
    for (const { g } of node.attribute) if (g) yield* nodesOf(g);
  }
}

/** Every initializer, those of inner graphs too. */
function* tensorsOf(graph: GraphProto): Generator<TensorProto> {
  yield* graph.initializer;
  for (const { attribute } of graph.node) {
    for (const { g, t } of attribute) {
      if (t) yield t;
      if (g) yield* tensorsOf(g);
    }
  }
}

/** Claims against what is there. @throws GraphError */
function checkWeights(
  graph: GraphProto,
  external: ReadonlyMap<string, Uint8Array>,
): { total: number; largest: number; files: Set<string> } {
  let total = 0;
  let largest = 0;
  const files = new Set<string>();
  for (const tensor of tensorsOf(graph)) {
    const dims = dimensions(tensor);
    const each = ELEMENT_BYTES[tensor.dataType];
    const name = `"${tensor.name.slice(0, 80)}"`;
    if (dims.some((size) => !Number.isSafeInteger(size) || size < 0)) {
      throw new GraphError(`The weight ${name} has a shape that no tensor has: [${dims.join()}].`);
    }
    const size = Math.ceil(dims.reduce((all, dim) => all * dim, 1) * (each ?? 1));
    total += size;
    largest = Math.max(largest, size);
    if (total > MOST_BYTES) {
      throw new GraphError(
        `The graph claims weights of more than ${gigabytes(MOST_BYTES)} (up to ${name}), more than a tab can hold. ` +
          'Choose a graph of fewer bits, or a smaller model.',
      );
    }
    if (tensor.dataLocation !== TensorProto_DataLocation.EXTERNAL) {
      const raw = tensor.rawData.length;
      if (raw > 0 && each !== undefined && raw !== size) {
        throw new GraphError(
          `The weight ${name} claims [${dims.join(', ')}], ${size} bytes, and holds ${raw}. The file is damaged.`,
        );
      }
      continue;
    }
    const said = new Map(tensor.externalData.map(({ key, value }) => [key, value]));
    const location = (said.get('location') ?? '').replace(/^\.\//, '');
    const data = external.get(location);
    if (data === undefined) {
      throw new GraphError(
        `The weight ${name} is in a file "${location.slice(0, 80)}", which is not beside the graph.`,
      );
    }
    files.add(location);
    const offset = Number(said.get('offset') ?? 0);
    const length = Number(said.get('length') ?? size);
    if (!(offset >= 0 && length >= 0 && offset + length <= data.length) || length !== size) {
      throw new GraphError(
        `The weight ${name} claims bytes ${offset} to ${offset + size} of "${location}", which has ${data.length}. ` +
          'The file was cut, or belongs to another graph.',
      );
    }
  }
  return { total, largest, files };
}

const shapeOf = ({ type }: ValueInfoProto): (number | string)[] => {
  const tensor = type?.value.case === 'tensorType' ? type.value.value : undefined;
  return (tensor?.shape?.dim ?? []).map(({ value }) =>
    value.case === 'dimValue' ? Number(value.value) : (value.value ?? ''),
  );
};

const isInteger = (info: ValueInfoProto) => [INT64, INT32].includes(elementTypeOf(info));
const isFloat = (info: ValueInfoProto) => [FLOAT, FLOAT16].includes(elementTypeOf(info));
const listed = (infos: readonly ValueInfoProto[]) =>
  infos
    .slice(0, 12)
    .map(({ name }) => name.slice(0, 60))
    .join(', ') || 'none';

function demand(info: ValueInfoProto | undefined, what: string, there: ValueInfoProto[]) {
  if (info) return info;
  throw new GraphError(
    `The graph has no ${what}. It has: ${listed(there)}. A causal language model with token ids in and logits out is wanted.`,
  );
}

const PAIRS: readonly (readonly [RegExp, string])[] = [
  [/^past_key_values\.(.+)$/, 'present.$1'],
  [/^past_key_values\.(.+)$/, 'present_key_values.$1'],
  [/^past_([^.]+)\.(.+)$/, 'present_$1.$2'],
  [/^past_(.+)$/, 'present_$1'],
  [/^past\.(.+)$/, 'present.$1'],
  [/^(.+)_in$/, '$1_out'],
  [/^(.+)\.in$/, '$1.out'],
];

/** The output that each cache is handed on as. @throws GraphError */
function pairCaches(
  inputs: readonly ValueInfoProto[],
  outputs: readonly ValueInfoProto[],
  named: PortNames['caches'],
): { input: string; output: string }[] {
  if (inputs.length > MOST_CACHES) {
    throw new GraphError(`The graph has ${inputs.length} inputs; at most ${MOST_CACHES} can be.`);
  }
  const byName = new Map(outputs.map((info) => [info.name, info]));
  const said = (name: string): string[] =>
    named.flatMap(({ input, output }) => {
      const [before, after] = input.split('*');
      const fits =
        after === undefined
          ? input === name
          : name.startsWith(before) && name.endsWith(after) && name.length >= input.length - 1;
      if (!fits) return [];
      const part = after === undefined ? '' : name.slice(before.length, name.length - after.length);
      return [output.replace('*', () => part)];
    });
  const usual = (name: string) =>
    PAIRS.flatMap(([form, output]) => (form.test(name) ? [name.replace(form, output)] : []));
  const pairs = inputs.map((input) => ({
    input,
    output: [...said(input.name), ...usual(input.name)]
      .map((name) => byName.get(name))
      .find((info) => info !== undefined),
  }));
  // Names that follow no pattern: in their order, where there are as many of the same types on both sides.
  const taken = new Set(pairs.map(({ output }) => output));
  const rest = outputs.filter((info) => !taken.has(info));
  const open = pairs.filter(({ output }) => output === undefined);
  const alike = (a: ValueInfoProto, b: ValueInfoProto | undefined) =>
    b !== undefined &&
    elementTypeOf(a) === elementTypeOf(b) &&
    shapeOf(a).length === shapeOf(b).length;
  if (open.length === rest.length && open.every(({ input }, i) => alike(input, rest[i]))) {
    open.forEach((pair, i) => (pair.output = rest[i]));
  }
  const inputNames = new Set(inputs.map(({ name }) => name));
  const handedOn = new Set<string>();
  return pairs.map(({ input, output }) => {
    const { name } = input;
    if (output === undefined) {
      throw new GraphError(
        `Nothing is known to feed the input "${name}" with: no output hands it on. Outputs: ${listed(outputs)}. ` +
          'If it is a cache, name it and its output under "lab" in config.json.',
      );
    }
    if (inputNames.has(output.name) || handedOn.has(output.name)) {
      throw new GraphError(
        `The caches go in a circle: "${name}" would be handed on as "${output.name}", which is ` +
          `${inputNames.has(output.name) ? 'an input itself' : 'another cache’s already'}.`,
      );
    }
    if (elementTypeOf(input) !== elementTypeOf(output)) {
      throw new GraphError(
        `The cache "${name}" is fed as another element type than "${output.name}" hands it on.`,
      );
    }
    handedOn.add(output.name);
    return { input: name, output: output.name };
  });
}

/** Graph inputs that follow from the others are computed in the graph. */
function derive(graph: GraphProto, ids: ValueInfoProto, caches: readonly ValueInfoProto[]): void {
  const nodes: NodeProto[] = [];
  const drop = new Set<string>();
  for (const { name } of graph.input) {
    switch (name) {
      case 'num_logits_to_keep':
      case 'logits_to_keep':
        // 0: all of them
        graph.initializer.push(integers(name, 0));
        break;
      case 'token_type_ids':
        nodes.push(nodeOf('Sub', [ids.name, ids.name], name));
        break;
      case 'use_cache_branch': {
        // States of convolutions are as wide at the beginning as later.
        const grows = (size: number | string, i: number) => i > 0 && typeof size === 'string';
        const cache = caches.find((one) => shapeOf(one).some(grows));
        if (!cache) continue;
        const at = shapeOf(cache).findIndex(grows);
        graph.initializer.push(integers(own('past_at'), [at]), integers(own('zero'), [0]));
        nodes.push(
          nodeOf('Shape', [cache.name], own('past_shape')),
          nodeOf('Gather', [own('past_shape'), own('past_at')], own('past_length'), { axis: 0 }),
          nodeOf('Greater', [own('past_length'), own('zero')], name),
        );
        break;
      }
      default:
        continue;
    }
    drop.add(name);
  }
  graph.input = graph.input.filter(({ name }) => !drop.has(name));
  graph.node.unshift(...nodes);
}

/** An integer input of another type is fed as int64. @returns the name to feed */
function asInt64(graph: GraphProto, info: ValueInfoProto): string {
  const type = elementTypeOf(info);
  if (type === INT64) return info.name;
  const fed = own(`fed.${info.name}`);
  graph.node.unshift(nodeOf('Cast', [fed], info.name, { to: type }));
  graph.input = graph.input.map((other) =>
    other === info ? portInfo(fed, INT64, shapeOf(info)) : other,
  );
  return fed;
}

/** Operators behind which a row of logits is still that row. */
const ROW_BY_ROW = ['Cast', 'Identity', 'Mul', 'Div', 'Tanh', 'Add', 'Sub'];

/**
 * Logits of chosen rows only: what goes into the last product is gathered first.
 * @returns false where the graph ends in another way; it is then untouched
 */
function gatherRows(graph: GraphProto, logits: string, rows: string): boolean {
  const makers = new Map(graph.node.flatMap((node) => node.output.map((name) => [name, node])));
  let node = makers.get(logits);
  const passed = new Set([logits]);
  while (node && ROW_BY_ROW.includes(node.opType)) {
    const from: string = node.input[0];
    passed.add(from);
    node = makers.get(from);
  }
  if (!node || !['MatMul', 'MatMulNBits', 'MatMulInteger'].includes(node.opType)) return false;
  const head = node;
  // Another reader of what comes behind would get other rows than it expects.
  const others = graph.node.filter(({ input }) => input.some((name) => passed.has(name)));
  if (others.length !== passed.size - 1) return false;
  const at = graph.node.indexOf(head);
  const hidden = head.input[0];
  head.input[0] = own('wanted');
  graph.node.splice(
    at,
    0,
    // [batch, length, width] as [batch x length, width]
    nodeOf('Flatten', [hidden], own('flat'), { axis: 2 }),
    nodeOf('Gather', [own('flat'), rows], own('wanted'), { axis: 0 }),
  );
  return true;
}

/** Cache shapes with what the config says where the graph leaves more open than batch and positions. */
function closeShapes(caches: CachePort[], { heads, headSize }: ForeignConfig): void {
  for (const { input } of caches) {
    const open = input.shape.filter((size) => typeof size === 'string');
    if (open.length <= 2 || input.shape.length !== 4 || heads === null || headSize === null)
      continue;
    if (typeof input.shape[1] === 'string') input.shape[1] = heads;
    if (typeof input.shape[3] === 'string') input.shape[3] = headSize;
  }
}

interface Found {
  model: OnnxModel;
  ports: PolicyPorts;
  logits: string;
  /** element types of logits and caches in the file */
  types: string[];
}

/** Ports, and the graph edited for them. */
function normalise(onnx: Uint8Array, config: ForeignConfig): Found {
  const model = decode(onnx);
  const { graph } = model;
  const constants = new Set(graph.initializer.map(({ name }) => name));
  graph.input = graph.input.filter(({ name }) => !constants.has(name));
  const { names } = config;
  const find = (infos: readonly ValueInfoProto[], wanted: readonly (string | undefined)[]) =>
    wanted.flatMap((name) => infos.find((info) => info.name === name) ?? [])[0];
  const ids = demand(
    find(graph.input, [names.tokens, 'input_ids', 'tokens', 'input']) ??
      graph.input.find((info) => isInteger(info) && !/mask|position|type/.test(info.name)),
    'input of token ids ("input_ids")',
    graph.input,
  );
  if (!isInteger(ids) || shapeOf(ids).length !== 2) {
    throw new GraphError(
      `"${ids.name}" is no input of token ids: it is not [batch, length] of int64 or int32.`,
    );
  }
  const logits = demand(
    find(graph.output, [names.logits, 'logits']) ??
      graph.output.find((info) => isFloat(info) && shapeOf(info).length === 3),
    'output of logits ("logits")',
    graph.output,
  );
  if (!isFloat(logits)) {
    throw new GraphError(`"${logits.name}" is neither float32 nor float16, as logits are.`);
  }
  const mask = find(graph.input, [names.mask, 'attention_mask']);
  const positions = find(graph.input, [names.positions, 'position_ids']);
  for (const info of [mask, positions]) {
    if (info === undefined) continue;
    if (shapeOf(info).length !== 2 || ![INT64, INT32, BOOL, FLOAT].includes(elementTypeOf(info))) {
      throw new GraphError(
        `"${info.name}" is not [batch, length] of whole numbers, as this lab feeds it.`,
      );
    }
  }
  const derived = ['num_logits_to_keep', 'logits_to_keep', 'token_type_ids', 'use_cache_branch'];
  const fed = [ids, mask, positions];
  const states = graph.input.filter((info) => !fed.includes(info) && !derived.includes(info.name));
  const others = graph.output.filter((info) => info !== logits);
  const caches = pairCaches(states, others, names.caches ?? []);
  for (const info of states) {
    if (isFloat(info)) continue;
    throw new GraphError(
      `The cache "${info.name}" is neither float32 nor float16: this lab cannot feed it.`,
    );
  }
  derive(graph, ids, states);
  const feed = {
    tokens: asInt64(graph, ids),
    mask: mask ? asInt64(graph, mask) : own('none'),
    positions: positions ? asInt64(graph, positions) : own('none'),
  };
  // Logits and caches alone: what else a graph says, its hidden states, would only take memory.
  const kept = new Set([logits.name, ...caches.map(({ output }) => output)]);
  const shape = shapeOf(logits);
  graph.output = graph.output.filter(({ name }) => kept.has(name));
  // Shapes of what lies between are what the edits change; onnxruntime finds them out itself.
  graph.valueInfo = [];
  let name = logits.name;
  if (elementTypeOf(logits) === FLOAT16) {
    name = own('logits');
    graph.node.push(nodeOf('Cast', [logits.name], name, { to: FLOAT }));
    graph.output = graph.output.map((info) =>
      info === logits ? portInfo(name, FLOAT, shape) : info,
    );
  }
  const ports = readPorts(model, { ...feed, logits: name, caches });
  closeShapes(ports.caches, config);
  const ofLogits = elementTypeOf(logits) === FLOAT16 ? 'float16' : 'float32';
  const types = [...new Set([ofLogits, ...ports.caches.map(({ input }) => input.type)])];
  return { model, ports: { ...ports, extras: [] }, logits: name, types };
}

/** Length of the vocabulary that the graph gives logits for. */
function vocabularyOf({ model, ports }: Found): number {
  const last = ports.logits.shape.at(-1);
  if (typeof last === 'number' && last > 0) return last;
  // Not in its shape: the columns of the last product.
  const { graph } = model;
  const byName = new Map(graph.initializer.map((tensor) => [tensor.name, tensor]));
  for (const node of [...nodesOf(graph)].reverse()) {
    const tensor = byName.get(node.input[1] ?? '');
    if (!['MatMul', 'MatMulNBits', 'MatMulInteger', 'Gemm'].includes(node.opType)) continue;
    if (node.opType === 'MatMulNBits') {
      const n = node.attribute.find(({ name }) => name === 'N');
      if (n) return Number(n.i);
    }
    const turned = node.attribute.some(({ name, i }) => name === 'transB' && i === 1n);
    if (tensor) return dimensions(tensor).at(turned ? 0 : -1) ?? 0;
    break;
  }
  throw new GraphError(
    `The graph does not say how long its vocabulary is: "${ports.logits.name}" leaves its last dimension open.`,
  );
}

const STANDARD = new Set(['', 'ai.onnx']);

function arithmeticOf(graph: GraphProto, ports: PolicyPorts): Arithmetic {
  let rounded = false;
  for (const { opType, attribute } of nodesOf(graph)) {
    if (/^DynamicQuantize|Integer|^QLinear/.test(opType)) rounded = true;
    if (opType !== 'MatMulNBits') continue;
    if (attribute.some(({ name, i }) => name === 'accuracy_level' && i === 4n)) rounded = true;
  }
  const half =
    graph.initializer.some(({ dataType }) => dataType === FLOAT16) ||
    ports.caches.some(({ input }) => input.type === 'float16');
  return { half, rounded };
}

/**
 * @throws GraphError
 */
export function prepareGraph(
  { onnx, external }: Pick<ModelFiles, 'onnx' | 'external'>,
  config: ForeignConfig,
): PreparedGraph {
  const first = normalise(onnx, config);
  const { graph } = first.model;
  const nodes = [...nodesOf(graph)];
  if (nodes.length > MOST_NODES) {
    throw new GraphError(`The graph has ${nodes.length} nodes; at most ${MOST_NODES} can be.`);
  }
  const weights = checkWeights(graph, external);
  const { ports } = first;
  const arithmetic = arithmeticOf(graph, ports);
  const contributed = new Set<string>();
  for (const { opType, domain } of nodes) if (!STANDARD.has(domain)) contributed.add(opType);
  const vocabulary = vocabularyOf(first);
  const used = new Map([...external].filter(([path]) => weights.files.has(path)));
  const plain = (): WholeGraph => {
    const again = normalise(onnx, config);
    const bytes = encode(again.model);
    const small = weights.total <= LOOP_BYTES && used.size === 0;
    const loop = small ? { onnx: bytes, ports: again.ports } : null;
    return { onnx: bytes, external: used, ports: again.ports, vocabulary, rows: null, loop };
  };
  const facts = {
    arithmetic,
    types: first.types,
    contributed: [...contributed].sort(),
    weightBytes: weights.total,
    largestBytes: weights.largest,
    rowBytes: rowBytes(ports.caches),
    plain,
  };
  const rows = own('rows');
  if (!gatherRows(graph, first.logits, rows)) return { ...plain(), ...facts };
  const { loop } = weights.total <= LOOP_BYTES && used.size === 0 ? plain() : { loop: null };
  graph.input.push(portInfo(rows, INT64, ['rows']));
  const chosen = own('chosen_logits');
  // Shape [rows, vocabulary] as [1, rows, vocabulary]; Reshape is the same in every opset.
  graph.initializer.push(integers(own('as_batch'), [1, -1, vocabulary]));
  graph.node.push(nodeOf('Reshape', [first.logits, own('as_batch')], chosen));
  graph.output = graph.output.map((info) =>
    info.name === first.logits ? portInfo(chosen, FLOAT, [1, 'rows', vocabulary]) : info,
  );
  const bytes = encode(first.model);
  const named = { ...ports, logits: { ...ports.logits, name: chosen } };
  return { onnx: bytes, external: used, ports: named, vocabulary, rows, loop, ...facts };
}
