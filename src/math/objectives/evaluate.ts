/**
 * One objective on one batch: loss, per-token contributions, gradient, weights, gates, clip shares.
 * Contract: a pure float64 function of (batch, settings); what TRL or verl would compute for the same
 * log-probs, without entropy bonus; a penalty against a reference policy where it is asked for.
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
import type { FloatArray } from '../kernels';
import { takesTokenOptions } from './high-entropy';
import {
  addReferencePenalty,
  checkPenalty,
  type PenaltyRatio,
  type ReferencePenalty,
} from './reference-penalty';
import {
  ObjectiveError,
  type Evaluation,
  type Library,
  type ObjectiveBatch,
  type ResponseView,
  type SurrogateBuffers,
} from './types';

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
  if (batch.tokenAdvantage && batch.tokenAdvantage.length !== tokens) {
    throw new ObjectiveError(
      `There are ${tokens} tokens, but ${batch.tokenAdvantage.length} advantages of tokens.`,
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
  for (let t = from; t < to; t++) sum += Math.log(m[t] + (verl ? 1e-10 : 0));
  return Math.exp(sum / (to - from + (verl ? VERL_EPSILON : 0)));
}

/**
 * Fills the buffers for one response. Where advantages are of single tokens, a ratio of one token sees its own;
 * one of the whole response is evaluated for either sign, since every such loss is proportional to |A|. A loss
 * that exists once per response has one advantage, the mean.
 */
export function applyResponse(
  surrogate: Surrogate,
  response: ResponseView,
  out: SurrogateBuffers,
): void {
  const kind = kindOf(surrogate);
  if (!response.batch.tokenAdvantage || kind.perSequence(surrogate)) {
    kind.apply(surrogate, response, out);
    return;
  }
  const { batch, from, to } = response;
  const advantageAt = (t: number) => batch.tokenAdvantage?.[t] as number;
  if (kind.scope(surrogate) === 'token') {
    for (let t = from; t < to; t++) {
      kind.apply(surrogate, { ...response, from: t, to: t + 1, advantage: advantageAt(t) }, out);
    }
    return;
  }
  const down = {
    loss: out.loss.slice(from, to),
    slope: out.slope.slice(from, to),
    weight: out.weight.slice(from, to),
    gate: out.gate.slice(from, to),
  };
  kind.apply(surrogate, { ...response, advantage: -1 }, out);
  for (const name of ['loss', 'slope', 'weight', 'gate'] as const) {
    down[name].set(out[name].subarray(from, to));
  }
  kind.apply(surrogate, { ...response, advantage: 1 }, out);
  for (let t = from; t < to; t++) {
    const a = advantageAt(t);
    if (a < 0) {
      for (const name of ['loss', 'slope', 'weight', 'gate'] as const) {
        out[name][t] = down[name][t - from];
      }
    }
    out.loss[t] = out.loss[t] * Math.abs(a);
    out.slope[t] = out.slope[t] * Math.abs(a);
  }
}

const buffers = (tokens: number): SurrogateBuffers => ({
  loss: new Float64Array(tokens),
  slope: new Float64Array(tokens),
  weight: new Float64Array(tokens),
  gate: new Float64Array(tokens),
});

/** The batch without the tokens that are not kept: what a library does that takes them out of its mask. */
function keptTokens(batch: ObjectiveBatch, kept: Uint8Array): ObjectiveBatch {
  const offsets = new Uint32Array(batch.offsets.length);
  for (let i = 0; i + 1 < offsets.length; i++) {
    let own = 0;
    for (let t = batch.offsets[i]; t < batch.offsets[i + 1]; t++) {
      own += kept[t] ? 1 : 0;
    }
    offsets[i + 1] = offsets[i] + own;
  }
  const pick = (column: FloatArray) => Float64Array.from(column.filter((_, t) => kept[t]));
  return {
    offsets,
    logpOld: pick(batch.logpOld),
    logpNew: pick(batch.logpNew),
    advantage: batch.advantage,
    ...(batch.tokenAdvantage ? { tokenAdvantage: pick(batch.tokenAdvantage) } : {}),
  };
}

/** @returns [tokens] `values` at the kept tokens, 0 elsewhere */
function spread(values: Float64Array, kept: Uint8Array): Float64Array {
  const out = new Float64Array(kept.length);
  let from = 0;
  for (let t = 0; t < kept.length; t++) if (kept[t]) out[t] = values[from++];
  return out;
}

/** TRL drops mismatch weights from GMPO and RLOO; VESPO has folded them into its own weight. */
export function takesMultiplier(s: Surrogate, library: Library): boolean {
  const { foldsMismatch, perSequence } = kindOf(s);
  return !foldsMismatch && !(library === 'trl' && perSequence(s));
}

/** What TRL does to the losses of single tokens besides its surrogate. */
export interface TokenOptions {
  /** [tokens] 0: its loss is 0, denominators stay (`highEntropyMask`) */
  heard?: Uint8Array;
  /** its `beta` */
  penalty?: ReferencePenalty;
}

