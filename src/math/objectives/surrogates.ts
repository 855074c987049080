/**
 * The surrogate losses, one sequence at a time. Contract: `applySurrogate` fills loss, slope, weight and
 * gate for tokens `from`..`to` of the buffers; nothing is aggregated here. `slope` is the derivative of the
 * sequence's summed loss with respect to log pi_theta(y_t), treating what the libraries detach as constant.
 *
 * Formulas: TRL `GRPOTrainer._compute_loss`, `GMPOTrainer`, `RLOOTrainer`; verl `core_algos.py`
 * (`compute_policy_loss_*`). Where they differ `library` decides: verl clamps token log-ratios to +-20
 * (GSPO's to at most 10) and divides by L + 1e-8.
 */
import { CompensatedSum } from '../summation';
import type { Clamp, ClipSurrogate, Library, ObjectiveBatch, Surrogate } from './types';

/** verl keeps masked means finite with this in the denominator; figures agree with it to 8 digits only if kept. */
export const VERL_EPSILON = 1e-8;
/** verl's clamp of `negative_approx_kl`: d_t within +-20 nats */
export const VERL_LOG_RATIO_LIMIT = 20;
/** verl's `clamp(max=10.0)` of GSPO's log s */
export const VERL_SEQUENCE_LOG_RATIO_LIMIT = 10;
/** TRL's `get_gamma_weights` clamps */
const VESPO_LOG_MIN = Math.log(1e-8);
const VESPO_LOG_MAX = 20;

export interface SurrogateBuffers {
  /** [tokens] before aggregation */
  loss: Float64Array;
  /** [tokens] before aggregation */
  slope: Float64Array;
  weight: Float64Array;
  gate: Float64Array;
}

export function clamp(x: number, low: number, high: number): number {
  return x < low ? low : x > high ? high : x;
}

/** d_t, clamped as verl does for token ratios. */
function logRatio(batch: ObjectiveBatch, t: number, library: Library): number {
  const d = (batch.logpNew[t] as number) - (batch.logpOld[t] as number);
  return library === 'verl' ? clamp(d, -VERL_LOG_RATIO_LIMIT, VERL_LOG_RATIO_LIMIT) : d;
}

/** True where the clamp of `logRatio` cuts the gradient. */
function saturated(batch: ObjectiveBatch, t: number, library: Library): boolean {
  if (library !== 'verl') return false;
  return (
    Math.abs((batch.logpNew[t] as number) - (batch.logpOld[t] as number)) > VERL_LOG_RATIO_LIMIT
  );
}

/** Sum of d_t over the sequence, unclamped. */
export function sumLogRatio(batch: ObjectiveBatch, from: number, to: number): number {
  // Long responses add thousands of small terms of both signs.
  const sum = new CompensatedSum();
  for (let t = from; t < to; t++) {
    sum.add((batch.logpNew[t] as number) - (batch.logpOld[t] as number));
  }
  return sum.value;
}

interface Clipped {
  loss: number;
  /** 1 where the unclipped branch is the one that counts */
  gate: number;
}

/** -min(r A, clip(r) A) with dual or two-sided clip. */
function clippedLoss(ratio: number, advantage: number, s: ClipSurrogate): Clipped {
  const capped = s.delta !== undefined && ratio > s.delta;
  const free = (capped ? (s.delta as number) : ratio) * advantage;
  const bound = clamp(ratio, 1 - s.low, 1 + s.high) * advantage;
  let loss = -Math.min(free, bound);
  let gate = free <= bound && !capped ? 1 : 0;
  if (s.dual !== undefined && advantage < 0) {
    const ceiling = -advantage * s.dual;
    if (loss > ceiling) {
      loss = ceiling;
      gate = 0;
    }
  }
  return { loss, gate };
}

function applyClip(
  s: ClipSurrogate,
  library: Library,
  batch: ObjectiveBatch,
  from: number,
  to: number,
  advantage: number,
  out: SurrogateBuffers,
): void {
  if (s.level === 'token') {
    for (let t = from; t < to; t++) {
      const ratio = Math.exp(logRatio(batch, t, library));
      const { loss, gate } = clippedLoss(ratio, advantage, s);
      out.loss[t] = loss;
      out.weight[t] = ratio;
      out.gate[t] = saturated(batch, t, library) ? 0 : gate;
      out.slope[t] = -advantage * ratio * (out.gate[t] as number);
    }
    return;
  }
  const length = to - from;
  const sum = sumLogRatio(batch, from, to);
  let log = s.level === 'sequence-sum' ? sum : sum / length;
  const cut = library === 'verl' && log > VERL_SEQUENCE_LOG_RATIO_LIMIT;
  if (cut) log = VERL_SEQUENCE_LOG_RATIO_LIMIT;
  const ratio = Math.exp(log);
  const clipped = clippedLoss(ratio, advantage, s);
  const gate = cut ? 0 : clipped.gate;
  // RLOO has one loss per sequence; its tokens share it so that `tokenLoss` still adds up.
  const share = s.level === 'sequence-sum' ? 1 / length : 1;
  for (let t = from; t < to; t++) {
    out.loss[t] = clipped.loss * share;
    out.weight[t] = ratio;
    out.gate[t] = gate;
    out.slope[t] = -advantage * ratio * gate;
  }
}

