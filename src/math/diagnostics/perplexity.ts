/**
 * Perplexities of two policies on the same responses and what they say about each other. Contract: pure
 * float64. Names and directions of `offPolicyMetrics` are verl's (`compute_offpolicy_metrics`): "rollout" is
 * the policy that sampled, "training" the other; ppl_ratio = PPL_training / PPL_rollout, the inverse of s.
 */
import type { FloatArray } from '../kernels';
import { chiSquare, klTerms, mean, sequenceMeans, sequenceSums } from './divergence';

export interface SequencePerplexities {
  /** [n] empirical cross-entropies, nats per token */
  crossEntropyOld: Float64Array;
  crossEntropyNew: Float64Array;
  /** [n] exp of them */
  pplOld: Float64Array;
  pplNew: Float64Array;
  /** [n] PPL_old / PPL_theta = s */
  pplRatio: Float64Array;
  /** [n] exp(H_old - H_theta) = s */
  expDeltaH: Float64Array;
  /** [n] (1/L) sum_t d_t = log s, from token differences */
  logWeight: Float64Array;
  /** [n] sum_t d_t = log rho */
  logRho: Float64Array;
}

/** The three routes to the sequence weight, per sequence; see `Kernels.sequenceForms` for the fast ones. */
export function sequencePerplexities(
  logpOld: FloatArray,
  logpNew: FloatArray,
  offsets: Uint32Array,
): SequencePerplexities {
  const n = offsets.length - 1;
  const crossEntropyOld = sequenceMeans(logpOld, offsets).map((x) => -x);
  const crossEntropyNew = sequenceMeans(logpNew, offsets).map((x) => -x);
  const difference = new Float64Array(logpOld.length);
  for (let t = 0; t < difference.length; t++) {
    difference[t] = logpNew[t] - logpOld[t];
  }
  const logRho = sequenceSums(difference, offsets);
  const logWeight = logRho.map((sum, i) => sum / (offsets[i + 1] - offsets[i]));
  const pplOld = crossEntropyOld.map(Math.exp);
  const pplNew = crossEntropyNew.map(Math.exp);
  const pplRatio = new Float64Array(n);
  const expDeltaH = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    pplRatio[i] = pplOld[i] / pplNew[i];
    expDeltaH[i] = Math.exp(crossEntropyOld[i] - crossEntropyNew[i]);
  }
  return {
    crossEntropyOld,
    crossEntropyNew,
    pplOld,
    pplNew,
    pplRatio,
    expDeltaH,
    logWeight,
    logRho,
  };
}

export interface OffPolicyMetrics {
  training_ppl: number;
  training_log_ppl: number;
  /** k1 estimate of KL(rollout || training), mean over tokens */
  kl: number;
  k3_kl: number;
  rollout_ppl: number;
  rollout_log_ppl: number;
  /** log PPL_training - log PPL_rollout, mean over sequences */
  log_ppl_diff: number;
  log_ppl_abs_diff: number;
  log_ppl_diff_max: number;
  log_ppl_diff_min: number;
  /** mean over sequences of PPL_training / PPL_rollout */
  ppl_ratio: number;
  chi2_token: number;
  chi2_seq: number;
}

/** verl's masked means have this beside the token count; it shows in the eighth digit. */
const VERL_EPSILON = 1e-8;

/** @param rollout, training [tokens] log-probs of the same tokens; every sequence has a token */
export function offPolicyMetrics(
  rollout: FloatArray,
  training: FloatArray,
  offsets: Uint32Array,
): OffPolicyMetrics {
  const tokens = rollout.length;
  const shrink = tokens / (tokens + VERL_EPSILON);
  const meanSurprisal = (logp: FloatArray) =>
    sequenceSums(logp, offsets).map(
      (sum, i) => -sum / (offsets[i + 1] - offsets[i] + VERL_EPSILON),
    );
  const logPplTraining = meanSurprisal(training);
  const logPplRollout = meanSurprisal(rollout);
  const difference = logPplTraining.map((x, i) => x - logPplRollout[i]);
  const { k1, k3 } = klTerms(rollout, training);
  const logRatio = k1.map((x) => -x);
  return {
    training_ppl: mean(logPplTraining.map(Math.exp)),
    training_log_ppl: mean(logPplTraining),
    kl: mean(k1) * shrink,
    k3_kl: mean(k3) * shrink,
    rollout_ppl: mean(logPplRollout.map(Math.exp)),
    rollout_log_ppl: mean(logPplRollout),
    log_ppl_diff: mean(difference),
    log_ppl_abs_diff: mean(difference.map(Math.abs)),
    log_ppl_diff_max: difference.reduce((a, b) => Math.max(a, b), -Infinity),
    log_ppl_diff_min: difference.reduce((a, b) => Math.min(a, b), Infinity),
    ppl_ratio: mean(difference.map(Math.exp)),
    chi2_token: (chiSquare(logRatio) + 1) * shrink - 1,
    chi2_seq: chiSquare(sequenceSums(logRatio, offsets)),
  };
}
