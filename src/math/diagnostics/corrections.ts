/**
 * The corrections for sampler mismatch by name: what each does, what the libraries call it, and the bounds
 * that they recommend. Contract: pure float64 functions. `correctionWeights` multiply token losses without being
 * differentiated (`evaluateObjective`'s `mismatch`); what `keptBy` leaves out is no response token any more
 * (its `kept`).
 *
 * Sources: TRL 1.10.0.dev0 (f2cd577) `GRPOConfig.vllm_importance_sampling_mode` (default `sequence_mask`, clip at
 * 3; `vllm_importance_sampling_clip_min` none) and `off_policy_mask_threshold` (its paper index suggests 0.5;
 * DeepSeek-V3.2, arXiv:2512.02556). verl 0.10.0.dev (1dda039) `rollout_corr_helper.py`: `rollout_is` (bound 2),
 * `rollout_is_batch_normalize`, `rollout_rs`. IcePop, arXiv:2510.18855 (0.5 to 5). NeMo-RL 7ea279a
 * `nemo_rl/algorithms/loss/loss_functions.py`, `truncated_importance_sampling_type`: `tis`, `icepop`,
 * `seq-mask-tis` (0.999 to 1.002).
 */
import { effectiveSampleShare, mean } from './divergence';
import { mismatchLogRatio, mismatchWeights, offPolicySequenceMask } from './mismatch';
import { REJECTION_IDS, rejectionMask, type RejectionId } from './rejection';
import type { FloatArray } from '../kernels';

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

interface SetBounds {
  low: number | null;
  high: number;
}

export interface Correction {
  /** as people call it */
  title: string;
  /** the setting that switches it on; null where the library has none */
  trl: string | null;
  verl: string | null;
  nemo: string | null;
  /** recommended bounds; low null = none. OPSM's and the divergences' `high` is in nats */
  low: number | null;
  high: number;
  /** it takes a lower bound */
  lowMay: boolean;
  /** what `high` is the largest of, where it is not a weight */
  of: string | null;
  /** [tokens] */
  weights(batch: CorrectionBatch, bounds: SetBounds): Float64Array;
  /** weights 0 and 1 that take tokens out of the response mask, so that means are over what is left */
  rejects: boolean;
}

const NONE = { trl: null, verl: null, nemo: null } as const;
const PLAIN = { ...NONE, low: null, lowMay: true, of: null, rejects: false } as const;

const rule =
  (level: 'token' | 'sequence', outside: 'truncate' | 'mask'): Correction['weights'] =>
  ({ logpOld, logpSampler, offsets }, { low, high }) =>
    mismatchWeights(logpOld, logpSampler, offsets, {
      level,
      outside,
      ...(low === null ? {} : { min: low }),
      max: high,
    });

/** verl: truncated or, with a lower bound, zero outside; then divided by their mean, over tokens or responses. */
const normalised =
  (level: 'token' | 'sequence'): Correction['weights'] =>
  (batch, bounds) => {
    const weights = rule(level, bounds.low === null ? 'truncate' : 'mask')(batch, bounds);
    const { offsets } = batch;
    const n = offsets.length - 1;
    let center = 0;
    if (level === 'token') {
      center = weights.reduce((sum, w) => sum + w, 0) / (weights.length + 1e-8);
    } else {
      let counted = 0;
      for (let i = 0; i < n; i++) {
        const [from, to] = [offsets[i], offsets[i + 1]];
        if (from === to) continue;
        counted++;
        // verl's masked mean of one and the same weight
        center += (weights[from] * (to - from)) / (to - from + 1e-8);
      }
      center /= Math.max(counted, 1e-8);
    }
    return center > 1e-8 ? weights.map((w) => w / center) : weights;
  };

/** NeMo-RL: responses whose geometric mean ratio is outside get 0, the others their tokens' untruncated ratios. */
const sequenceMaskTis: Correction['weights'] = (
  { logpOld, logpSampler, offsets },
  { low, high },
) => {
  const logs = mismatchLogRatio(logpOld, logpSampler);
  const out = new Float64Array(logs.length);
  for (let i = 0; i + 1 < offsets.length; i++) {
    const [from, to] = [offsets[i], offsets[i + 1]];
    let sum = 0;
    for (let t = from; t < to; t++) sum += logs[t];
    const geometric = Math.exp(sum / (to - from));
    if (!(geometric >= (low ?? 0) && geometric <= high)) continue;
    for (let t = from; t < to; t++) {
      const ratio = Math.exp(logs[t]);
      out[t] = Number.isFinite(ratio) ? ratio : 0;
    }
  }
  return out;
};

const opsm: Correction['weights'] = ({ logpSampler, logpNew, offsets, advantage }, { high }) => {
  const weights = new Float64Array(logpNew.length);
  offPolicySequenceMask(logpSampler, logpNew, offsets, advantage, high).forEach((kept, i) => {
    weights.fill(kept ? 1 : 0, offsets[i], offsets[i + 1]);
  });
  return weights;
};

