/**
 * What goes into a policy's graph and comes out of it, read from the graph: names, element types, shapes, and
 * which output is the next step's cache input. Contract: nothing else in the lab knows a tensor's name; a graph
 * that lacks something is refused with a sentence that says what and how a config can name it.
 */
import { TensorProto_DataType, type ValueInfoProto } from 'onnx-buf';
import * as v from 'valibot';
import { GraphError, type OnnxModel } from './proto';

/** Element types that a policy's inputs and outputs may have, as onnxruntime calls them. */
const ELEMENT_TYPES = {
  [TensorProto_DataType.FLOAT]: 'float32',
  [TensorProto_DataType.FLOAT16]: 'float16',
  [TensorProto_DataType.INT64]: 'int64',
  [TensorProto_DataType.INT32]: 'int32',
  [TensorProto_DataType.BOOL]: 'bool',
} as const;

export type ElementType = (typeof ELEMENT_TYPES)[keyof typeof ELEMENT_TYPES];

export interface Port {
  name: string;
  type: ElementType;
  /** a number where the graph fixes it, else the graph's own name for it */
  shape: (number | string)[];
}

/** A cache: fed as `input`, handed on as `output`. The first open dimension is the batch, the next the past. */
export interface CachePort {
  input: Port;
  output: Port;
}

export interface PolicyPorts {
  /** [batch, length] token ids */
  tokens: Port;
  /** [batch, past + length] 1 = attended to; null: the graph has none */
  mask: Port | null;
  /** [batch, length]; null: the graph has none */
  positions: Port | null;
  /** [batch, length, vocabulary] */
  logits: Port;
  caches: CachePort[];
  /** every other output that is [batch, length, ...]: something about each token, such as its experts */
  extras: Port[];
}

const name = v.pipe(v.string(), v.minLength(1), v.maxLength(200));

/**
 * Names of a policy's inputs and outputs, `lab` in its config.json where they are not those of Hugging Face's
 * exporters. `*` in a cache's names stands for the same text in both.
 */
export const portNamesSchema = v.object({
  tokens: v.optional(name, 'input_ids'),
  mask: v.optional(name, 'attention_mask'),
  positions: v.optional(name, 'position_ids'),
  logits: v.optional(name, 'logits'),
  caches: v.optional(v.pipe(v.array(v.object({ input: name, output: name })), v.maxLength(64)), [
    { input: 'past_key_values.*', output: 'present.*' },
  ]),
});

export type PortNames = v.InferOutput<typeof portNamesSchema>;

export const DEFAULT_PORT_NAMES: PortNames = v.parse(portNamesSchema, {});

function portOf(info: ValueInfoProto): Port {
  const tensor = info.type?.value.case === 'tensorType' ? info.type.value.value : undefined;
  const type = ELEMENT_TYPES[tensor?.elemType as keyof typeof ELEMENT_TYPES];
  if (!tensor || type === undefined) {
    throw new GraphError(`"${info.name}" has an element type that this lab cannot feed or read.`);
  }
  const shape = (tensor.shape?.dim ?? []).map(({ value }, i) => {
    if (value.case === 'dimValue') return Number(value.value);
    return value.case === 'dimParam' && value.value !== '' ? value.value : `dimension ${i}`;
  });
  return { name: info.name, type, shape };
}

/** What `*` stands for in `name`; undefined where it is not of this pattern. */
function matched(pattern: string, text: string): string | undefined {
  const star = pattern.indexOf('*');
  if (star < 0) return pattern === text ? '' : undefined;
  const [before, after] = [pattern.slice(0, star), pattern.slice(star + 1)];
  const fits =
    text.length >= before.length + after.length && text.startsWith(before) && text.endsWith(after);
  return fits ? text.slice(before.length, text.length - after.length) : undefined;
}

/**
 * @param names where the config gives others than the usual ones
 * @throws GraphError where the graph has no such inputs and outputs, or one that nobody would feed
 */
