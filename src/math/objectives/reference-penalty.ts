/**
 * TRL's `beta`: a penalty against a reference policy on top of an objective's loss. Contract: pure float64; adds to
 * contributions and gradients that are there already.
 *
 * Source: TRL 1.10.0.dev0 (f2cd577), `trl/trainer/grpo_trainer.py`, `_compute_loss`: per token
 * k3 = exp(x) - x - 1, x = log pi_ref - log pi_theta (Schulman 2020), times beta, added after mismatch weights and the
 * entropy mask, and aggregated as the loss is. `use_bias_correction_kl` multiplies it by the importance ratio of the
 * objective, before any clip or cap and differentiated: an expectation over pi_old becomes one over pi_theta.
 *
 * Slopes, k = k3: without correction 1 - e^x; token ratio r (1 - e^x) + r k; ratio of the sequence, shared,
 * s (1 - e^x) + s mean(k); GSPO-token, whose ratio of a token has that token's gradient only, s (1 - e^x) + s k.
 */
import type { FloatArray } from '../kernels';
import { ObjectiveError, type ObjectiveBatch } from './types';

export interface ReferencePenalty {
  beta: number;
  /** [tokens] log pi_ref(y_t), nats */
  logpRef: FloatArray;
  /** TRL's `use_bias_correction_kl` */
  corrected: boolean;
}

/** Where the importance ratio of an objective lives, as TRL's `importance_sampling_level` has it. */
export type PenaltyRatio = 'token' | 'sequence' | 'sequence-token';

/**
 * Adds beta k3 of the response's tokens from..to.
 * @param coefficient the aggregation's, of this response
 * @param loss, gradient [tokens] added to
 * @returns what was added to the loss
 */
export function addReferencePenalty(
  { beta, logpRef, corrected }: ReferencePenalty,
  ratio: PenaltyRatio,
  { logpOld, logpNew }: Pick<ObjectiveBatch, 'logpOld' | 'logpNew'>,
  from: number,
  to: number,
  coefficient: number,
  loss: Float64Array,
  gradient: Float64Array,
): number {
  const scale = beta * coefficient;
  let mean = 0;
  let logS = 0;
  for (let t = from; t < to; t++) {
    const x = logpRef[t] - logpNew[t];
    mean += (Math.expm1(x) - x) / (to - from);
    logS += (logpNew[t] - logpOld[t]) / (to - from);
  }
  let added = 0;
  for (let t = from; t < to; t++) {
    const x = logpRef[t] - logpNew[t];
    const k3 = Math.expm1(x) - x;
    const weight = !corrected ? 1 : Math.exp(ratio === 'token' ? logpNew[t] - logpOld[t] : logS);
    const through = !corrected ? 0 : ratio === 'sequence' ? mean : k3;
    const part = scale * weight * k3;
    added += part;
    loss[t] = loss[t] + part;
    gradient[t] = gradient[t] + scale * weight * (through - Math.expm1(x));
  }
  return added;
}

/** @throws ObjectiveError where the column is not that of the batch */
export function checkPenalty({ beta, logpRef }: ReferencePenalty, tokens: number): void {
  if (!(beta >= 0 && Number.isFinite(beta))) {
    throw new ObjectiveError(`beta is ${beta}; it must be a finite number of 0 or more.`);
  }
  if (logpRef.length !== tokens) {
    throw new ObjectiveError(
      `There are ${tokens} tokens, but ${logpRef.length} log-probs of the reference policy.`,
    );
  }
}
