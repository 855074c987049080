/**
 * The corrections for sampler mismatch by name: what each does, what TRL and verl call it, and the bounds
 * that they recommend. Contract: `correctionWeights` is a pure float64 function; its result multiplies
 * token losses without being differentiated (`evaluateObjective`'s `mismatch`).
 *
 * Sources: TRL `GRPOConfig.vllm_importance_sampling_mode` (default `sequence_mask`, clip at 3) and
 * `off_policy_mask_threshold` (its paper index suggests 0.5; DeepSeek-V3.2, arXiv:2512.02556); verl
 * `rollout_corr_helper.py` (`rollout_is`, bound 2); IcePop, arXiv:2510.18855 (0.5 to 5).
 */
import { effectiveSampleShare, mean } from './divergence';
import { mismatchWeights, offPolicySequenceMask, type MismatchRule } from './mismatch';
import type { FloatArray } from '../kernels';

export const CORRECTION_IDS = [
  'none',
  'token-truncate',
  'token-mask',
  'icepop',
  'sequence-truncate',
  'sequence-mask',
  'opsm',
] as const;
export type CorrectionId = (typeof CORRECTION_IDS)[number];
export type ActiveCorrectionId = Exclude<CorrectionId, 'none'>;

export interface Correction {
  /** as people call it */
  title: string;
  /** the setting that switches it on; null where the library has none */
  trl: string | null;
  verl: string | null;
  /** which bounds it takes, with the recommended values; OPSM's `high` is its delta, nats per token */
  low: number | null;
  high: number;
}

export const CORRECTIONS: Readonly<Record<ActiveCorrectionId, Correction>> = {
  'token-truncate': {
    title: 'Token weights, truncated (TIS)',
    trl: 'token_truncate',
    verl: 'rollout_is=token',
    low: null,
    high: 2,
  },
  'token-mask': {
    title: 'Token weights, masked (MIS)',
    trl: 'token_mask',
    verl: null,
    low: null,
    high: 3,
  },
  icepop: {
    title: 'Token weights inside a band (IcePop)',
    trl: null,
    verl: 'rollout_is=token, rollout_is_threshold=0.5_5.0',
    low: 0.5,
    high: 5,
  },
  'sequence-truncate': {
    title: 'Response weights, truncated',
    trl: 'sequence_truncate',
    verl: 'rollout_is=sequence',
    low: null,
    high: 2,
  },
  'sequence-mask': {
    title: 'Response weights, masked',
    trl: 'sequence_mask (its default)',
    verl: null,
    low: null,
    high: 3,
  },
  opsm: {
    title: 'Off-policy sequence mask (OPSM)',
    trl: 'off_policy_mask_threshold',
    verl: null,
    low: null,
    high: 0.5,
  },
};

/** The columns that a correction reads; sequence i owns tokens offsets[i]..offsets[i + 1]. */
export interface CorrectionBatch {
  offsets: Uint32Array;
  logpOld: FloatArray;
  logpNew: FloatArray;
  logpSampler: FloatArray;
  advantage: Float64Array;
}

export interface Bounds {
  /** null = the recommended one */
  low: number | null;
  high: number | null;
}

function ruleOf(
  id: Exclude<ActiveCorrectionId, 'opsm'>,
  low: number | null,
  max: number,
): MismatchRule {
  const min = low === null ? {} : { min: low };
  switch (id) {
    case 'token-truncate':
      return { level: 'token', outside: 'truncate', max };
    case 'token-mask':
      return { level: 'token', outside: 'mask', max };
    case 'icepop':
      return { level: 'token', outside: 'mask', ...min, max };
    case 'sequence-truncate':
      return { level: 'sequence', outside: 'truncate', max };
    case 'sequence-mask':
      return { level: 'sequence', outside: 'mask', max };
  }
}

/** @returns [tokens] */
export function correctionWeights(
  batch: CorrectionBatch,
  id: ActiveCorrectionId,
  bounds: Bounds = { low: null, high: null },
): Float64Array {
  const { offsets, logpOld, logpNew, logpSampler, advantage } = batch;
  const high = bounds.high ?? CORRECTIONS[id].high;
  if (id !== 'opsm') {
    const low = CORRECTIONS[id].low === null ? null : (bounds.low ?? CORRECTIONS[id].low);
    return mismatchWeights(logpOld, logpSampler, offsets, ruleOf(id, low, high));
  }
  const weights = new Float64Array(logpOld.length);
  offPolicySequenceMask(logpSampler, logpNew, offsets, advantage, high).forEach((kept, i) => {
    weights.fill(kept ? 1 : 0, offsets[i], offsets[i + 1]);
  });
  return weights;
}

/** What a set of correction weights is like. */
export interface CorrectionEffect {
  mean: number;
  min: number;
  max: number;
  /** share of tokens whose weight is 0: they are lost to the gradient */
  dropped: number;
  /** Kish's effective sample size over tokens, over their number */
  effective: number;
}

/** @param weights [tokens], at least one */
export function correctionEffect(weights: Float64Array): CorrectionEffect {
  let min = Infinity;
  let max = -Infinity;
  let dropped = 0;
  for (const w of weights) {
    if (w < min) min = w;
    if (w > max) max = w;
    if (w === 0) dropped++;
  }
  return {
    mean: mean(weights),
    min,
    max,
    dropped: dropped / weights.length,
    effective: effectiveSampleShare(weights),
  };
}
