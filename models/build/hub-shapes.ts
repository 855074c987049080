/**
 * What exporters do to a graph, for tests of models from a hub: each takes the bytes of one and gives those of another
 * that computes the same, or the same with its weights rounded.
 *
 * Contract: a graph with `input_ids`, its embedding a Gather, its projections MatMul by a float32 initializer, its caches
 * `past_key_values.*`; whoever gives another finds parts of it unchanged.
 */
import { create } from '@bufbuild/protobuf';
import {
  GraphProtoSchema,
  StringStringEntryProtoSchema,
  TensorProto_DataLocation,
  TensorProto_DataType,
  TensorProtoSchema,
  type GraphProto,
  type NodeProto,
  type TensorProto,
} from 'onnx-buf';
import {
  attributeOf,
  bytes,
  floats,
  integers,
  nodeOf,
  portInfo,
} from '../../src/policy/graph/make';
import { decode, dimensions, encode, floatValues } from '../../src/policy/graph/proto';

const { BOOL, FLOAT, INT8, UINT8 } = TensorProto_DataType;

export interface Quantisation {
  /** activations are rounded at run time, too, and products are of integers; false: weights alone (DequantizeLinear) */
  dynamic: boolean;
  /** a scale for each column of a matrix; false: one for all of it */
  perChannel: boolean;
  /** int8 around zero; false: uint8 with a zero point */
  signed: boolean;
}

interface Rounded {
  q: Uint8Array<ArrayBuffer>;
  /** one, or one per column */
  scales: Float32Array;
  zeros: Uint8Array<ArrayBuffer>;
}

/** @param values [rows, columns] */
function roundTo8(values: ArrayLike<number>, columns: number, how: Quantisation): Rounded {
  const channels = how.perChannel ? columns : 1;
  const lowest = new Float64Array(channels);
  const highest = new Float64Array(channels);
  for (let i = 0; i < values.length; i++) {
    const channel = how.perChannel ? i % columns : 0;
    lowest[channel] = Math.min(lowest[channel], values[i]);
    highest[channel] = Math.max(highest[channel], values[i]);
  }
  const scales = Float32Array.from(lowest, (low, c) => {
    const width = how.signed ? Math.max(-low, highest[c]) / 127 : (highest[c] - low) / 255;
    return width === 0 ? 1 : width;
  });
  const zeros = Uint8Array.from(lowest, (low, c) =>
    how.signed ? 0 : Math.min(255, Math.round(-low / scales[c])),
  );
  const [least, most] = how.signed ? [-127, 127] : [0, 255];
  const q = new Uint8Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const channel = how.perChannel ? i % columns : 0;
    const steps = Math.round(values[i] / scales[channel]) + zeros[channel];
    // Two's complement of what is negative.
    q[i] = Math.min(most, Math.max(least, steps)) & 255;
  }
  return { q, scales, zeros };
}

