/**
 * `tapRoutes`: what a mixture of experts decides at each token, as one more output of the graph.
 *
 * Contract: for graphs of this lab's author (`models/build/onnx-author.ts`); a graph without routers is left as it is, and
 * nothing else of the graph changes. `router`, float32 [batch, tokens, 2 x layers], holds for each layer the set of
 * chosen experts as a sum of 2^expert (exact below 24 experts), and how far the last chosen one's logit is above the
 * best one that was not chosen. Few numbers on purpose: they are kept for every token of a run. `math/routing.ts` reads
 * them.
 */
import { TensorProto_DataType, type GraphProto } from 'onnx-buf';
import { floats, floatScalar, nodeOf, portInfo } from './make';
import { cut, removeUnused } from './cut';
import { dimensions, GraphError, type OnnxModel } from './proto';

/** Name of the output, and of the token table that it becomes (`router.old`, `router.new`). */
export const ROUTER = 'router';

/** Float32 holds sums of different powers of two below this one exactly. */
const MOST_EXPERTS = 24;
const own = (name: string) => `lab.router.${name}`;
const LOGITS = /^(model\.layers\.\d+\.mlp\.router)\.logits$/;

/** Names of the routers, layer by layer. */
function routersOf(graph: GraphProto): string[] {
  const made = graph.node.flatMap(({ output }) => output);
  return made.flatMap((name) => LOGITS.exec(name)?.[1] ?? []);
}

/** Experts of a layer: the outputs of its router's matrix. */
function expertsOf({ graph }: OnnxModel, router: string): number {
  const weight = graph.initializer.find(({ name }) => name === `${router}.MatMul.weight`);
  const count = weight === undefined ? undefined : dimensions(weight)[1];
  if (count === undefined) throw new GraphError(`The router "${router}" has no matrix of its own.`);
  return count;
}

/**
 * @param model is edited in place; its weights not lifted yet
 * @param tokens shape of the ids: how it calls batch and length
 * @returns whether there were routers
 */
export function tapRoutes(model: OnnxModel, tokens: readonly (string | number)[]): boolean {
  const { graph } = model;
  const routers = routersOf(graph);
  const [first] = routers;
  if (first === undefined) return false;
  const count = expertsOf(model, first);
  if (count > MOST_EXPERTS) {
    throw new GraphError(
      `Routes among ${count} experts: at most ${MOST_EXPERTS} can be told apart.`,
    );
  }
  const powers = Float32Array.from({ length: count }, (_, expert) => 2 ** expert);
  graph.initializer.push(
    floats(own('powers'), [count, 1], powers),
    floatScalar(own('half'), 0.5),
    floatScalar(own('lowest'), -1e9),
    floatScalar(own('highest'), 1e9),
  );
  const columns = routers.flatMap((router, layer) => {
    const at = (name: string) => own(`${layer}.${name}`);
    const reduced = { axes: [-1], keepdims: 1 };
    graph.node.push(
      nodeOf('MatMul', [`${router}.routes`, own('powers')], at('code')),
      nodeOf('Greater', [`${router}.routes`, own('half')], at('chosen')),
      nodeOf('Where', [at('chosen'), `${router}.logits`, own('highest')], at('in')),
      nodeOf('Where', [at('chosen'), own('lowest'), `${router}.logits`], at('out')),
      nodeOf('ReduceMin', [at('in')], at('least'), reduced),
      nodeOf('ReduceMax', [at('out')], at('most'), reduced),
      nodeOf('Sub', [at('least'), at('most')], at('margin')),
    );
    return [at('code'), at('margin')];
  });
  graph.node.push(nodeOf('Concat', columns, ROUTER, { axis: -1 }));
  graph.output.push(
    portInfo(ROUTER, TensorProto_DataType.FLOAT, [...tokens.slice(0, 2), columns.length]),
  );
  return true;
}

/** Where a graph is given the experts of each token. */
export interface GivenRoutes {
  /** inputs, layer by layer: float32 [batch, tokens, experts], 1 for a chosen expert, else 0 */
  names: string[];
  experts: number;
}

/** @returns the routes that a graph's routers choose, not yet inputs; null where it has no routers */
export function routesIn(model: OnnxModel): GivenRoutes | null {
  const routers = routersOf(model.graph);
  const [first] = routers;
  if (first === undefined) return null;
  return { names: routers.map((router) => `${router}.routes`), experts: expertsOf(model, first) };
}

/**
 * `replayRoutes`: the chosen experts become inputs; how they are weighed stays with the weights that are fed. Only the
 * logits are left of the outputs.
 *
 * @param model one that `tapRoutes` has gone over; edited in place
 * @returns null where there are no routers
 */
export function replayRoutes(model: OnnxModel, logits: string): GivenRoutes | null {
  const { graph } = model;
  const powers = graph.initializer.find(({ name }) => name === own('powers'));
  if (powers === undefined) return null;
  const [experts] = dimensions(powers);
  const names = routersOf(graph).map((router) => `${router}.routes`);
  graph.output = graph.output.filter(({ name }) => name === logits);
  for (const name of names) cut(model, name, TensorProto_DataType.FLOAT);
  removeUnused(graph);
  return { names, experts };
}
