/**
 * Loss and gradient of an objective through the policy, one microbatch at a time.
 * Contract: `GradientOf.add` borrows the parameters; sums of microbatches equal one large batch, because
 * coefficients were fixed before it was cut. Compiled once per width.
 */
import { jit, numpy as np, tree, valueAndGrad } from '@jax-js/jax';
import type { ObjectiveSettings } from '../math/objectives/registry';
import type { Params } from './adamw';
import { chosenExperts } from '../math/routing';
import { objectiveLoss } from './losses';
import type { Microbatch } from './microbatches';
import type { DifferentiablePolicy } from './policy';

export interface MicroResult {
  /** this microbatch's share of the loss */
  loss: number;
  gradient: Params;
  /** [rows, width] log pi_theta of every place, row-major */
  logp: Float32Array;
}

type Arrays = Record<keyof typeof GRIDS, np.Array>;

/** Names of the arrays of a microbatch that the compiled function takes. */
const GRIDS = {
  inputIds: 'int',
  attentionMask: 'int',
  positionIds: 'int',
  targets: 'int',
  mask: 'float',
  logpOld: 'float',
  logpReference: 'float',
  advantage: 'column',
  length: 'column',
  coefficient: 'column',
} as const;

function upload(batch: Microbatch): Arrays {
  const { rows, width } = batch;
  const entries = Object.entries(GRIDS) as [keyof typeof GRIDS, 'int' | 'float' | 'column'][];
  return Object.fromEntries(
    entries.map(([name, kind]) => [
      name,
      np.array(batch[name], {
        shape: kind === 'column' ? [rows, 1] : [rows, width],
        dtype: kind === 'int' ? np.int32 : np.float32,
      }),
    ]),
  ) as Arrays;
}

/** The experts of every place, where the policy is given them; else nothing. */
function uploadRoutes({ routes: wanted }: DifferentiablePolicy, batch: Microbatch): Params {
  if (wanted === null) return {};
  const { routes, rows, width } = batch;
  if (routes === undefined) throw new TypeError('Routes are to be replayed, and none are given.');
  const { names, experts } = wanted;
  return Object.fromEntries(
    names.map((name, layer) => [
      name,
      np.array(chosenExperts(routes, layer, names.length, experts), {
        shape: [rows, width, experts],
        dtype: np.float32,
      }),
    ]),
  );
}

function lossOf(policy: DifferentiablePolicy, settings: ObjectiveSettings, kl: number) {
  return (params: Params, a: Arrays, routes: Params): [np.Array, np.Array] => {
    const { inputIds, attentionMask, positionIds, targets, logpReference, ...inputs } = a;
    const grids = { inputIds, attentionMask, positionIds, targets };
    const logp = policy.tokenLogProbs(params, grids, routes);
    if (kl === 0) logpReference.dispose();
    const term = kl > 0 ? { beta: kl, logpReference } : undefined;
    return [objectiveLoss(settings, logp.ref, inputs, term), logp];
  };
}

/** The loss alone, for the bench: what the gradient costs is told beside it. */
export function forwardOf(policy: DifferentiablePolicy, settings: ObjectiveSettings, kl: number) {
  const compiled = jit(lossOf(policy, settings, kl));
  return async (params: Params, batch: Microbatch): Promise<number> => {
    const [value, logp] = compiled(tree.ref(params), upload(batch), uploadRoutes(policy, batch));
    logp.dispose();
    return Number((await value.data())[0]);
  };
}

/** @param kl weight of the k3 penalty towards the start; 0 leaves it out of the graph */
export function gradientOf(policy: DifferentiablePolicy, settings: ObjectiveSettings, kl: number) {
  const compiled = jit(valueAndGrad(lossOf(policy, settings, kl), { hasAux: true }));

  return async (params: Params, batch: Microbatch): Promise<MicroResult> => {
    const [[value, logp], gradient] = compiled(
      tree.ref(params),
      upload(batch),
      uploadRoutes(policy, batch),
    ) as [[np.Array, np.Array], Params];
    const [number] = await value.data();
    return { loss: Number(number), gradient, logp: (await logp.data()) as Float32Array };
  };
}

/** Element-wise sum; consumes both. */
export const addGradients = jit((a: Params, b: Params): Params => {
  const sum: Params = {};
  for (const name of Object.keys(a)) sum[name] = a[name].add(b[name]);
  return sum;
});