/** Weights of 8 bits, as onnxruntime's quantisation tool writes them for Optimum; the embedding always by one scale. */
export function in8Bits(onnx: Uint8Array, how: Quantisation): Uint8Array<ArrayBuffer> {
  const model = decode(onnx);
  const { graph } = model;
  const weights = new Map(graph.initializer.map((tensor) => [tensor.name, tensor]));
  const gone = new Set<string>();
  const type = how.signed ? INT8 : UINT8;
  const store = (tensor: TensorProto, perChannel: boolean) => {
    const dims = dimensions(tensor);
    const { q, scales, zeros } = roundTo8(floatValues(tensor), dims[1], { ...how, perChannel });
    const names = ['quantized', 'scale', 'zero_point'].map((part) => `${tensor.name}_${part}`);
    const [quantised, scale, zero] = names as [string, string, string];
    if (!gone.has(tensor.name)) {
      const ofScales = perChannel ? [scales.length] : [];
      graph.initializer.push(
        bytes(quantised, dims, q, type),
        floats(scale, ofScales, scales),
        bytes(zero, ofScales, zeros, type),
      );
    }
    gone.add(tensor.name);
    return { quantised, scale, zero };
  };
  graph.node = graph.node.flatMap((node): NodeProto[] => {
    const [first, second] = node.input;
    const [out] = node.output;
    const looked = node.opType === 'Gather' && second === 'input_ids' ? weights.get(first) : null;
    if (looked) {
      const { quantised, scale, zero } = store(looked, false);
      const picked = `${out}_quantized`;
      return [
        nodeOf('Gather', [quantised, second], picked),
        nodeOf('DequantizeLinear', [picked, scale, zero], out),
      ];
    }
    const weight = node.opType === 'MatMul' ? weights.get(second) : undefined;
    if (weight?.dataType !== FLOAT || weight.dims.length !== 2) return [node];
    const { quantised, scale, zero } = store(weight, how.perChannel);
    if (!how.dynamic) {
      const axis = how.perChannel ? { axis: 1 } : {};
      return [
        nodeOf('DequantizeLinear', [quantised, scale, zero], `${out}_weight`, axis),
        nodeOf('MatMul', [first, `${out}_weight`], out),
      ];
    }
    const own = (part: string) => `${out}_${part}`;
    return [
      nodeOf('DynamicQuantizeLinear', [first], [own('x'), own('x_scale'), own('x_zero_point')]),
      nodeOf('MatMulInteger', [own('x'), quantised, own('x_zero_point'), zero], own('integers')),
      nodeOf('Cast', [own('integers')], own('cast'), { to: FLOAT }),
      nodeOf('Mul', [own('x_scale'), scale], own('scales')),
      nodeOf('Mul', [own('cast'), own('scales')], out),
    ];
  });
  graph.initializer = graph.initializer.filter(({ name }) => !gone.has(name));
  return encode(model);
}

/**
 * Causal convolutions along the positions, one number per place for all channels, behind the embedding; the last inputs
 * of each are its state `past_conv.N`, of fixed width, as LFM2 has it.
 * @param width of the embedding @param taps of each convolution; the last one is the position itself
 */
export function withConvolutions(
  onnx: Uint8Array,
  width: number,
  taps: readonly (readonly number[])[],
): Uint8Array<ArrayBuffer> {
  const model = decode(onnx);
  const { graph } = model;
  const at = graph.node.findIndex(
    ({ opType, input }) => opType === 'Gather' && input[1] === 'input_ids',
  );
  const embedding = graph.node[at];
  const [end] = embedding.output;
  embedding.output[0] = 'conv.begin';
  embedding.name = 'conv.begin.node';
  const nodes: NodeProto[] = [];
  const [first] = graph.input;
  const shape = first?.type?.value.case === 'tensorType' ? first.type.value.value.shape : undefined;
  const [batch] = shape?.dim ?? [];
  const rows = batch?.value.case === 'dimParam' ? batch.value.value : 'batch_size';
  graph.initializer.push(integers('conv.axis', [2]), integers('conv.far', [2 ** 31 - 1]));
  taps.forEach((kernel, i) => {
    const own = (part: string) => `conv.${i}.${part}`;
    const from = i === 0 ? 'conv.begin' : `conv.${i - 1}.end`;
    const to = i === taps.length - 1 ? end : own('end');
    const length = kernel.length;
    const values = Float32Array.from({ length: width * length }, (_, k) => kernel[k % length]);
    graph.initializer.push(
      floats(own('weight'), [width, 1, length], values),
      integers(own('last'), [-length]),
      integers(own('one'), [1]),
    );
    nodes.push(
      nodeOf('Transpose', [from], own('channels'), { perm: [0, 2, 1] }),
      nodeOf('Concat', [`past_conv.${i}`, own('channels')], own('seen'), { axis: 2 }),
      nodeOf('Slice', [own('seen'), own('last'), 'conv.far', 'conv.axis'], `present_conv.${i}`),
      nodeOf('Conv', [own('seen'), own('weight')], own('all'), {
        group: width,
        kernel_shape: [length],
        strides: [1],
        pads: [0, 0],
      }),
      nodeOf('Slice', [own('all'), own('one'), 'conv.far', 'conv.axis'], own('now')),
      nodeOf('Transpose', [own('now')], to, { perm: [0, 2, 1] }),
    );
    // Among the other caches they stand first, as layers of this kind do.
    const place = graph.input.findIndex(({ name }) => name.startsWith('past_key_values'));
    graph.input.splice(place, 0, portInfo(`past_conv.${i}`, FLOAT, [rows, width, length]));
    graph.output.push(portInfo(`present_conv.${i}`, FLOAT, [rows, width, length]));
  });
  graph.node.splice(at + 1, 0, ...nodes);
  return encode(model);
}

