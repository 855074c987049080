/**
 * Experiment `mismatch`: the engine that sampled is not the trainer. Same weights, other precision, other
 * kernels, a truncated distribution: log pi_old of the trainer differs from log pi_sampler of the engine.
 *
 * With e_t = log pi_old(y_t) - log pi_sampler(y_t), rho = exp(sum_t e_t) corrects for it exactly, and
 * explodes: Var[log rho] = L sigma^2, effective sample size n exp(-L sigma^2). The length-normalised weight
 * exp((1/L) sum_t e_t) does not: sigma^2 / L. It is the same law as of s, on another pair of policies, so
 * `variance` and `weights` are asked about that pair.
 *
 * Where the sampler drew the tokens and reports what it drew from, the weights average 1 (for normal e_t:
 * bias -sigma^2 / 2 per token, the price of Jensen). A sampler that truncates (top-p, top-k) or reports
 * log-probs of another temperature breaks that.
 *
 * Verdicts (`verdict.ts`): mean weight against 1 (RATIO_RESOLUTION), bias against -sigma^2 / 2
 * (BIAS_RESOLUTION, nats per token), slopes of log variance on log length over prefixes of the same
 * responses against +1 and -1 (SLOPE_RESOLUTION). All `too few` without sampler log-probs.
 */
import type * as v from 'valibot';
import {
  CORRECTION_IDS,
  CORRECTIONS,
  correctionEffect,
  correctionWeights,
  type ActiveCorrectionId,
  type CorrectionEffect,
} from '../../math/diagnostics/corrections';
import { offPolicyMetrics, type OffPolicyMetrics } from '../../math/diagnostics/perplexity';
import { evaluateObjective } from '../../math/objectives/evaluate';
import { recommended } from '../../math/objectives/registry';
import type { Library } from '../../math/objectives/types';
import { ClusterBootstrap, type Estimate } from '../../math/stats/clusters';
import { quantileSorted } from '../../math/stats/quantiles';
import { meanStatistic } from '../../math/stats/statistics';
import { variance as sampleVariance } from '../../math/stats/moments';
import { promptClusters } from '../../rollouts/clusters';
import {
  sequenceCount,
  tokenCount,
  withSampler,
  type Rollouts,
  type WithSampler,
} from '../../rollouts/rollouts';
import type { Claim, Experiment, ExperimentContext } from '../experiment';
import { checkRollouts, logRatios, stage } from '../shared/input';
import { PromptSums } from '../shared/proportions';
import { curveSettingsSchema, CURVE_DEFAULTS, SLOPE_RESOLUTION, variance } from '../variance';
import type { FittedSlope, VarianceCurve } from '../shared/variance-curve';
import { BOOTSTRAP_METHOD, numberClaim } from '../shared/verdict';
import { weights, type WeightsCurve } from '../weights';

export const RATIO_RESOLUTION = 0.01;
/** nats per token: what the health report calls a mismatch worth attention */
export const BIAS_RESOLUTION = 1e-3;
const SURENESS_BINS = 8;

export const mismatchSettingsSchema = curveSettingsSchema;
export type MismatchSettings = v.InferOutput<typeof mismatchSettingsSchema>;

/** Tokens that the sampler was about equally sure of. */
export interface SurenessBin {
  /** mean log pi_sampler of the bin's tokens, nats */
  logp: number;
  low: number;
  high: number;
  tokens: number;
  /** mean of e_t, nats */
  bias: number;
  interval: [number, number] | null;
  /** standard deviation of e_t, nats */
  spread: number;
}

export interface CorrectionRow extends CorrectionEffect {
  id: ActiveCorrectionId;
  title: string;
  /** settings that switch it on */
  trl: string | null;
  verl: string | null;
  low: number | null;
  high: number;
  /** at each library's recommended settings, uncorrected and corrected */
  losses: { objective: 'grpo' | 'gspo'; library: Library; plain: number; corrected: number }[];
}

