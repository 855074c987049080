/**
 * `staticStep`: a policy's graph as one decoding step of fixed shapes, whose caches are as long from the first step
 * as they will ever be and are written in place. Every run then asks the GPU for the same commands on the same
 * buffers, so that onnxruntime may record them once and replay them (graph capture).
 *
 *     present = Concat(past, new)     becomes   present = ScatterND(past, slot, new), past and present one buffer
 *     bias    = f(mask, positions)    becomes   bias = key position <= query position ? 0 : -1e9, in float32
 *
 * Contract: for graphs of this lab's author (`models/build/onnx-author.ts`) alone, whose mask is known; the
 * logits are those of the plain graph to float32 rounding.
 */
import { TensorProto_DataType, type ValueInfoProto } from 'onnx-buf';
import { cut } from './cut';
import { floatScalar, nodeOf, portInfo } from './make';
import type { CachePort, PolicyPorts } from './ports';
import type { OnnxModel } from './proto';

const own = (name: string) => `lab.static.${name}`;

export const STATIC = {
  /** int64 [batch, heads, 1, 3]: row, head and the position that the step writes */
  slot: own('slot'),
  /** float32 [batch, 1, 1, positions]: position of each key within its sequence; too large for padding */
  keys: own('keys'),
  /** float32 [batch, 1, 1, 1]: position of the token that is fed */
  query: own('query'),
} as const;

/** The additive mask, as the author of the lab's graphs calls it. */
const BIAS = 'mask.bias.output';
const CLOSED = -1e9;

export interface StaticShape {
  batch: number;
  /** positions of a cache: prompt and response */
  positions: number;
}

/** [batch, heads, positions, head size]; null: the cache is of another kind. */
export function staticCacheShape(
  { input }: CachePort,
  { batch, positions }: StaticShape,
): [number, number, number, number] | null {
  const [rows, heads, past, size, ...more] = input.shape;
  if (more.length > 0 || typeof rows !== 'string' || typeof past !== 'string') return null;
  if (typeof heads !== 'number' || typeof size !== 'number' || input.type !== 'float32')
    return null;
  return [batch, heads, positions, size];
}

/**
 * @param model weights already lifted; edited in place
 * @returns false where the graph is not of the known kind; it is then of no use any more
 */
export function staticStep(model: OnnxModel, ports: PolicyPorts, shape: StaticShape): boolean {
  const { graph } = model;
  const { tokens, mask, positions, logits, caches } = ports;
  const { FLOAT, INT64 } = TensorProto_DataType;
  const vocabulary = logits.shape[2];
  if (positions === null || mask === null || typeof vocabulary !== 'number') return false;
  if (caches.length === 0 || !graph.node.some(({ output }) => output.includes(BIAS))) return false;

  const fixed = new Map<string, ValueInfoProto>([
    [tokens.name, portInfo(tokens.name, INT64, [shape.batch, 1])],
    [positions.name, portInfo(positions.name, INT64, [shape.batch, 1])],
  ]);
  const outputs = [portInfo(logits.name, FLOAT, [shape.batch, 1, vocabulary])];
  let heads = 0;
  for (const cache of caches) {
    const { input, output } = cache;
    const dims = staticCacheShape(cache, shape);
    const at = graph.node.findIndex((node) => node.output.includes(output.name));
    const join = graph.node[at];
    if (dims === null || join?.opType !== 'Concat' || join.input[0] !== input.name) return false;
    if (heads !== 0 && heads !== dims[1]) return false;
    heads = dims[1];
    const scatter = nodeOf('ScatterND', [input.name, STATIC.slot, join.input[1]], output.name);
    graph.node.splice(at, 1, scatter);
    fixed.set(input.name, portInfo(input.name, FLOAT, dims));
    outputs.push(portInfo(output.name, FLOAT, dims));
  }
  graph.output = outputs;
  cut(model, BIAS, FLOAT);
  graph.node.unshift(
    nodeOf('LessOrEqual', [STATIC.keys, STATIC.query], own('visible')),
    nodeOf('Where', [own('visible'), own('open'), own('closed')], BIAS),
  );
  graph.initializer.push(floatScalar(own('open'), 0), floatScalar(own('closed'), CLOSED));
  graph.input = graph.input
    .filter(({ name }) => name !== BIAS && name !== mask.name)
    .map((info) => fixed.get(info.name) ?? info);
  graph.input.push(
    portInfo(STATIC.slot, INT64, [shape.batch, heads, 1, 3]),
    portInfo(STATIC.keys, FLOAT, [shape.batch, 1, 1, shape.positions]),
    portInfo(STATIC.query, FLOAT, [shape.batch, 1, 1, 1]),
  );
  return true;
}
