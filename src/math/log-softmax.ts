/**
 * What one row of logits says about its target token, in float64: the oracle of
 * `src/gpu/token-stats.wgsl`. Logits below LOWEST_LOGIT have probability 0. A row without a
 * distribution (all of them masked, or any NaN, +inf or more than -LOWEST_LOGIT) gives NaN.
 */
import { LOWEST_LOGIT } from './kernel-input';
import type { TokenStats } from './kernels';
import { CompensatedSum } from './summation';

export interface RowStats {
  /** log softmax(logits)[target], nats; -inf where the target is masked */
  logp: number;
  /** Shannon entropy, nats */
  entropy: number;
  /** sum_v p_v^2 */
  collision: number;
}

/** Largest logit of logits[start .. start + vocabulary); NaN where the row has no distribution. */
function rowMaximum(logits: ArrayLike<number>, start: number, vocabulary: number): number {
  let maximum = -Infinity;
  for (let i = start; i < start + vocabulary; i++) {
    const x = logits[i];
    if (!(x <= -LOWEST_LOGIT)) return NaN;
    if (x > maximum) maximum = x;
  }
  return maximum < LOWEST_LOGIT ? NaN : maximum;
}

/**
 * @param logits row-major; the row begins at `start`
 * @param target id in [0, vocabulary)
 */
export function rowStats(
  logits: ArrayLike<number>,
  start: number,
  vocabulary: number,
  target: number,
): RowStats {
  const maximum = rowMaximum(logits, start, vocabulary);
  const partition = new CompensatedSum();
  const weighted = new CompensatedSum();
  const squares = new CompensatedSum();
  for (let i = start; i < start + vocabulary; i++) {
    const x = logits[i];
    if (x < LOWEST_LOGIT) continue;
    const centered = x - maximum;
    const e = Math.exp(centered);
    partition.add(e);
    weighted.add(e * centered);
    squares.add(e * e);
  }
  const z = partition.value;
  const logZ = Math.log(z);
  const x = logits[start + target];
  const masked = x < LOWEST_LOGIT && !Number.isNaN(maximum);
  return {
    logp: masked ? -Infinity : x - maximum - logZ,
    // H = log Z - sum p (x - max); rounding must not make it negative.
    entropy: Math.max(0, logZ - weighted.value / z),
    collision: squares.value / (z * z),
  };
}

/** Rows [targets.length, vocabulary] at once. */
export function tokenStats(
  logits: ArrayLike<number>,
  vocabulary: number,
  targets: Uint32Array,
): TokenStats {
  const rows = targets.length;
  const out = {
    logp: new Float64Array(rows),
    entropy: new Float64Array(rows),
    collision: new Float64Array(rows),
  };
  targets.forEach((target, row) => {
    const stats = rowStats(logits, row * vocabulary, vocabulary, target);
    out.logp[row] = stats.logp;
    out.entropy[row] = stats.entropy;
    out.collision[row] = stats.collision;
  });
  return out;
}