export interface MismatchMeasure {
  /** of e_t over tokens, nats */
  sigma: number;
  bias: Estimate;
  meanRatio: Estimate;
  /** verl's metrics of pi_old against the sampler */
  metrics: OffPolicyMetrics;
  bySureness: SurenessBin[];
  natural: VarianceCurve;
  prefix: VarianceCurve;
  shares: { natural: WeightsCurve; prefix: WeightsCurve };
  /** tokens from which on half of the responses are wasted by rho; null: not reached */
  usableLength: number | null;
  predictedUsableLength: number;
  corrections: CorrectionRow[];
}

export interface MismatchResult {
  sequences: number;
  tokens: number;
  /** null: the rollouts carry no sampler log-probs */
  measure: MismatchMeasure | null;
  claims: Claim[];
}

export const mismatch: Experiment<MismatchSettings, MismatchResult> = {
  id: 'mismatch',
  title: 'Mismatch',
  question: 'What does it cost that another engine drew the tokens?',
  defaults: CURVE_DEFAULTS,
  async run(rollouts, settings, context) {
    checkRollouts(rollouts);
    const known = withSampler(rollouts);
    const measure =
      known === null || sequenceCount(known) === 0
        ? null
        : await measureMismatch(known, settings, context);
    return {
      sequences: sequenceCount(rollouts),
      tokens: tokenCount(rollouts),
      measure,
      claims: claimsOf(measure, tokenCount(rollouts)),
    };
  },
};

async function measureMismatch(
  rollouts: WithSampler,
  settings: MismatchSettings,
  context: ExperimentContext,
): Promise<MismatchMeasure> {
  /** the pair (sampler, trainer) as any experiment takes a pair */
  const between: Rollouts = {
    ...rollouts,
    logpOld: rollouts.logpSampler,
    logpNew: rollouts.logpOld,
  };
  const part = (from: number, to: number): ExperimentContext => ({
    ...context,
    progress: (fraction) => context.progress?.(from + (to - from) * fraction),
  });
  const { natural, prefix } = await variance.run(between, settings, part(0, 0.4));
  const shares = await weights.run(between, settings, part(0.4, 0.8));
  const bootstrap = new ClusterBootstrap(context);
  const e = logRatios(between);
  const overTokens = (of: (t: number) => number) =>
    bootstrap.estimate(tokenSums(rollouts, of), meanStatistic);
  const bias = overTokens((t) => e[t] as number);
  const meanRatio = overTokens((t) => Math.exp(e[t] as number));
  await stage(context, 0.85);
  const bySureness = surenessBins(rollouts, e, bootstrap);
  await stage(context, 0.9);
  return {
    sigma: Math.sqrt(sampleVariance(e)),
    bias,
    meanRatio,
    metrics: offPolicyMetrics(rollouts.logpSampler, rollouts.logpOld, rollouts.offsets),
    bySureness,
    natural,
    prefix,
    shares: { natural: shares.natural, prefix: shares.prefix },
    usableLength: shares.usableLength,
    predictedUsableLength: shares.predictedUsableLength,
    corrections: CORRECTION_IDS.filter((id) => id !== 'none').map((id) => rowOf(rollouts, id)),
  };
}

/** Per prompt: (tokens, sum of `of` over them), over the tokens that `among` lets pass. */
function tokenSums(
  rollouts: Rollouts,
  of: (t: number) => number,
  among: (t: number) => boolean = () => true,
) {
  const { offsets } = rollouts;
  const { cluster } = promptClusters(rollouts);
  const sums = new PromptSums(cluster, 2);
  for (let i = 0; i < cluster.length; i++) {
    let count = 0;
    let sum = 0;
    for (let t = offsets[i] as number; t < (offsets[i + 1] as number); t++) {
      if (!among(t)) continue;
      count++;
      sum += of(t);
    }
    sums.add(i, [count, sum]);
  }
  return sums.sums;
}