/**
 * verl has no defaults for these. Bounds of its docs (`docs/algo/rollout_corr_math.md`, 1dda039): `token_k1` 0.6 to
 * 1.6, `seq_sum_k1` 0.5 to 2, `seq_mean_k3` 0.01 (3.5), `seq_mean_k1` 0.999 to 1.001 (3.3.3), k2 of tokens, sums and
 * means 2 (3.3.4). Those of `seq_max_k2`, `token_k3`, `seq_sum_k3` and `seq_max_k3` are this lab's.
 */
function rejection(id: RejectionId): Correction {
  const [where, estimator] = [id.slice(0, -3), id.slice(-2)];
  const k1 = estimator === 'k1';
  const [low, high] = !k1
    ? [null, id === 'seq_mean_k3' ? 0.01 : 2]
    : where === 'token'
      ? [0.6, 1.6]
      : where === 'seq_sum'
        ? [0.5, 2]
        : [0.999, 1.001];
  const over = { token: 'tokens', seq_sum: 'sums', seq_mean: 'means', seq_max: 'largest' }[where];
  return {
    ...NONE,
    title: `Rejection by ${estimator}, ${where === 'token' ? 'tokens' : `responses by their ${over}`}`,
    verl: `rollout_rs=${id}`,
    low,
    high,
    lowMay: k1,
    of: k1 ? null : `${estimator}, nats`,
    weights: ({ logpOld, logpSampler, offsets }, bounds) =>
      Float64Array.from(rejectionMask(logpOld, logpSampler, offsets, id, bounds)),
    rejects: true,
  };
}

const OWN = {
  'token-truncate': {
    ...PLAIN,
    title: 'Token weights, truncated (TIS)',
    trl: 'token_truncate',
    verl: 'rollout_is=token',
    nemo: 'tis',
    high: 2,
    weights: rule('token', 'truncate'),
  },
  'token-mask': {
    ...PLAIN,
    title: 'Token weights, masked (MIS)',
    trl: 'token_mask',
    high: 3,
    weights: rule('token', 'mask'),
  },
  icepop: {
    ...PLAIN,
    title: 'Token weights inside a band (IcePop)',
    verl: 'rollout_is=token, rollout_is_threshold=0.5_5.0',
    nemo: 'icepop',
    low: 0.5,
    high: 5,
    weights: rule('token', 'mask'),
  },
  'token-normalised': {
    ...PLAIN,
    title: 'Token weights, truncated, mean 1',
    verl: 'rollout_is=token, rollout_is_batch_normalize=True',
    high: 2,
    weights: normalised('token'),
  },
  'sequence-truncate': {
    ...PLAIN,
    title: 'Response weights, truncated',
    trl: 'sequence_truncate',
    verl: 'rollout_is=sequence',
    high: 2,
    weights: rule('sequence', 'truncate'),
  },
  'sequence-mask': {
    ...PLAIN,
    title: 'Response weights, masked',
    trl: 'sequence_mask (its default)',
    high: 3,
    weights: rule('sequence', 'mask'),
  },
  'sequence-normalised': {
    ...PLAIN,
    title: 'Response weights, truncated, mean 1',
    verl: 'rollout_is=sequence, rollout_is_batch_normalize=True',
    high: 2,
    weights: normalised('sequence'),
  },
  'seq-mask-tis': {
    ...PLAIN,
    title: 'Token weights of responses near 1',
    nemo: 'seq-mask-tis',
    low: 0.999,
    high: 1.002,
    weights: sequenceMaskTis,
  },
  opsm: {
    ...PLAIN,
    title: 'Off-policy sequence mask (OPSM)',
    trl: 'off_policy_mask_threshold',
    high: 0.5,
    lowMay: false,
    of: 'δ, nats per token',
    weights: opsm,
  },
} satisfies Record<string, Correction>;

export type ActiveCorrectionId = keyof typeof OWN | RejectionId;
export type CorrectionId = 'none' | ActiveCorrectionId;

export const CORRECTIONS: Readonly<Record<ActiveCorrectionId, Correction>> = {
  ...OWN,
  ...(Object.fromEntries(REJECTION_IDS.map((id) => [id, rejection(id)])) as Record<
    RejectionId,
    Correction
  >),
};

export const CORRECTION_IDS = ['none', ...Object.keys(CORRECTIONS)] as [
  CorrectionId,
  ...CorrectionId[],
];

/** @returns [tokens] */
export function correctionWeights(
  batch: CorrectionBatch,
  id: ActiveCorrectionId,
  { low, high }: Bounds = { low: null, high: null },
): Float64Array {
  const correction = CORRECTIONS[id];
  return correction.weights(batch, {
    low: correction.lowMay ? (low ?? correction.low) : null,
    high: high ?? correction.high,
  });
}

/** [tokens] 1 = still a response token; null where the correction leaves the mask alone. */
export function keptBy(id: ActiveCorrectionId, weights: Float64Array): Uint8Array | null {
  return CORRECTIONS[id].rejects ? Uint8Array.from(weights) : null;
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
