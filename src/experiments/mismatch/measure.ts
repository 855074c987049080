/**
 * Trainer against sampler: e_t = log pi_old - log pi_sampler per token, where it is biased, what each
 * correction does, and the curves of `variance` and `weights` for the pair (sampler, trainer).
 */
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
import { PromptIntervals, transformed, type Estimate } from '../../math/stats/intervals';
import { logEffectiveShare } from '../../math/stats/statistics';
import { mean as meanOf } from '../../math/summation';
import { promptClusters } from '../../rollouts/clusters';
import {
  sequenceCount,
  tokenCount,
  withSampler,
  type FloatArray,
  type Rollouts,
  type WithSampler,
} from '../../rollouts/rollouts';
import type { ExperimentContext } from '../experiment';
import { logRatios } from '../shared/input';
import { PromptSums } from '../shared/proportions';
import type { CurveSettings } from '../shared/settings';
import { measurePair, type MeasuredPair } from '../shared/pair-difference';
import { measureKnown, type KnownShift } from './known';

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

/** Weights whose effective sample size is followed along the length. */
export const GROWN = [
  'rho',
  's',
  'token-truncate',
  'token-mask',
  'sequence-truncate',
  'sequence-mask',
] as const;
export type GrownId = (typeof GROWN)[number];

/** One way of weighing at one length. */
export interface GrownPoint {
  /** the first so many tokens of every response that has them */
  length: number;
  responses: number;
  /** Kish's effective sample size over n, of responses (of tokens, where each has a weight of its own) */
  effective: Estimate;
  /** share of them whose weight is 0 */
  dropped: number;
}

export interface GrownCorrection {
  id: GrownId;
  /** largest weight; null where there is no bound */
  high: number | null;
  points: GrownPoint[];
}

export interface MeasuredSampler extends MeasuredPair {
  /** verl's metrics of pi_old against the sampler */
  metrics: OffPolicyMetrics;
  corrections: CorrectionRow[];
  grown: GrownCorrection[];
  /** mean of e_t over tokens, nats */
  mean: number;
  /** null: the sampler cut nothing off, or does not say what it kept */
  known: KnownShift | null;
}

export interface MeasuredMismatch {
  sequences: number;
  tokens: number;
  /** null: the rollouts carry no sampler log-probs */
  measure: MeasuredSampler | null;
}

export async function measureMismatch(
  rollouts: Rollouts,
  settings: CurveSettings,
  context: ExperimentContext,
): Promise<MeasuredMismatch> {
  const known = withSampler(rollouts);
  const measure =
    known === null || sequenceCount(known) === 0
      ? null
      : await measureSampler(known, settings, context);
  return { sequences: sequenceCount(rollouts), tokens: tokenCount(rollouts), measure };
}

async function measureSampler(
  rollouts: WithSampler,
  settings: CurveSettings,
  context: ExperimentContext,
): Promise<MeasuredSampler> {
  /** the pair (sampler, trainer) as any experiment takes a pair */
  const between: Rollouts = {
    ...rollouts,
    logpOld: rollouts.logpSampler,
    logpNew: rollouts.logpOld,
  };
  return {
    ...(await measurePair(between, settings, context)),
    known: measureKnown(rollouts, context),
    metrics: offPolicyMetrics(rollouts.logpSampler, rollouts.logpOld, rollouts.offsets),
    corrections: CORRECTION_IDS.flatMap((id) =>
      id === 'none' || CORRECTIONS[id].rejects ? [] : [rowOf(rollouts, id)],
    ),
    grown: growthOf(rollouts, new PromptIntervals(context)),
    mean: meanOf(logRatios(between)),
  };
}

/** Fewer responses than this of some length say nothing. */
const LEAST_RESPONSES = 40;

/** Responses of at least `length` tokens, cut there. */
function cutAt(rollouts: WithSampler, length: number): WithSampler & { members: number[] } {
  const { offsets } = rollouts;
  const members = Array.from({ length: sequenceCount(rollouts) }, (_, i) => i).filter(
    (i) => offsets[i + 1] - offsets[i] >= length,
  );
  const cut = (column: FloatArray) => {
    const out = new Float64Array(members.length * length);
    members.forEach((i, k) =>
      out.set(column.subarray(offsets[i], offsets[i] + length), k * length),
    );
    return out;
  };
  return {
    ...rollouts,
    offsets: Uint32Array.from({ length: members.length + 1 }, (_, k) => k * length),
    logpOld: cut(rollouts.logpOld),
    logpNew: cut(rollouts.logpNew),
    logpSampler: cut(rollouts.logpSampler),
    advantage: Float64Array.from(members, (i) => rollouts.advantage[i]),
    members,
  };
}

function growthOf(rollouts: WithSampler, intervals: PromptIntervals): GrownCorrection[] {
  const { cluster } = promptClusters(rollouts);
  const lengths: number[] = [];
  for (let length = 1; length <= 2 ** 16; length *= 2) lengths.push(length);
  const cuts = lengths
    .map((length) => ({ length, batch: cutAt(rollouts, length) }))
    .filter(({ batch }) => batch.members.length >= LEAST_RESPONSES);
  return GROWN.map((id) => ({
    id,
    high: id === 'rho' || id === 's' ? null : CORRECTIONS[id].high,
    points: cuts.map(({ length, batch }): GrownPoint => {
      const sums = new PromptSums(cluster, 3);
      const byToken = id === 'token-truncate' || id === 'token-mask';
      const weights = id === 'rho' || id === 's' ? null : correctionWeights(batch, id);
      let [count, dropped] = [0, 0];
      batch.members.forEach((i, k) => {
        const from = k * length;
        const add = (w: number) => {
          sums.add(i, [1, w, w * w]);
          count++;
          if (w === 0) dropped++;
        };
        if (weights === null) {
          let sum = 0;
          for (let t = from; t < from + length; t++) sum += batch.logpOld[t] - batch.logpSampler[t];
          add(Math.exp(id === 's' ? sum / length : sum));
        } else if (byToken) {
          for (let t = from; t < from + length; t++) add(weights[t]);
        } else add(weights[from]);
      });
      return {
        length,
        responses: batch.members.length,
        effective: transformed(intervals.estimate(sums.sums, logEffectiveShare), Math.exp),
        dropped: dropped / count,
      };
    }),
  }));
}

const LOSSES = [
  ['grpo', 'trl'],
  ['grpo', 'verl'],
  ['gspo', 'trl'],
  ['gspo', 'verl'],
] as const;

function rowOf(rollouts: WithSampler, id: ActiveCorrectionId): CorrectionRow {
  const own = correctionWeights(rollouts, id);
  const { title, trl, verl, low, high } = CORRECTIONS[id];
  return {
    id,
    title,
    trl,
    verl,
    low,
    high,
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