/** Equal numbers of tokens per bin, as far as ties allow. */
function surenessBins(
  rollouts: WithSampler,
  e: Float64Array,
  bootstrap: ClusterBootstrap,
): SurenessBin[] {
  const logp = rollouts.logpSampler;
  const sorted = Float64Array.from(logp).sort();
  const edges = Array.from({ length: SURENESS_BINS + 1 }, (_, k) =>
    quantileSorted(sorted, k / SURENESS_BINS),
  );
  return Array.from({ length: SURENESS_BINS }, (_, k) => k).flatMap((k) => {
    const [low, high] = [edges[k] as number, edges[k + 1] as number];
    const inside = (t: number) => {
      const x = logp[t] as number;
      return x >= low && (k === SURENESS_BINS - 1 ? x <= high : x < high);
    };
    let tokens = 0;
    let total = 0;
    let sum = 0;
    let squares = 0;
    for (let t = 0; t < e.length; t++) {
      if (!inside(t)) continue;
      tokens++;
      total += logp[t] as number;
      sum += e[t] as number;
      squares += (e[t] as number) ** 2;
    }
    if (tokens === 0) return [];
    const bias = sum / tokens;
    const estimate = bootstrap.estimate(
      tokenSums(rollouts, (t) => e[t] as number, inside),
      meanStatistic,
    );
    return [
      {
        logp: total / tokens,
        low,
        high,
        tokens,
        bias,
        interval: estimate.interval,
        spread: Math.sqrt(Math.max(0, squares / tokens - bias * bias)),
      },
    ];
  });
}

const LOSSES = [
  ['grpo', 'trl'],
  ['grpo', 'verl'],
  ['gspo', 'trl'],
  ['gspo', 'verl'],
] as const;

function rowOf(rollouts: WithSampler, id: ActiveCorrectionId): CorrectionRow {
  const own = correctionWeights(rollouts, id);
  return {
    id,
    ...CORRECTIONS[id],
    ...correctionEffect(own),
    losses: LOSSES.flatMap(([objective, library]) => {
      const settings = recommended(objective, library);
      if (settings === null) return [];
      return [
        {
          objective,
          library,
          plain: evaluateObjective(rollouts, settings).loss,
          corrected: evaluateObjective(rollouts, settings, own).loss,
        },
      ];
    }),
  };
}

function slopeClaim(
  id: string,
  sentence: string,
  fitted: FittedSlope | null,
  prediction: number,
  points: number,
): Claim {
  return numberClaim({
    id,
    claim: sentence,
    prediction,
    estimate: fitted && {
      estimate: fitted.slope,
      standardError: NaN,
      interval: fitted.interval,
      clusters: 0,
    },
    n: points,
    nOf: 'lengths',
    resolution: SLOPE_RESOLUTION,
    method: `Slope of log variance on log length over prefixes of the same responses. ${BOOTSTRAP_METHOD}`,
  });
}

function claimsOf(measure: MismatchMeasure | null, tokens: number): Claim[] {
  const points = measure?.prefix.points.length ?? 0;
  return [
    numberClaim({
      id: 'mismatch.mean-weight',
      claim:
        'The token weights pi_old / pi_sampler average 1, as they must where the sampler drew from what ' +
        'it reports.',
      prediction: 1,
      estimate: measure?.meanRatio ?? null,
      n: tokens,
      nOf: 'tokens',
      resolution: RATIO_RESOLUTION,
      method: `Mean of exp(e_t) over tokens. ${BOOTSTRAP_METHOD}`,
    }),
    numberClaim({
      id: 'mismatch.bias',
      claim: 'The bias per token is that of normal noise around a mean weight of 1: -sigma^2 / 2.',
      prediction: measure ? -(measure.sigma ** 2) / 2 : 0,
      estimate: measure?.bias ?? null,
      n: tokens,
      nOf: 'tokens',
      resolution: BIAS_RESOLUTION,
      method: `Mean of e_t over tokens, nats. ${BOOTSTRAP_METHOD}`,
    }),
    slopeClaim(
      'mismatch.sum-slope',
      'The variance of the summed log weight grows like L: slope +1.',
      measure?.prefix.slopes.unnormalised ?? null,
      1,
      points,
    ),
    slopeClaim(
      'mismatch.mean-slope',
      'The variance of the length-normalised log weight falls like 1/L: slope -1.',
      measure?.prefix.slopes.sequence ?? null,
      -1,
      points,
    ),
  ];
}
