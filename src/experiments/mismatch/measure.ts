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
import {
  sequenceCount,
  tokenCount,
  withSampler,
  type Rollouts,
  type WithSampler,
} from '../../rollouts/rollouts';
import type { ExperimentContext } from '../experiment';
import type { CurveSettings } from '../shared/settings';
import { measurePair, type MeasuredPair } from '../shared/pair-difference';

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

export interface MeasuredSampler extends MeasuredPair {
  /** verl's metrics of pi_old against the sampler */
  metrics: OffPolicyMetrics;
  corrections: CorrectionRow[];
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
    metrics: offPolicyMetrics(rollouts.logpSampler, rollouts.logpOld, rollouts.offsets),
    corrections: CORRECTION_IDS.flatMap((id) =>
      id === 'none' || CORRECTIONS[id].rejects ? [] : [rowOf(rollouts, id)],
    ),
  };
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
