/**
 * `decodeLoop`: a policy's graph becomes the body of one ONNX `Loop` that decodes `steps` tokens of every row
 * without leaving the runtime: forward pass, logits / temperature + Gumbel noise, arg max, the token fed back,
 * caches handed on. Stepping from outside copies caches and weights in and out at every token; here they cross
 * once per run, because weights and constants are outer-scope values of the body.
 *
 * What a run is fed and hands out is named by `LOOP`; a port of the policy is fed as `LOOP.fed(name)` and a cache
 * handed on as `LOOP.carried(name)`: whole, or only what the run added to it (`split-caches.ts`); its length tells
 * which. The logits behind every token come out too: what they say of it (log-prob, entropy, collision) is then
 * computed by the same float64 code as for scored logits.
 *
 * Contract: tokens are those of `math/sampler.ts` under the same noise: the same two float32 operations in the
 * same order, ties to the lowest id. Rows that have ended go on until the run does; whoever reads leaves that out.
 */
import { create } from '@bufbuild/protobuf';
import {
  GraphProtoSchema,
  NodeProtoSchema,
  TensorProto_DataType,
  type ValueInfoProto,
} from 'onnx-buf';
import { LOWEST_LOGIT } from '../../math/kernel-input';
import {
  attributeOf,
  elementTypeOf,
  floatScalar,
  integers,
  nodeOf,
  portInfo,
  renamed,
} from './make';
import { cacheLayout, type PolicyPorts, type Port } from './ports';
import { GraphError, type OnnxModel } from './proto';
import { splitCaches } from './split-caches';

/** Since this opset Squeeze takes its axes as an input, as the body here writes it. */
const LEAST_OPSET = 13n;

/** No tensor of a policy's graph begins so. */
const own = (name: string) => `lab.decode.${name}`;

export const LOOP = {
  /** int64 []: tokens to decode per row */
  steps: own('steps'),
  /** float32 []: 1 / temperature; 1 for greedy */
  scale: own('scale'),
  /** float32 [steps, batch, vocabulary]: added to the scaled logits; zeros for greedy */
  noise: own('noise'),
  /** int64 []: no position goes beyond it, so that rows that have ended stay inside the policy's tables */
  lastPosition: own('last_position'),
  /** out, int64 [steps, batch, 1] */
  tokens: own('tokens'),
  /** out, float32 [steps, batch, vocabulary], not scaled */
  logits: own('logits'),
  fed: (name: string) => own(`fed.${name}`),
  carried: (name: string) => own(`carried.${name}`),
  /** out: an extra of the policy, [steps, batch, 1, ...] */
  extra: (name: string) => own(`extra.${name}`),
} as const;

/** Why a graph cannot be decoded in a Loop; null: it can. */
export function whyNoLoop({ proto }: OnnxModel, ports: PolicyPorts): string | null {
  const { tokens, mask, positions, logits, caches } = ports;
  if (mask === null || positions === null) return 'it has no mask or no positions';
  if (caches.length === 0) return 'it has no cache';
  if ([tokens, mask, positions].some(({ type }) => type !== 'int64')) {
    return 'its ids, mask or positions are not int64';
  }
  if (logits.type !== 'float32') return 'its logits are not float32';
  if (caches.some((port) => cacheLayout(port) === null)) return 'it has a cache without positions';
  const opset = proto.opsetImport.find(({ domain }) => domain === '' || domain === 'ai.onnx');
  if (!opset || opset.version < LEAST_OPSET) return `its opset is below ${LEAST_OPSET}`;
  return null;
}

/**
 * @param model weights already lifted; consumed: its nodes move into the body
 * @throws GraphError where `whyNoLoop` has a reason
 */
