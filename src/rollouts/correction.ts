/**
 * A mismatch correction applied to rollouts. Contract: pure; without sampler log-probs, or with the choice `none`,
 * there are no weights. A response whose sampler is not known stays as it is: weight 1.
 */
import {
  correctionWeights,
  keptBy,
  type Bounds,
  type CorrectionId,
} from '../math/diagnostics/corrections';
import { tokenCount, type Rollouts } from './rollouts';

export interface Weighing {
  /** false: the rollouts carry no sampler log-probs, so there is nothing to correct */
  available: boolean;
  /** [tokens]; null = every weight is 1 */
  weights: Float64Array | null;
  /** [tokens] 0 = rejected, out of every mean; null where nothing is */
  kept: Uint8Array | null;
}

export function weighingOf(rollouts: Rollouts, id: CorrectionId, bounds: Bounds): Weighing {
  const logpSampler = rollouts.logpSampler?.map((x, t) =>
    Number.isNaN(x) ? rollouts.logpOld[t] : x,
  );
  const available = logpSampler !== undefined && tokenCount(rollouts) > 0;
  if (!available || id === 'none') return { available, weights: null, kept: null };
  const weights = correctionWeights({ ...rollouts, logpSampler }, id, bounds);
  return { available, weights, kept: keptBy(id, weights) };
}
