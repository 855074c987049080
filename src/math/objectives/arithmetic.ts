/**
 * What surrogates share: the libraries' limits and the log-ratios of a response. Contract: pure float64;
 * logs in nats.
 */
import { CompensatedSum } from '../summation';
import type {
  Aggregation,
  Clamp,
  LossTerms,
  ResponseView,
  SettingsOf,
  SurrogateBuffers,
  Term,
} from './types';

/** verl keeps masked means finite with this in the denominator; figures agree with it to 8 digits only if kept. */
export const VERL_EPSILON = 1e-8;
/** verl's clamp of `negative_approx_kl`: d_t within +-20 nats */
export const VERL_LOG_RATIO_LIMIT = 20;
/** verl's `clamp(max=10.0)` of GSPO's log s */
export const VERL_SEQUENCE_LOG_RATIO_LIMIT = 10;

export const VERL_TOKEN_CLAMP: Clamp = {
  of: 'token',
  low: -VERL_LOG_RATIO_LIMIT,
  high: VERL_LOG_RATIO_LIMIT,
};

export const TOKEN_MEAN: Aggregation = { kind: 'token-mean' };
export const SEQUENCE_MEAN: Aggregation = { kind: 'seq-mean-token-mean' };

export function trl<S>(surrogate: S, aggregation: Aggregation): SettingsOf<S> {
  return { library: 'trl', surrogate, aggregation };
}

export function verl<S>(surrogate: S, aggregation: Aggregation): SettingsOf<S> {
  return { library: 'verl', surrogate, aggregation };
}

export function clamp(x: number, low: number, high: number): number {
  return x < low ? low : x > high ? high : x;
}

/** d_t as it is */
export function rawLogRatio({ batch }: ResponseView, t: number): number {
  return batch.logpNew[t] - batch.logpOld[t];
}

/** d_t, clamped as verl does for token ratios. */
export function logRatio(response: ResponseView, t: number): number {
  const d = rawLogRatio(response, t);
  return response.library === 'verl' ? clamp(d, -VERL_LOG_RATIO_LIMIT, VERL_LOG_RATIO_LIMIT) : d;
}

/** True where the clamp of `logRatio` cuts the gradient. */
export function saturated(response: ResponseView, t: number): boolean {
  return response.library === 'verl' && Math.abs(rawLogRatio(response, t)) > VERL_LOG_RATIO_LIMIT;
}

/** Sum of d_t over the response, unclamped. */
export function sumLogRatio(response: ResponseView): number {
  // Long responses add thousands of small terms of both signs.
  const sum = new CompensatedSum();
  for (let t = response.from; t < response.to; t++) sum.add(rawLogRatio(response, t));
  return sum.value;
}

/** Stop-gradient weight in front of A log pi: loss -w A b, slope -w A. */
export function putWeighted(
  out: SurrogateBuffers,
  { batch, advantage }: ResponseView,
  t: number,
  weight: number,
  gate: number,
): void {
  out.weight[t] = weight;
  out.gate[t] = gate;
  out.loss[t] = gate === 0 ? 0 : -weight * gate * advantage * batch.logpNew[t];
  out.slope[t] = -weight * gate * advantage;
}

/** [B, T] d_t as the library clamps it. */
export function clampedLogRatio({ library, logRatio: d }: LossTerms): Term {
  return library === 'verl' ? d.clip(-VERL_LOG_RATIO_LIMIT, VERL_LOG_RATIO_LIMIT) : d;
}

/** -w A log pi, w a constant to the gradient. */
export function weighted({ advantage, logProb }: LossTerms, weight: Term): Term {
  return weight.stop().mul(advantage).mul(logProb).mul(-1);
}
