/**
 * Clip shares as each library counts them; they differ on the same data and that is the point.
 * TRL counts a sequence ratio once per sequence, verl counts it once per token: two of three responses
 * holding half of the tokens are 0.667 to TRL and 0.5 to verl. Contract: pure; an objective for which a
 * library logs no share gives null (TRL: SAPO, VESPO, REINFORCE; verl: REINFORCE, DRO).
 */
import {
  VERL_EPSILON,
  VERL_LOG_RATIO_LIMIT,
  VERL_SEQUENCE_LOG_RATIO_LIMIT,
  clamp,
  sumLogRatio,
} from './surrogates';
import type {
  ClipSurrogate,
  ObjectiveBatch,
  Surrogate,
  TrlClipStatistics,
  VerlClipStatistics,
} from './types';

/** Log of the ratio that the clip sees at token t, given the sequence's sum. */
function clipLog(s: ClipSurrogate, d: number, sum: number, length: number): number {
  switch (s.level) {
    case 'token':
      return d;
    case 'sequence-sum':
      return sum;
    case 'sequence':
    case 'sequence-token':
      return sum / length;
  }
}

/** What TRL compares with the band. */
function clippedRatio(s: ClipSurrogate, d: number, sum: number, length: number): number {
  return Math.min(Math.exp(clipLog(s, d, sum, length)), s.delta ?? Infinity);
}

interface Shares {
  low: Float64Array;
  high: Float64Array;
  /** tokens of each sequence; the shares of an empty one are 0 and do not count */
  lengths: Float64Array;
}

/** Per sequence: share of its tokens that TRL calls clipped low / high. */
function trlShares(s: Surrogate, batch: ObjectiveBatch): Shares | null {
  const n = batch.offsets.length - 1;
  if (s.kind !== 'clip' && s.kind !== 'gmpo' && s.kind !== 'cispo') return null;
  const low = new Float64Array(n);
  const high = new Float64Array(n);
  const lengths = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const from = batch.offsets[i] as number;
    const to = batch.offsets[i + 1] as number;
    const length = to - from;
    const advantage = batch.advantage[i] as number;
    lengths[i] = length;
    if (length === 0) continue;
    const sum = s.kind === 'clip' && s.level !== 'token' ? sumLogRatio(batch, from, to) : 0;
    let lows = 0;
    let highs = 0;
    // One ratio for all tokens of the response, but for the token level.
    const shared = s.kind === 'clip' && s.level !== 'token' ? clippedRatio(s, 0, sum, length) : NaN;
    for (let t = from; t < to; t++) {
      const d = (batch.logpNew[t] as number) - (batch.logpOld[t] as number);
      if (s.kind === 'gmpo') {
        if (d < -s.low && advantage < 0) lows++;
        if (d > s.high && advantage > 0) highs++;
      } else if (s.kind === 'cispo') {
        if (Math.exp(d) > s.max && advantage > 0) highs++;
      } else {
        const ratio = s.level === 'token' ? clippedRatio(s, d, sum, length) : shared;
        if (ratio < 1 - s.low && advantage < 0) lows++;
        if (ratio > 1 + s.high && advantage > 0) highs++;
      }
    }
    low[i] = lows / length;
    high[i] = highs / length;
  }
  return { low, high, lengths };
}

/** TRL's `clip_ratio/*` (and `cispo_clip_ratio` as highMean). */
export function trlClipStatistics(s: Surrogate, batch: ObjectiveBatch): TrlClipStatistics | null {
  const shares = trlShares(s, batch);
  if (!shares) return null;
  const perSequence = s.kind === 'clip' && (s.level === 'sequence' || s.level === 'sequence-sum');
  let total = 0;
  let low = 0;
  let high = 0;
  let lowMin = Infinity;
  let highMax = -Infinity;
  shares.lengths.forEach((length, i) => {
    const weight = perSequence ? 1 : length;
    const l = shares.low[i] as number;
    const h = shares.high[i] as number;
    total += weight;
    low += weight * l;
    high += weight * h;
    if (length === 0) return;
    if (l < lowMin) lowMin = l;
    if (h > highMax) highMax = h;
  });
  const count = Math.max(total, 1);
  if (s.kind === 'cispo') {
    return { lowMean: null, highMean: high / count, regionMean: null, lowMin: null, highMax: null };
  }
  return {
    lowMean: low / count,
    highMean: high / count,
    regionMean: (low + high) / count,
    lowMin: Number.isFinite(lowMin) ? lowMin : null,
    highMax: Number.isFinite(highMax) ? highMax : null,
  };
}

/**
 * verl's `actor/pg_clipfrac` and `actor/pg_clipfrac_lower`, both shares of tokens.
 * @param gate [tokens] of the evaluation; DPPO's mask is read from it
 */
export function verlClipStatistics(
  s: Surrogate,
  batch: ObjectiveBatch,
  gate: Float64Array,
): VerlClipStatistics | null {
  if (s.kind === 'reinforce' || s.kind === 'dro') return null;
  const n = batch.offsets.length - 1;
  const tokens = batch.offsets[n] as number;
  let clipped = 0;
  let lower = 0;
  for (let i = 0; i < n; i++) {
    const from = batch.offsets[i] as number;
    const to = batch.offsets[i + 1] as number;
    const a = batch.advantage[i] as number;
    const sum = s.kind === 'clip' && s.level !== 'token' ? sumLogRatio(batch, from, to) : 0;
    for (let t = from; t < to; t++) {
      const logNew = batch.logpNew[t] as number;
      const logOld = batch.logpOld[t] as number;
      const d = logNew - logOld;
      const ratio = Math.exp(clamp(d, -VERL_LOG_RATIO_LIMIT, VERL_LOG_RATIO_LIMIT));
      switch (s.kind) {
        case 'clip': {
          const level = clipLog(s, d, sum, to - from);
          const r =
            s.level === 'token' ? ratio : Math.exp(Math.min(level, VERL_SEQUENCE_LOG_RATIO_LIMIT));
          const bound = clamp(r, 1 - s.low, 1 + s.high);
          if (-a * bound > -a * r) clipped++;
          if (s.dual !== undefined && a < 0 && Math.max(-a * r, -a * bound) > -a * s.dual) lower++;
          break;
        }
        case 'gmpo':
          if (d !== clamp(d, -s.low, s.high)) {
            if (a > 0) clipped++;
            if (a < 0) lower++;
          }
          break;
        case 'cispo':
          if (ratio !== clamp(ratio, s.min ?? -Infinity, s.max)) clipped++;
          break;
        case 'dppo':
          if (gate[t] === 0) clipped++;
          else if (ratio > s.cap) lower++;
          break;
        case 'sapo':
        case 'vespo':
          // verl reports zero for SAPO "for compatibility"; it has no VESPO.
          break;
      }
    }
  }
  const count = tokens + VERL_EPSILON;
  return { clipFraction: clipped / count, clipFractionLower: lower / count };
}
