/**
 * TRL's `top_entropy_quantile`: losses of the tokens of largest entropy only. Contract: pure float64 (TRL compares in
 * float32); one device, so that the quantile is over the whole batch.
 *
 * Source: TRL 1.10.0.dev0 (f2cd577), `trl/trainer/grpo_trainer.py`, `get_high_entropy_mask` and `_compute_loss`:
 * threshold = `torch.quantile(entropies of all completion tokens, 1 - q)`, linear between order statistics; losses
 * below it become 0 and every denominator stays. The entropies are those of the policy that is trained.
 */
import type { FloatArray } from '../kernels';
import type { ObjectiveSettings } from './registry';
import { ObjectiveError } from './types';

/** @param q 0..1. @returns the q-quantile, linear between order statistics; NaN of nothing */
export function linearQuantile(values: FloatArray, q: number): number {
  if (values.length === 0) return NaN;
  const sorted = Float64Array.from(values).sort();
  const at = q * (sorted.length - 1);
  const below = Math.floor(at);
  const low = sorted[below];
  const high = sorted[Math.min(below + 1, sorted.length - 1)];
  return low + (at - below) * (high - low);
}

/**
 * @param entropies [tokens] nats
 * @param share q: about this share of the tokens keeps its loss, 0..1; 1 = all
 * @returns [tokens] 1 = keeps its loss
 */
export function highEntropyMask(entropies: FloatArray, share: number): Uint8Array {
  if (!(share >= 0 && share <= 1)) {
    throw new ObjectiveError(
      `The share of tokens of largest entropy is ${share}; it must be 0 to 1.`,
    );
  }
  const least = share < 1 ? linearQuantile(entropies, 1 - share) : -Infinity;
  return Uint8Array.from(entropies, (h) => (h >= least ? 1 : 0));
}

/**
 * Whether TRL's options of single tokens are defined for these settings: its `GRPOTrainer`, with a loss type that
 * takes means over tokens. LUSPO's `.mean()` over a loss of single tokens would be over padding too; GMPO and RLOO
 * have trainers of their own.
 */
export function takesTokenOptions({ library, surrogate, aggregation }: ObjectiveSettings): boolean {
  if (library !== 'trl' || surrogate.kind === 'gmpo') return false;
  return !(
    surrogate.kind === 'clip' &&
    (surrogate.level === 'sequence-sum' || aggregation.kind === 'seq-mean-token-sum')
  );
}