/**
 * Two decoders in one, as `decoder_model_merged.onnx`: an `If` by `use_cache_branch` over a branch that reads the caches and
 * one that does not.
 */
export function merged(onnx: Uint8Array): Uint8Array<ArrayBuffer> {
  const model = decode(onnx);
  const { graph } = model;
  const inputs = new Set(graph.input.map(({ name }) => name));
  const outer = new Set(graph.initializer.map(({ name }) => name));
  const branch = (prefix: string, reads: boolean): GraphProto => {
    const inner = (name: string) =>
      name === '' || inputs.has(name) || outer.has(name) ? name : `${prefix}/${name}`;
    const node = graph.node.map((one) => {
      const { opType, domain, attribute, output } = one;
      const without =
        !reads && opType === 'Concat'
          ? one.input.filter((name) => !name.startsWith('past_key_values'))
          : one.input;
      const renamed = nodeOf(opType, without.map(inner), output.map(inner), {}, domain);
      renamed.attribute = attribute;
      return renamed;
    });
    const output = graph.output.map((info) => ({ ...info, name: inner(info.name) }));
    return create(GraphProtoSchema, { name: prefix, node, output });
  };
  const choice = nodeOf(
    'If',
    ['use_cache_branch'],
    graph.output.map(({ name }) => name),
  );
  choice.attribute = [
    attributeOf('then_branch', branch('with_past', true)),
    attributeOf('else_branch', branch('no_past', false)),
  ];
  graph.node = [choice];
  graph.input.push(portInfo('use_cache_branch', BOOL, [1]));
  return encode(model);
}

/**
 * The larger weights beside the graph, in files of these names in turn.
 * @param least bytes of a weight that leaves the graph
 */
export function beside(
  onnx: Uint8Array,
  names: readonly string[],
  least = 1024,
): { onnx: Uint8Array<ArrayBuffer>; data: Map<string, Uint8Array<ArrayBuffer>> } {
  const model = decode(onnx);
  const { graph } = model;
  const parts = names.map(() => [] as Uint8Array[]);
  const sizes = names.map(() => 0);
  let next = 0;
  graph.initializer = graph.initializer.map((tensor) => {
    const { name, dims, dataType, rawData } = tensor;
    if (rawData.length < least) return tensor;
    const file = next++ % names.length;
    const said = { location: names[file], offset: sizes[file], length: rawData.length };
    parts[file].push(rawData);
    sizes[file] += rawData.length;
    return create(TensorProtoSchema, {
      name,
      dims,
      dataType,
      dataLocation: TensorProto_DataLocation.EXTERNAL,
      externalData: Object.entries(said).map(([key, value]) =>
        create(StringStringEntryProtoSchema, { key, value: String(value) }),
      ),
    });
  });
  const data = names.map((name, i) => {
    const whole = new Uint8Array(sizes[i]);
    let at = 0;
    for (const part of parts[i]) {
      whole.set(part, at);
      at += part.length;
    }
    return [name, whole] as const;
  });
  return { onnx: encode(model), data: new Map(data) };
}
