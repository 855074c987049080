/**
 * `splitCaches`: inside a decoding loop a cache is read in two parts, what was there before (it stays where it is,
 * keys turned once per run) and what the run has added. A plain graph joins the two at every step, which copies the
 * whole cache for each token: beyond some tens of positions that costs more than the arithmetic.
 *
 *     scores = q . [past | recent]^T   becomes   [ q . past^T | q . recent^T ]
 *     mixed  = w . [past | recent]     becomes   w[: past] . past + w[past :] . recent
 *
 * Contract: the scores are the same numbers, the mixtures to float32 rounding. It is done for all caches or for
 * none: graphs that use their caches otherwise (repeated heads, fused attention) are left as they are.
 */
import type { GraphProto, NodeProto, TensorProto, ValueInfoProto } from 'onnx-buf';
import { elementTypeOf, integers, nodeOf, portInfo } from './make';
import type { CachePort } from './ports';

/** [batch, heads, positions, head] */
const POSITIONS = 2;
const LAST = 3;
const KEYS_TURNED = [0, 1, 3, 2];

export interface SplitCaches {
  /** inputs of the body, one per cache: what the run has added so far, nothing at first */
  carried: ValueInfoProto[];
  /** outer-scope names that these begin with */
  begun: string[];
  /** nodes to run once, outside of the loop */
  before: NodeProto[];
  constants: TensorProto[];
}

interface Use {
  cache: CachePort;
  /** past and new, joined */
  join: NodeProto;
  /** of keys only: their transpose */
  turn: NodeProto | null;
  product: NodeProto;
}

const own = (name: string) => `lab.split.${name}`;

function numbersOf({ attribute }: NodeProto, name: string): number[] {
  const found = attribute.find((one) => one.name === name);
  return found ? [found.i, ...found.ints].slice(found.ints.length > 0 ? 1 : 0).map(Number) : [];
}

function useOf(graph: GraphProto, cache: CachePort): Use | null {
  const { input, output } = cache;
  const readers = (name: string) => graph.node.filter((node) => node.input.includes(name));
  const join = graph.node.find((node) => node.output.includes(output.name));
  if (join?.opType !== 'Concat' || join.input.length !== 2 || join.input[0] !== input.name) {
    return null;
  }
  const [axis] = numbersOf(join, 'axis');
  const openAt = input.shape.flatMap((size, i) => (typeof size === 'string' ? [i] : []));
  const rank = input.shape.length;
  if (rank !== LAST + 1 || openAt[1] !== POSITIONS || (axis !== POSITIONS && axis !== -2)) {
    return null;
  }
  const [reader, ...others] = readers(output.name);
  if (!reader || others.length > 0 || readers(input.name).length !== 1) return null;
  if (reader.opType === 'MatMul' && reader.input[1] === output.name) {
    return { cache, join, turn: null, product: reader };
  }
  const turned = reader.output[0];
  const [product, ...more] = readers(turned);
  const keys =
    reader.opType === 'Transpose' &&
    numbersOf(reader, 'perm').join() === KEYS_TURNED.join() &&
    product?.opType === 'MatMul' &&
    product.input[1] === turned &&
    more.length === 0;
  return keys ? { cache, join, turn: reader, product } : null;
}

/**
 * @param graph is edited in place where this answers; its caches are then no inputs of it any more
 * @param fed outer-scope name of an input
 * @returns null where the graph uses a cache in another way; it is then untouched
 */
export function splitCaches(
  graph: GraphProto,
  caches: readonly CachePort[],
  fed: (input: string) => string,
): SplitCaches | null {
  const uses = caches.map((cache) => useOf(graph, cache));
  if (uses.length === 0 || !uses.every((use) => use !== null)) return null;
  const first = fed(caches[0].input.name);
  const result: SplitCaches = {
    carried: [],
    begun: [],
    before: [
      nodeOf('Shape', [first], own('shape')),
      nodeOf('Slice', [own('shape'), own('positions'), own('last')], own('past')),
    ],
    constants: [
      integers(own('zero'), [0]),
      integers(own('positions'), [POSITIONS]),
      integers(own('last'), [LAST]),
      integers(own('end'), [2 ** 40]),
    ],
  };
  const replaced = new Map<NodeProto, NodeProto[]>();
  for (const { cache, join, turn, product } of uses) {
    const { input, output } = cache;
    const past = fed(input.name);
    const [begun, recent] = [own(`begun.${input.name}`), own(`recent.${input.name}`)];
    const info = graph.input.find(({ name }) => name === input.name) as ValueInfoProto;
    result.carried.push(portInfo(recent, elementTypeOf(info)));
    result.begun.push(begun);
    result.before.push(nodeOf('Slice', [past, own('zero'), own('zero'), own('positions')], begun));
    const now = join.input[1];
    replaced.set(join, [nodeOf('Concat', [recent, now], output.name, { axis: POSITIONS })]);
    const from = product.input[0];
    const into = product.output[0];
    const [left, right] = [own(`left.${into}`), own(`right.${into}`)];
    if (turn) {
      const pastTurned = own(`turned.${input.name}`);
      result.before.push(nodeOf('Transpose', [past], pastTurned, { perm: KEYS_TURNED }));
      const turned = turn.output[0];
      replaced.set(product, [
        nodeOf('MatMul', [from, pastTurned], left),
        nodeOf('MatMul', [from, turned], right),
        nodeOf('Concat', [left, right], into, { axis: LAST }),
      ]);
    } else {
      const [weightsLeft, weightsRight] = [own(`past.${from}`), own(`recent.${from}`)];
      replaced.set(product, [
        nodeOf('Slice', [from, own('zero'), own('past'), own('last')], weightsLeft),
        nodeOf('Slice', [from, own('past'), own('end'), own('last')], weightsRight),
        nodeOf('MatMul', [weightsLeft, past], left),
        nodeOf('MatMul', [weightsRight, output.name], right),
        nodeOf('Add', [left, right], into),
      ]);
    }
  }
  graph.node = graph.node.flatMap((node) => replaced.get(node) ?? [node]);
  return result;
}