export function readPorts(
  { graph }: Pick<OnnxModel, 'graph'>,
  names: PortNames = DEFAULT_PORT_NAMES,
): PolicyPorts {
  const constants = new Set(graph.initializer.map((tensor) => tensor.name));
  const inputs = graph.input.filter((info) => !constants.has(info.name)).map(portOf);
  const outputs = graph.output.map(portOf);
  const find = (ports: Port[], wanted: string) =>
    ports.find((port) => port.name === wanted) ?? null;
  const demand = (ports: Port[], wanted: string, kind: string): Port => {
    const port = find(ports, wanted);
    if (port) return port;
    const there = ports.map((other) => other.name).slice(0, 12);
    throw new GraphError(
      `The graph has no ${kind} "${wanted}". It has: ${there.join(', ')}. ` +
        'Name the right one under "lab" in config.json.',
    );
  };
  const tokens = demand(inputs, names.tokens, 'input');
  const mask = find(inputs, names.mask);
  const positions = find(inputs, names.positions);
  const logits = demand(outputs, names.logits, 'output');
  const caches: CachePort[] = [];
  for (const input of inputs) {
    if (input === tokens || input === mask || input === positions) continue;
    const output = names.caches
      .flatMap((pair) => {
        const part = matched(pair.input, input.name);
        return part === undefined ? [] : [pair.output.replace('*', () => part)];
      })
      .map((wanted) => demand(outputs, wanted, 'output'))[0];
    if (output === undefined) {
      throw new GraphError(
        `Nothing is known to feed the input "${input.name}" with. ` +
          'If it is a cache, name it and its output under "lab" in config.json.',
      );
    }
    caches.push({ input, output });
  }
  const taken = new Set<Port>([logits, ...caches.map(({ output }) => output)]);
  const perToken = ({ type, shape }: Port) =>
    type !== 'float16' &&
    shape.length >= 2 &&
    shape[0] === tokens.shape[0] &&
    shape[1] === tokens.shape[1];
  const extras = outputs.filter((port) => !taken.has(port) && perToken(port));
  return { tokens, mask, positions, logits, caches, extras };
}

/** Shape of a cache that holds nothing yet: the batch, no past, and what the graph fixes. */
export function emptyCacheShape({ input }: CachePort, batch: number): number[] {
  let open = 0;
  return input.shape.map((size) => {
    if (typeof size === 'number') return size;
    open++;
    if (open === 1) return batch;
    if (open === 2) return 0;
    throw new GraphError(
      `The cache "${input.name}" leaves more open than its batch and its past: ` +
        `[${input.shape.join(', ')}].`,
    );
  });
}

/** Bytes of one row of all caches: for each position that it has, and of what has no positions. */
export interface RowBytes {
  perPosition: number;
  fixed: number;
}

export function rowBytes(caches: readonly CachePort[]): RowBytes {
  const bytes: RowBytes = { perPosition: 0, fixed: 0 };
  for (const { input } of caches) {
    const { shape, type } = input;
    const open = shape.filter((size) => typeof size === 'string').length;
    const known = shape.filter((size) => typeof size === 'number');
    const size = known.reduce((all, dim) => all * dim, type === 'float16' ? 2 : 4);
    bytes[open > 1 ? 'perPosition' : 'fixed'] += size;
  }
  return bytes;
}

/** A cache as [batch, outer, positions, inner]. */
export interface CacheLayout {
  /** sizes between batch and positions, multiplied; 1 where there are none */
  outer: number;
  /** sizes behind the positions, multiplied */
  inner: number;
  shape(batch: number, positions: number): number[];
}

/** Null: it does not begin with the batch, or has no positions, as a recurrent state. */
export function cacheLayout({ input: { shape } }: CachePort): CacheLayout | null {
  const open = shape.flatMap((size, i) => (typeof size === 'string' ? [i] : []));
  const [batchAt, at] = open;
  if (batchAt !== 0 || at === undefined || open.length !== 2) return null;
  const product = (sizes: readonly (number | string)[]) =>
    sizes.reduce<number>((all, size) => all * Number(size), 1);
  return {
    outer: product(shape.slice(1, at)),
    inner: product(shape.slice(at + 1)),
    shape: (batch, positions) =>
      shape.map((size, i) => (i === 0 ? batch : i === at ? positions : Number(size))),
  };
}
