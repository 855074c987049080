/**
 * Clip shares as each library counts them; they differ on the same data and that is the point.
 * TRL counts a sequence ratio once per sequence, verl counts it once per token: two of three responses
 * holding half of the tokens are 0.667 to TRL and 0.5 to verl. Contract: pure; an objective for which a
 * library logs no share gives null (TRL: SAPO, VESPO, REINFORCE; verl: REINFORCE, DRO).
 */
import { VERL_EPSILON } from './arithmetic';
import { kindOf, type Surrogate } from './registry';
import type {
  ClipCount,
  Library,
  ObjectiveBatch,
  ResponseView,
  TrlClipStatistics,
  VerlClipStatistics,
} from './types';

/** The responses that have tokens. */
function* responses(
  batch: ObjectiveBatch,
  library: Library,
  selected?: Uint8Array,
): Generator<ResponseView> {
  for (let i = 0; i + 1 < batch.offsets.length; i++) {
    const [from, to] = [batch.offsets[i], batch.offsets[i + 1]];
    if (from === to) continue;
    yield { batch, from, to, advantage: batch.advantage[i], library, selected };
  }
}

type Count = (s: Surrogate, response: ResponseView) => ClipCount;

/** The count of a response, or of its tokens one by one where their advantages differ. */
export function counted(s: Surrogate, response: ResponseView, count: Count): ClipCount {
  const { batch, from, to } = response;
  const { perSequence, scope } = kindOf(s);
  const advantages = batch.tokenAdvantage;
  if (!advantages || perSequence(s)) return count(s, response);
  let low: number | null = 0;
  let high = 0;
  const add = (own: ClipCount, share: number) => {
    low = own.low === null || low === null ? null : low + own.low * share;
    high += own.high * share;
  };
  if (scope(s) === 'token') {
    for (let t = from; t < to; t++) {
      const advantage = advantages[t];
      add(count(s, { ...response, from: t, to: t + 1, advantage }), 1);
    }
  } else {
    for (const sign of [1, -1]) {
      const tokens = advantages.subarray(from, to).filter((a) => Math.sign(a) === sign).length;
      add(count(s, { ...response, advantage: sign }), tokens / (to - from));
    }
  }
  return { low, high };
}

/** TRL's `clip_ratio/*` (and `cispo_clip_ratio` as highMean). */
export function trlClipStatistics(s: Surrogate, batch: ObjectiveBatch): TrlClipStatistics | null {
  const { count, coupled } = kindOf(s);
  if (!count.trl) return null;
  // A ratio that exists once per response is counted once per response, unless advantages are per token.
  const perSequence = coupled(s) && !batch.tokenAdvantage;
  let total = 0;
  let low = 0;
  let high = 0;
  let lowMin = Infinity;
  let highMax = -Infinity;
  let lowCounted = true;
  for (const response of responses(batch, 'trl')) {
    const length = response.to - response.from;
    const own = counted(s, response, count.trl);
    if (own.low === null) lowCounted = false;
    const weight = perSequence ? 1 : length;
    const l = (own.low ?? 0) / length;
    const h = own.high / length;
    total += weight;
    low += weight * l;
    high += weight * h;
    if (l < lowMin) lowMin = l;
    if (h > highMax) highMax = h;
  }
  // Sequences without tokens are in TRL's denominator where it counts sequences.
  if (perSequence) total = batch.offsets.length - 1;
  const among = Math.max(total, 1);
  if (!lowCounted) {
    return { lowMean: null, highMean: high / among, regionMean: null, lowMin: null, highMax: null };
  }
  return {
    lowMean: low / among,
    highMean: high / among,
    regionMean: (low + high) / among,
    lowMin: Number.isFinite(lowMin) ? lowMin : null,
    highMax: Number.isFinite(highMax) ? highMax : null,
  };
}

/**
 * verl's `actor/pg_clipfrac` and `actor/pg_clipfrac_lower`, both shares of tokens.
 * @param gate [tokens] of the evaluation; DPPO's mask is read from it
 * @param selected [tokens] as the kind's `select` chose them
 */
export function verlClipStatistics(
  s: Surrogate,
  batch: ObjectiveBatch,
  gate: Float64Array,
  selected?: Uint8Array,
): VerlClipStatistics | null {
  const { verl } = kindOf(s).count;
  if (!verl) return null;
  let clipped = 0;
  let lower = 0;
  for (const response of responses(batch, 'verl', selected)) {
    const { low, high } = counted(s, response, (own, view) => verl(own, view, gate));
    clipped += high;
    lower += low ?? 0;
  }
  const tokens = (batch.offsets.at(-1) as number) + VERL_EPSILON;
  return { clipFraction: clipped / tokens, clipFractionLower: lower / tokens };
}
