/**
 * One objective on one batch: loss, per-token contributions, gradient, weights, gates, clip shares.
 * Contract: a pure float64 function of (batch, settings); what TRL or verl would compute for the same
 * log-probs, without entropy bonus and without a KL penalty to a reference policy.
 *
 * Gradient: with c_i the aggregation's coefficient, d loss / d b_t = c_i slope_t. A sequence ratio (GSPO)
 * is differentiated through every token: with per-token multipliers m_t each token gets the mean of
 * c_i m_t over its sequence. Without mismatch weights that equals GSPO-token exactly.
 */
import { CompensatedSum } from '../summation';
import { coefficients } from './aggregate';
import { VERL_EPSILON } from './arithmetic';
import { trlClipStatistics, verlClipStatistics } from './clip-statistics';
import { kindOf, type ObjectiveSettings, type Surrogate } from './registry';
import { ObjectiveError, type Evaluation, type Library, type ObjectiveBatch } from './types';

function checkBatch(batch: ObjectiveBatch): { n: number; tokens: number } {
  const n = batch.offsets.length - 1;
  const tokens = batch.offsets[n];
  if (tokens === undefined) throw new ObjectiveError('Offsets are empty; they need n + 1 entries.');
  if (batch.logpOld.length !== tokens || batch.logpNew.length !== tokens) {
    throw new ObjectiveError(
      `Offsets end at ${tokens} tokens, but there are ${batch.logpOld.length} old and ` +
        `${batch.logpNew.length} new log-probs.`,
    );
  }
  if (batch.advantage.length !== n) {
    throw new ObjectiveError(`There are ${n} sequences, but ${batch.advantage.length} advantages.`);
  }
  return { n, tokens };
}

/**
 * Per-sequence losses take one multiplier: verl's GMPO uses the geometric mean of its tokens' mismatch
 * weights, sequence-level weights are constant within a sequence and come out unchanged.
 */
function perSequenceMultiplier(
  m: Float64Array,
  from: number,
  to: number,
  library: Library,
): number {
  const verl = library === 'verl';
  let sum = 0;
  for (let t = from; t < to; t++) sum += Math.log((m[t] as number) + (verl ? 1e-10 : 0));
  return Math.exp(sum / (to - from + (verl ? VERL_EPSILON : 0)));
}

/** TRL drops mismatch weights from GMPO and RLOO; VESPO has folded them into its own weight. */
export function takesMultiplier(s: Surrogate, library: Library): boolean {
  const { foldsMismatch, perSequence } = kindOf(s);
  return !foldsMismatch && !(library === 'trl' && perSequence(s));
}

/** @returns [n] the aggregation's coefficient; a loss that exists once per sequence has a mean only */
export function sequenceCoefficients(
  { surrogate, aggregation, library }: ObjectiveSettings,
  offsets: Uint32Array,
): Float64Array {
  return coefficients(
    kindOf(surrogate).perSequence(surrogate) ? { kind: 'seq-mean-token-sum' } : aggregation,
    library,
    offsets,
  );
}

/**
 * @param mismatch [tokens] weights pi_old / pi_sampler (`mismatchWeights`) that multiply token losses and
 * are not differentiated; left out = 1
 * @throws ObjectiveError when array lengths disagree
 */
export function evaluateObjective(
  batch: ObjectiveBatch,
  settings: ObjectiveSettings,
  mismatch?: Float64Array,
): Evaluation {
  const { n, tokens } = checkBatch(batch);
  if (mismatch && mismatch.length !== tokens) {
    throw new ObjectiveError(
      `There are ${tokens} tokens, but ${mismatch.length} mismatch weights.`,
    );
  }
  const { surrogate, library } = settings;
  const out = {
    loss: new Float64Array(tokens),
    slope: new Float64Array(tokens),
    weight: new Float64Array(tokens),
    gate: new Float64Array(tokens),
  };
  const kind = kindOf(surrogate);
  const perSequence = kind.perSequence(surrogate);
  const c = sequenceCoefficients(settings, batch.offsets);
  const multiplier = mismatch && takesMultiplier(surrogate, library) ? mismatch : undefined;
  const coupled = kind.coupled(surrogate);
  // Slopes become gradients and losses become contributions in place.
  const loss = new CompensatedSum();
  for (let i = 0; i < n; i++) {
    const from = batch.offsets[i] as number;
    const to = batch.offsets[i + 1] as number;
    if (to === from) continue;
    const advantage = batch.advantage[i] as number;
    kind.apply(surrogate, { batch, from, to, advantage, library, mismatch }, out);
    const coefficient = c[i] as number;
    let shared = 1;
    if (multiplier && perSequence) {
      shared = perSequenceMultiplier(multiplier, from, to, library);
    } else if (multiplier && coupled) {
      shared = 0;
      for (let t = from; t < to; t++) shared += (multiplier[t] as number) / (to - from);
    }
    for (let t = from; t < to; t++) {
      const own = perSequence ? shared : multiplier ? (multiplier[t] as number) : 1;
      const part = (out.loss[t] as number) * coefficient * own;
      out.loss[t] = part;
      out.slope[t] = (out.slope[t] as number) * coefficient * (coupled ? shared : own);
      loss.add(part);
    }
  }
  return {
    loss: loss.value,
    tokenLoss: out.loss,
    gradient: out.slope,
    weight: out.weight,
    gate: out.gate,
    trl: library === 'trl' ? trlClipStatistics(surrogate, batch) : null,
    verl: library === 'verl' ? verlClipStatistics(surrogate, batch, out.gate) : null,
  };
}