/** CISPO's, SAPO's and VESPO's weights are made of the token's ratio. */
function penaltyRatio(s: Surrogate): PenaltyRatio {
  return s.kind === 'clip' && s.level !== 'sequence-sum' ? s.level : 'token';
}

function multiplierOf(
  mismatch: Float64Array | undefined,
  heard: Uint8Array | undefined,
): Float64Array | undefined {
  if (!heard) return mismatch;
  return Float64Array.from(heard, (own, t) => (own === 1 ? (mismatch?.[t] ?? 1) : 0));
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
 * @param kept [tokens] 0: rejected, no response token any more (verl's `rollout_rs`); left out = all kept
 * @param options TRL's of single tokens; what is asked of settings that `takesTokenOptions` denies is an error
 * @throws ObjectiveError when array lengths disagree
 */
export function evaluateObjective(
  batch: ObjectiveBatch,
  settings: ObjectiveSettings,
  mismatch?: Float64Array,
  kept?: Uint8Array,
  options: TokenOptions = {},
): Evaluation {
  const { n, tokens } = checkBatch(batch);
  const { heard, penalty } = options;
  if ((heard || penalty) && !takesTokenOptions(settings)) {
    throw new ObjectiveError(
      'These settings have no losses of single tokens that TRL could mask or add to.',
    );
  }
  if (penalty) checkPenalty(penalty, tokens);
  if (heard && heard.length !== tokens) {
    throw new ObjectiveError(`There are ${tokens} tokens, but a mask of ${heard.length}.`);
  }
  if (kept) {
    const weights = mismatch?.filter((_, t) => kept[t]);
    const { tokenLoss, gradient, weight, gate, ...rest } = evaluateObjective(
      keptTokens(batch, kept),
      settings,
      weights,
      undefined,
      {
        ...(heard && { heard: heard.filter((_, t) => kept[t]) }),
        ...(penalty && {
          penalty: { ...penalty, logpRef: penalty.logpRef.filter((_, t) => kept[t]) },
        }),
      },
    );
    const back = (values: Float64Array) => spread(values, kept);
    return {
      ...rest,
      tokenLoss: back(tokenLoss),
      gradient: back(gradient),
      weight: back(weight),
      gate: back(gate),
    };
  }
  if (mismatch && mismatch.length !== tokens) {
    throw new ObjectiveError(
      `There are ${tokens} tokens, but ${mismatch.length} mismatch weights.`,
    );
  }
  const { surrogate, library } = settings;
  const out = buffers(tokens);
  const kind = kindOf(surrogate);
  const perSequence = kind.perSequence(surrogate);
  const c = sequenceCoefficients(settings, batch.offsets);
  const multiplier = multiplierOf(
    mismatch && takesMultiplier(surrogate, library) ? mismatch : undefined,
    heard,
  );
  const coupled = kind.coupled(surrogate);
  const selected = kind.select?.(surrogate, batch);
  // Slopes become gradients and losses become contributions in place.
  const loss = new CompensatedSum();
  for (let i = 0; i < n; i++) {
    const from = batch.offsets[i];
    const to = batch.offsets[i + 1];
    if (to === from) continue;
    const advantage = batch.advantage[i];
    const response = { batch, from, to, advantage, library, mismatch, selected };
    applyResponse(surrogate, response, out);
    const coefficient = c[i];
    let shared = 1;
    if (multiplier && perSequence) {
      shared = perSequenceMultiplier(multiplier, from, to, library);
    } else if (multiplier && coupled) {
      shared = 0;
      for (let t = from; t < to; t++) shared += multiplier[t] / (to - from);
    }
    // One ratio, differentiated through all tokens, whose advantages differ: each gets the mean of all.
    let joint: number | null = null;
    if (coupled && batch.tokenAdvantage && !perSequence) {
      joint = 0;
      for (let t = from; t < to; t++) {
        joint += (out.slope[t] * (multiplier?.[t] ?? 1)) / (to - from);
      }
    }
    for (let t = from; t < to; t++) {
      const own = perSequence ? shared : multiplier ? multiplier[t] : 1;
      const part = out.loss[t] * coefficient * own;
      out.loss[t] = part;
      out.slope[t] =
        joint === null
          ? out.slope[t] * coefficient * (coupled ? shared : own)
          : joint * coefficient;
      loss.add(part);
    }
    if (penalty) {
      const ratio = penaltyRatio(surrogate);
      loss.add(
        addReferencePenalty(penalty, ratio, batch, from, to, coefficient, out.loss, out.slope),
      );
    }
  }
  return {
    loss: loss.value,
    tokenLoss: out.loss,
    gradient: out.slope,
    weight: out.weight,
    gate: out.gate,
    trl: library === 'trl' ? trlClipStatistics(surrogate, batch) : null,
    verl: library === 'verl' ? verlClipStatistics(surrogate, batch, out.gate, selected) : null,
  };
}