export function decodeLoop(model: OnnxModel, ports: PolicyPorts): OnnxModel {
  const { tokens, mask, positions, logits, caches, extras } = ports;
  const reason = whyNoLoop(model, ports);
  if (reason !== null || mask === null || positions === null) {
    throw new GraphError(`This graph cannot be decoded in a loop: ${reason}.`);
  }
  const { graph } = model;
  const { BOOL, FLOAT, INT64 } = TensorProto_DataType;
  const infoOf = (list: readonly ValueInfoProto[], { name }: Port) =>
    list.find((info) => info.name === name) as ValueInfoProto;
  const feeds = [tokens, mask, positions, ...caches.map(({ input }) => input)];
  const fedInfos = feeds.map((port) => infoOf(graph.input, port));
  const split = splitCaches(graph, caches, LOOP.fed);

  // The policy itself, then one token of each row, and what the next step needs.
  const [row, token, moreMask, morePositions] = [
    own('row'),
    own('next.token'),
    own('next.mask'),
    own('next.positions'),
  ] as const;
  const nodes = [
    ...graph.node,
    nodeOf('Squeeze', [logits.name, own('length_axis')], row),
    nodeOf('Mul', [row, LOOP.scale], own('scaled')),
    nodeOf('Gather', [LOOP.noise, own('iteration')], own('noise_now'), { axis: 0 }),
    nodeOf('Add', [own('scaled'), own('noise_now')], own('score')),
    nodeOf('GreaterOrEqual', [row, own('lowest')], own('not_below')),
    nodeOf('LessOrEqual', [row, own('highest')], own('not_above')),
    nodeOf('And', [own('not_below'), own('not_above')], own('usable')),
    nodeOf('Where', [own('usable'), own('score'), own('never')], own('candidate')),
    nodeOf('ArgMax', [own('candidate')], token, { axis: 1, keepdims: 1 }),
    nodeOf('Add', [positions.name, own('one')], own('following')),
    nodeOf('Min', [own('following'), LOOP.lastPosition], morePositions),
    // The token is there, so it is seen: ones in the shape of the tokens.
    nodeOf('Sub', [token, token], own('zeros')),
    nodeOf('Add', [own('zeros'), own('one')], own('seen')),
    nodeOf('Concat', [mask.name, own('seen')], moreMask, { axis: 1 }),
    nodeOf('Identity', [own('going')], own('goes_on')),
    nodeOf('Identity', [token], own('scan.token')),
    nodeOf('Identity', [row], own('scan.logits')),
    ...extras.map(({ name }) => nodeOf('Identity', [name], own(`scan.${name}`))),
  ];
  const body = create(GraphProtoSchema, {
    name: `${graph.name || 'policy'}_step`,
    node: nodes,
    input: [
      portInfo(own('iteration'), INT64, []),
      portInfo(own('going'), BOOL, []),
      ...fedInfos.slice(0, 3),
      ...(split?.carried ?? fedInfos.slice(3)),
    ],
    output: [
      portInfo(own('goes_on'), BOOL, []),
      ...[token, moreMask, morePositions].map((name) => portInfo(name, INT64)),
      ...caches.map(({ input, output }) =>
        portInfo(output.name, elementTypeOf(infoOf(graph.input, input))),
      ),
      portInfo(own('scan.token'), INT64),
      portInfo(own('scan.logits'), FLOAT),
      ...extras.map((port) => renamed(infoOf(graph.output, port), own(`scan.${port.name}`))),
    ],
  });

  const loop = create(NodeProtoSchema, {
    opType: 'Loop',
    name: own('loop'),
    // No condition: it runs its number of steps.
    input: [
      LOOP.steps,
      '',
      ...feeds.slice(0, 3).map(({ name }) => LOOP.fed(name)),
      ...(split?.begun ?? caches.map(({ input }) => LOOP.fed(input.name))),
    ],
    output: [
      ...feeds.map(({ name }) => LOOP.carried(name)),
      LOOP.tokens,
      LOOP.logits,
      ...extras.map(({ name }) => LOOP.extra(name)),
    ],
    attribute: [attributeOf('body', body)],
  });
  const moved = new Set(feeds.map(({ name }) => name));
  model.proto.graph = create(GraphProtoSchema, {
    name: `${graph.name || 'policy'}_decode`,
    node: [...(split?.before ?? []), loop],
    initializer: [
      ...graph.initializer,
      ...(split?.constants ?? []),
      floatScalar(own('lowest'), LOWEST_LOGIT),
      floatScalar(own('highest'), -LOWEST_LOGIT),
      floatScalar(own('never'), -Infinity),
      integers(own('one'), 1),
      integers(own('length_axis'), [1]),
    ],
    input: [
      ...graph.input.filter(({ name }) => !moved.has(name)),
      ...fedInfos.map((info) => renamed(info, LOOP.fed(info.name))),
      portInfo(LOOP.steps, INT64, []),
      portInfo(LOOP.scale, FLOAT, []),
      portInfo(LOOP.noise, FLOAT, [own('all_steps'), own('batch'), own('vocabulary')]),
      portInfo(LOOP.lastPosition, INT64, []),
    ],
    output: [
      portInfo(LOOP.tokens, INT64),
      portInfo(LOOP.logits, FLOAT),
      ...caches.map(({ input }) =>
        portInfo(LOOP.carried(input.name), elementTypeOf(infoOf(graph.input, input))),
      ),
      ...extras.map((port) =>
        portInfo(LOOP.extra(port.name), elementTypeOf(infoOf(graph.output, port))),
      ),
    ],
  });
  return { proto: model.proto, graph: model.proto.graph };
}