/**
 * GMPO: exp((1/L) sum_t e_t) with e_t = min(d, clip d) for A > 0, max(d, clip d) otherwise. One loss per
 * sequence, shared by its tokens; verl's version has L + 1e-8 in both denominators.
 */
function applyGmpo(
  low: number,
  high: number,
  library: Library,
  batch: ObjectiveBatch,
  from: number,
  to: number,
  advantage: number,
  out: SurrogateBuffers,
): void {
  const length = to - from;
  const denominator = library === 'verl' ? length + VERL_EPSILON : length;
  const meanAdvantage = library === 'verl' ? (advantage * length) / denominator : advantage;
  let sum = 0;
  for (let t = from; t < to; t++) {
    const d = (batch.logpNew[t] as number) - (batch.logpOld[t] as number);
    const inside = clamp(d, -low, high);
    const chosen = advantage > 0 ? Math.min(d, inside) : Math.max(d, inside);
    out.gate[t] = chosen === d ? 1 : 0;
    sum += chosen;
  }
  const weight = Math.exp(sum / denominator);
  for (let t = from; t < to; t++) {
    out.loss[t] = (-meanAdvantage * weight) / length;
    out.weight[t] = weight;
    out.slope[t] = (-meanAdvantage * weight * (out.gate[t] as number)) / denominator;
  }
}

/**
 * VESPO's gamma weight phi(rho) = exp(lambda + k log rho - lambda rho), phi(1) = 1, detached.
 * @param extraLog sum of log mismatch weights of the sequence (TRL folds them into rho)
 */
export function vespoWeight(
  sumLog: number,
  advantage: number,
  s: Extract<Surrogate, { kind: 'vespo' }>,
  extraLog = 0,
): number {
  const positive = advantage >= 0;
  const k = positive ? s.kPositive : s.kNegative;
  const lambda = Math.max(positive ? s.lambdaPositive : s.lambdaNegative, 1e-4);
  const log = clamp(sumLog + extraLog, VESPO_LOG_MIN, VESPO_LOG_MAX);
  const phi = Math.exp(lambda + k * log - lambda * Math.exp(log));
  return Number.isFinite(phi) ? phi : 0;
}

/** KL(pi_old || pi_theta) of "this token or another", nats, with verl's 1e-8. */
export function binaryKl(logOld: number, logNew: number): number {
  const p = Math.exp(logNew);
  const q = Math.exp(logOld);
  return (
    q * (logOld - logNew) + (1 - q) * Math.log((1 - q + VERL_EPSILON) / (1 - p + VERL_EPSILON))
  );
}

/** True where DPPO lets the token pass (Binary-TV or Binary-KL trust region, arXiv:2602.04879). */
function dppoValid(
  s: Extract<Surrogate, { kind: 'dppo' }>,
  logOld: number,
  logNew: number,
  advantage: number,
): boolean {
  const p = Math.exp(logNew);
  const q = Math.exp(logOld);
  if (s.divergence === 'tv') return advantage > 0 ? p - q <= s.high : p - q >= -s.low;
  const kl = binaryKl(logOld, logNew);
  return advantage > 0 ? kl <= s.high || p <= q : kl <= s.low || p >= q;
}

/** Stop-gradient weight in front of A log pi: loss -w A b, slope -w A. */
function putWeighted(
  out: SurrogateBuffers,
  t: number,
  advantage: number,
  logp: number,
  weight: number,
  gate: number,
): void {
  out.weight[t] = weight;
  out.gate[t] = gate;
  out.loss[t] = gate === 0 ? 0 : -weight * gate * advantage * logp;
  out.slope[t] = -weight * gate * advantage;
}

/**
 * @param mismatch [tokens] weights pi_old / pi_sampler; only VESPO folds them in here, for the others
 * the aggregation multiplies
 */
