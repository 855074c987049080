/**
 * Measurements of the experiment `gradient`. Contract: pure float64; masses are sums of |d loss / d log pi|
 * over tokens, norms are Euclidean over tokens and vocabulary together.
 */
import { effectiveSampleShare } from '../../math/diagnostics/divergence';
import { Random, STREAM } from '../../math/philox';
import { evaluateObjective } from '../../math/objectives/evaluate';
import { kindOf, type ObjectiveSettings } from '../../math/objectives/registry';
import { quantileSorted } from '../../math/stats/quantiles';
import { sequenceCount, type FloatArray, type Rollouts } from '../../rollouts/rollouts';
import { responseLengths } from '../shared/input';
import { geometricLengthBins } from '../shared/length-bins';

export interface MassBin {
  low: number;
  high: number;
  /** share of all tokens, and of all gradient mass, in the bin */
  tokens: number;
  mass: number;
}

export interface GradientMeasure {
  loss: number;
  /** sum over tokens of |d loss / d log pi| */
  mass: number;
  /** the same without the mismatch correction; equal to `mass` where there is none */
  uncorrectedMass: number;
  /** share of tokens that get any gradient */
  active: number;
  /** mass over what it would be with every gate open */
  kept: number;
  /** share of the mass in responses with A > 0 */
  positive: number;
  /** effective number of responses that share the mass, over n */
  effectiveResponses: number;
  /** norm of the gradient with respect to all logits; null without collision probabilities */
  logitNorm: number | null;
  byLength: MassBin[];
  /** by Shannon entropy under pi_old, equal numbers of tokens; empty where the source has none */
  byEntropy: MassBin[];
}

/**
 * [tokens] norm of onehot(y) - p: sqrt(1 - 2 p_y + sum p^2), p that of pi_theta, which is what gets
 * differentiated; null without collision probabilities.
 */
export function logitNorms(rollouts: Rollouts): Float64Array | null {
  const { collisionNew, logpNew } = rollouts;
  if (!collisionNew) return null;
  return Float64Array.from(logpNew, (logp, t) =>
    // Rounding may leave a certain token slightly below 0.
    Math.sqrt(Math.max(0, 1 - 2 * Math.exp(logp) + collisionNew[t])),
  );
}

/** |gradient| with the gate open. */
function openGradient(gradient: number, gate: number, weighted: number): number {
  return gate > 0 ? Math.abs(gradient) / gate : weighted;
}

export interface MeasuredObjective {
  measure: GradientMeasure;
  /** [n] sum_t |d loss / d log pi| of each response */
  sequenceMass: Float64Array;
}

/** @param correction [tokens] mismatch weights; null = 1. @param kept [tokens] 0 = rejected; null = none */
export function measureObjective(
  rollouts: Rollouts,
  settings: ObjectiveSettings,
  norms: Float64Array | null,
  bins: number,
  correction: Float64Array | null = null,
  kept: Uint8Array | null = null,
): MeasuredObjective {
  const weights = correction ?? undefined;
  const { loss, gradient, gate } = evaluateObjective(
    rollouts,
    settings,
    weights,
    kept ?? undefined,
  );
  const open = ungatedGradient(rollouts, settings, weights, kept ?? undefined);
  const n = sequenceCount(rollouts);
  const sequenceMass = new Float64Array(n);
  let mass = 0;
  let openMass = 0;
  let positive = 0;
  let active = 0;
  let squares = 0;
  for (let i = 0; i < n; i++) {
    for (let t = rollouts.offsets[i]; t < rollouts.offsets[i + 1]; t++) {
      const size = Math.abs(gradient[t]);
      sequenceMass[i] = sequenceMass[i] + size;
      openMass += openGradient(gradient[t], gate[t], open[t]);
      if (size > 0) active++;
      if (norms) squares += (size * norms[t]) ** 2;
    }
    mass += sequenceMass[i];
    if (rollouts.advantage[i] > 0) positive += sequenceMass[i];
  }
  const share = (x: number, of: number) => (of > 0 ? x / of : 0);
  return {
    measure: {
      loss,
      mass,
      uncorrectedMass: correction
        ? evaluateObjective(rollouts, settings).gradient.reduce((sum, g) => sum + Math.abs(g), 0)
        : mass,
      active: share(active, gradient.length),
      kept: share(mass, openMass),
      positive: share(positive, mass),
      effectiveResponses: effectiveSampleShare(sequenceMass),
      logitNorm: norms ? Math.sqrt(squares) : null,
      byLength: byLength(rollouts, sequenceMass, mass, bins),
      byEntropy: rollouts.entropyOld ? byEntropy(rollouts.entropyOld, gradient, mass, bins) : [],
    },
    sequenceMass,
  };
}

function byLength(
  rollouts: Rollouts,
  sequenceMass: Float64Array,
  total: number,
  bins: number,
): MassBin[] {
  const lengths = responseLengths(rollouts);
  const tokens = rollouts.logpNew.length;
  return geometricLengthBins(lengths, bins).map(({ minLength, maxLength, members }) => {
    let own = 0;
    let mass = 0;
    for (const i of members) {
      own += lengths[i];
      mass += sequenceMass[i];
    }
    return {
      low: minLength,
      high: maxLength,
      tokens: own / tokens,
      mass: total > 0 ? mass / total : 0,
    };
  });
}

function byEntropy(
  entropy: FloatArray,
  gradient: Float64Array,
  total: number,
  bins: number,
): MassBin[] {
  const sorted = Float64Array.from(entropy).sort();
  const edges = Array.from({ length: bins + 1 }, (_, k) => quantileSorted(sorted, k / bins));
  const tokens = new Float64Array(bins);
  const mass = new Float64Array(bins);
  for (let t = 0; t < entropy.length; t++) {
    const x = entropy[t];
    let bin = 0;
    while (bin < bins - 1 && x >= edges[bin + 1]) bin++;
    tokens[bin] = tokens[bin] + 1 / entropy.length;
    mass[bin] = mass[bin] + (total > 0 ? Math.abs(gradient[t]) / total : 0);
  }
  return Array.from(tokens, (share, k) => ({
    low: edges[k],
    high: edges[k + 1],
    tokens: share,
    mass: mass[k],
  }));
}

/**
 * The same objective with nothing clipped or masked by itself.
 * @param correction [tokens] mismatch weights
 * @returns [tokens] |d loss / d log pi|
 */
export function ungatedGradient(
  rollouts: Rollouts,
  settings: ObjectiveSettings,
  correction?: Float64Array,
  kept?: Uint8Array,
): Float64Array {
  const { surrogate } = settings;
  const ungated = { ...settings, surrogate: kindOf(surrogate).ungated(surrogate) };
  return evaluateObjective(rollouts, ungated, correction, kept).gradient.map(Math.abs);
}

/** At most `limit` of n indices, ascending, the same for the same seed. */
export function thinned(n: number, limit: number, seed: number): number[] {
  if (n <= limit) return Array.from({ length: n }, (_, i) => i);
  const random = new Random(seed, STREAM.display);
  const out: number[] = [];
  // Selection sampling (Knuth 3.4.2 S): exactly `limit`, in order.
  for (let i = 0; i < n && out.length < limit; i++) {
    if (random.uniform() * (n - i) < limit - out.length) out.push(i);
  }
  return out;
}
