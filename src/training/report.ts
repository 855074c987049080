/**
 * What one training step says about itself: plain numbers for curves. Contract: structured-cloneable,
 * small; everything is computed in float64 from the step's own rollouts.
 */
import * as v from 'valibot';
import type { Rollouts } from '../rollouts/rollouts';
import { firstOrderBySample } from '../math/entropy-change';
import { routingFlips } from '../math/routing';
import { quantileSorted } from '../math/stats/quantiles';
import { mean, variance } from '../math/summation';

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

const clipSharesSchema = v.object({
  /** mean over the step's minibatches, as each library would log it; null where it logs none */
  trl: v.nullable(v.number()),
  verl: v.nullable(v.number()),
});
export type ClipShares = v.InferOutput<typeof clipSharesSchema>;

const secondsSchema = v.object({
  sampling: v.number(),
  scoring: v.number(),
  /** forward and backward */
  gradient: v.number(),
  update: v.number(),
  evaluation: v.number(),
});
export type StepSeconds = v.InferOutput<typeof secondsSchema>;

/** Probabilities at which the quantiles of s are reported. */
export const WEIGHT_QUANTILES = [0, 0.05, 0.25, 0.5, 0.75, 0.95, 1] as const;

/** Of a step's rollouts, pi_old before its updates against pi_theta after them. */
const weightFiguresSchema = v.object({
  /** of s, at WEIGHT_QUANTILES */
  quantiles: v.pipe(v.array(v.number()), v.length(WEIGHT_QUANTILES.length)),
  /** Var[log s], nats^2 */
  variance: v.number(),
  /** sigma^2 mean(1 / L): what independent tokens would give, sigma^2 the variance of d_t */
  predictedVariance: v.number(),
  /** mean change of the empirical cross-entropy, H_old - H_theta = mean log s */
  meanLogWeight: v.number(),
  /** k3 estimate of KL(pi_old || pi_theta) per token, nats */
  kl: v.number(),
});
export type WeightFigures = v.InferOutput<typeof weightFiguresSchema>;

const heldOutSchema = v.object({
  correct: count,
  prompts: count,
  /** Wilson 95 % */
  interval: v.tuple([v.number(), v.number()]),
});
export type HeldOut = v.InferOutput<typeof heldOutSchema>;

/** A schema, because reports are read back: from the browser's storage and from shipped curves. */
export const stepReportSchema = v.object({
  /** steps finished, from 1 */
  step: count,
  /** updates of the weights so far */
  updates: count,
  /** mean over the step's fresh prompts, before its updates */
  reward: v.number(),
  /** share of groups whose rewards differ: the others give no gradient */
  informativeGroups: v.number(),
  validSteps: v.number(),
  meanLength: v.number(),
  finishedShare: v.number(),
  /** mean Shannon entropy of the next token under pi_old, nats */
  entropy: v.number(),
  /** means over the step's updates */
  loss: v.number(),
  gradientNorm: v.number(),
  /** of each update that had a gradient, before it was clipped; reports of before this was told lack it */
  gradientNorms: v.optional(v.array(v.number())),
  clip: clipSharesSchema,
  weights: weightFiguresSchema,
  /** share of (token, layer) that the step's updates sent to other experts; a dense policy has none */
  flips: v.optional(v.number()),
  /** of the Shannon entropy by the step's updates, mean over its tokens, nats: as it is, and to first order (Hao et al. 2025) */
  entropyChange: v.optional(v.object({ measured: v.number(), firstOrder: v.number() })),
  learningRate: v.number(),
  heldOut: v.nullable(heldOutSchema),
  /** of a race's first step: of the weights that it started from */
  heldOutBefore: v.optional(v.nullable(heldOutSchema)),
  seconds: secondsSchema,
});
export type StepReport = v.InferOutput<typeof stepReportSchema>;

export function weightFigures(rollouts: Rollouts): WeightFigures {
  const { offsets, logpOld, logpNew } = rollouts;
  const n = offsets.length - 1;
  const logRatio = Float64Array.from({ length: offsets[n] }, (_, t) => logpNew[t] - logpOld[t]);
  const logWeights: number[] = [];
  const inverseLengths: number[] = [];
  for (let i = 0; i < n; i++) {
    const from = offsets[i];
    const to = offsets[i + 1];
    if (to === from) continue;
    logWeights.push(mean(logRatio.subarray(from, to)));
    inverseLengths.push(1 / (to - from));
  }
  const sorted = logWeights.map(Math.exp).sort((a, b) => a - b);
  return {
    quantiles: WEIGHT_QUANTILES.map((p) => quantileSorted(sorted, p)),
    variance: variance(logWeights),
    predictedVariance: variance(logRatio) * mean(inverseLengths),
    meanLogWeight: mean(logWeights),
    kl: mean(logRatio.map((d) => Math.exp(d) - d - 1)),
  };
}

/** Share of (token, layer) whose experts changed; null where the rollouts carry no routes. */
export function flipShare({ tables }: Rollouts): number | null {
  const [before, after] = [tables?.['router.old'], tables?.['router.new']];
  if (!before || !after) return null;
  return mean(routingFlips(before, after).shares);
}

/** null where the rollouts carry no entropies. */
export function entropyChangeOf({
  entropyOld,
  entropyNew,
  logpOld,
  logpNew,
}: Rollouts): StepReport['entropyChange'] | null {
  if (!entropyOld || !entropyNew || logpOld.length === 0) return null;
  const tokens = Array.from(logpOld, (_, t) => t);
  return {
    measured: mean(tokens.map((t) => entropyNew[t] - entropyOld[t])),
    firstOrder: mean(
      tokens.map((t) => firstOrderBySample(logpOld[t], entropyOld[t], logpNew[t] - logpOld[t])),
    ),
  };
}

/** Share of groups in which not all rewards are the same. */
export function informativeGroups(reward: ArrayLike<number>, group: ArrayLike<number>): number {
  const ranges = new Map<number, [number, number]>();
  for (let i = 0; i < reward.length; i++) {
    const r = reward[i];
    const range = ranges.get(group[i]);
    if (range === undefined) ranges.set(group[i], [r, r]);
    else {
      range[0] = Math.min(range[0], r);
      range[1] = Math.max(range[1], r);
    }
  }
  const mixed = [...ranges.values()].filter(([low, high]) => high > low).length;
  return mixed / ranges.size;
}