export function applySurrogate(
  s: Surrogate,
  library: Library,
  batch: ObjectiveBatch,
  from: number,
  to: number,
  advantage: number,
  out: SurrogateBuffers,
  mismatch?: Float64Array,
): void {
  switch (s.kind) {
    case 'clip':
      return applyClip(s, library, batch, from, to, advantage, out);
    case 'gmpo':
      return applyGmpo(s.low, s.high, library, batch, from, to, advantage, out);
    case 'reinforce':
      for (let t = from; t < to; t++) {
        putWeighted(out, t, advantage, batch.logpNew[t] as number, 1, 1);
      }
      return;
    case 'cispo':
      for (let t = from; t < to; t++) {
        const ratio = Math.exp(logRatio(batch, t, library));
        const weight = clamp(ratio, s.min ?? -Infinity, s.max);
        putWeighted(out, t, advantage, batch.logpNew[t] as number, weight, 1);
      }
      return;
    case 'sapo': {
      const tau = advantage > 0 ? s.tauPositive : s.tauNegative;
      for (let t = from; t < to; t++) {
        const ratio = Math.exp(logRatio(batch, t, library));
        const p = 1 / (1 + Math.exp(-tau * (ratio - 1)));
        out.loss[t] = (-advantage * p * 4) / tau;
        out.weight[t] = ratio;
        out.gate[t] = saturated(batch, t, library) ? 0 : 4 * p * (1 - p);
        out.slope[t] = -advantage * ratio * (out.gate[t] as number);
      }
      return;
    }
    case 'vespo': {
      let sum = 0;
      let extra = 0;
      for (let t = from; t < to; t++) {
        sum += clamp(
          (batch.logpNew[t] as number) - (batch.logpOld[t] as number),
          -VESPO_LOG_MAX,
          VESPO_LOG_MAX,
        );
        if (mismatch) {
          extra += clamp(Math.log(mismatch[t] as number), VESPO_LOG_MIN, VESPO_LOG_MAX);
        }
      }
      const weight = vespoWeight(sum, advantage, s, extra);
      for (let t = from; t < to; t++) {
        putWeighted(out, t, advantage, batch.logpNew[t] as number, weight, 1);
      }
      return;
    }
    case 'dppo':
      for (let t = from; t < to; t++) {
        const logNew = batch.logpNew[t] as number;
        const weight = Math.min(Math.exp(logRatio(batch, t, library)), s.cap);
        const valid = dppoValid(s, batch.logpOld[t] as number, logNew, advantage);
        putWeighted(out, t, advantage, logNew, weight, valid ? 1 : 0);
      }
      return;
    case 'dro':
      for (let t = from; t < to; t++) {
        const logNew = batch.logpNew[t] as number;
        const d = logNew - (batch.logpOld[t] as number);
        putWeighted(out, t, advantage, logNew, 1, 1);
        out.loss[t] = -advantage * logNew + 0.5 * s.beta * d * d;
        out.slope[t] = -advantage + s.beta * d;
      }
      return;
  }
}

/** What a library clamps besides the objective's own clip range; the clips of `applySurrogate` as data. */
export function clampsOf(s: Surrogate, library: Library): Clamp[] {
  const token: Clamp = { of: 'token', low: -VERL_LOG_RATIO_LIMIT, high: VERL_LOG_RATIO_LIMIT };
  switch (s.kind) {
    case 'clip':
      if (library === 'trl') return [];
      return s.level === 'token'
        ? [token]
        : [{ of: 'sequence', low: null, high: VERL_SEQUENCE_LOG_RATIO_LIMIT }];
    case 'cispo':
    case 'sapo':
    case 'dppo':
      return library === 'verl' ? [token] : [];
    case 'vespo':
      return [
        { of: 'token', low: -VESPO_LOG_MAX, high: VESPO_LOG_MAX },
        { of: 'sum', low: VESPO_LOG_MIN, high: VESPO_LOG_MAX },
      ];
    case 'gmpo':
    case 'reinforce':
    case 'dro':
      return [];
  }
}

/** True where one ratio is shared by all tokens and differentiated through all of them. */
export function isCoupled(s: Surrogate): boolean {
  return s.kind === 'clip' && (s.level === 'sequence' || s.level === 'sequence-sum');
}

/** True where the loss exists once per sequence, so that only a mean over sequences makes sense. */
export function isPerSequence(s: Surrogate): boolean {
  return s.kind === 'gmpo' || (s.kind === 'clip' && s.level === 'sequence-sum');
}
