/**
 * What one response adds to the evidence. Contract: adds to the tally and keeps no reference to the arrays; the
 * cost is a few passes over the response's tokens.
 */
import { GRPO_BAND, GSPO_BAND } from '../../../math/objectives/registry';
import type { FloatArray, Rollouts } from '../../rollouts';
import { measureColumn, measureZeros } from './column';
import { CHANCE, type Copies } from './copies';
import { C, lengthBin, S, signedBin } from './names';
import { measurePair, OVERFLOW_LOG } from './pair';
import { DEEPEST } from './places';
import { keep, total, type Place, type Response } from './response';
import { measureRounding } from './rounding';
import { bump, type StepTally } from './step-tally';

export interface Band {
  low: number;
  high: number;
}

/** The clip ranges that the findings are about. */
export interface Bands {
  token: Band;
  sequence: Band;
}

export const DEFAULT_BANDS: Bands = { token: GRPO_BAND, sequence: GSPO_BAND };

/** One clip range for all, as a person gives it; what is left out stays each objective's own. */
export function bandsOf({
  low,
  high,
}: {
  low?: number | undefined;
  high?: number | undefined;
}): Bands {
  const filled = (own: Band): Band => ({ low: low ?? own.low, high: high ?? own.high });
  return { token: filled(GRPO_BAND), sequence: filled(GSPO_BAND) };
}

/** exp of more is Infinity in float32 */
export const FLOAT32_LOG = 88.722;
/** @param i which response of the rollouts */
export function measure(
  tally: StepTally,
  copies: Copies,
  rollouts: Rollouts,
  i: number,
  place: Place,
  bands: Bands,
): void {
  const from = rollouts.offsets[i];
  const to = rollouts.offsets[i + 1];
  const length = to - from;
  if (length === 0) return;
  const known = rollouts.logpSampler;
  const sampler = known && !Number.isNaN(known[from]) ? known : undefined;
  const response: Response = { rollouts, sampler, from, to, place };
  const { counts } = tally;
  const sums = tally.sumsOf(place.group);
  bump(counts, C.responses);
  bump(counts, C.tokens, length);
  if (length === 1) bump(counts, C.single);
  bump(sums, S.responses);
  bump(sums, S.tokens, length);

  measureGroup(tally, sums, response, i);
  measureRatios(tally, sums, response, rollouts.advantage[i], bands);
  const { logpOld, logpNew, entropyOld } = rollouts;
  measureColumn(tally, 'old', logpOld, response, [logpNew, sampler]);
  measureColumn(tally, 'new', logpNew, response, [logpOld, sampler]);
  if (sampler) measureColumn(tally, 'sampler', sampler, response, [logpOld]);
  measureZeros(tally, response);
  bump(sums, S.nllOld, -total(logpOld, from, to));
  bump(sums, S.nllNew, -total(logpNew, from, to));
  measurePair(tally, sums, 'on', logpOld, logpNew, from, to);
  if (sampler) {
    bump(counts, C.withSampler);
    bump(sums, S.nllSampler, -total(sampler, from, to));
    const apart = measurePair(tally, sums, 'so', sampler, logpOld, from, to);
    keep(tally, 'pair.so', apart.size, response, [apart.token, apart.token + 1]);
    tally.weights.mismatch.add(apart.sum);
  }
  if (entropyOld) {
    bump(counts, C.withEntropy);
    bump(sums, S.entropy, total(entropyOld, from, to));
    bump(sums, S.entropyTokens, length);
    bump(sums, S.entropyNll, -total(logpOld, from, to));
    measureEntropy(sums, entropyOld, logpOld, from, to);
  }
  measureRounding(tally, sums, 'old', logpOld, response, bands.sequence);
  measureRounding(tally, sums, 'new', logpNew, response, bands.sequence);
  if (sampler) measureRounding(tally, sums, 'sampler', sampler, response, bands.sequence);
  if (total(logpOld, from, to) < CHANCE) {
    const columns = sampler ? [logpOld, logpNew, sampler] : [logpOld, logpNew];
    if (copies.add(columns, from, to)) keep(tally, 'copy', length, response, null);
  }
}

function measureGroup(tally: StepTally, sums: Float64Array, response: Response, i: number): void {
  const { counts } = tally;
  const { rollouts, place } = response;
  if (place.cutKnown) {
    bump(counts, C.cutKnown);
    if (rollouts.finished[i] === 0) {
      bump(counts, C.cut);
      keep(tally, 'cut', response.to - response.from, response, null);
    }
  }
  const reward = rollouts.reward[i];
  const advantage = rollouts.advantage[i];
  if (!Number.isNaN(reward)) {
    tally.rewards = [Math.min(tally.rewards[0], reward), Math.max(tally.rewards[1], reward)];
  }
  if (Number.isNaN(advantage)) return;
  bump(counts, C.advantageKnown);
  const own = rollouts.tokenAdvantage?.subarray(response.from, response.to);
  if (own?.some((x) => x !== own[0])) bump(counts, C.unevenAdvantages);
  if (advantage === 0) bump(counts, C.advantageZero);
  tally.largest.advantage = Math.max(tally.largest.advantage, Math.abs(advantage));
  keep(tally, 'advantage', Math.abs(advantage), response, null);
  if (Number.isNaN(reward)) return;
  bump(counts, C.rewarded);
  bump(sums, S.rewarded);
  bump(sums, S.reward, reward);
  bump(sums, S.rewardReward, reward * reward);
  bump(sums, S.advantage, advantage);
  bump(sums, S.advantageAdvantage, advantage * advantage);
  bump(sums, S.advantageReward, advantage * reward);
}

function measureRatios(
  tally: StepTally,
  sums: Float64Array,
  response: Response,
  advantage: number,
  bands: Bands,
): void {
  const { counts, largest } = tally;
  const { rollouts, from, to } = response;
  const { logpOld, logpNew } = rollouts;
  const length = to - from;
  const [below, above] = [Math.log1p(-bands.token.low), Math.log1p(bands.token.high)];
  let sum = 0;
  let squares = 0;
  let outside = 0;
  let clipped = 0;
  let overflow = 0;
  let infinite = 0;
  let zeros = 0;
  let most = -1;
  let at = from;
  for (let t = from; t < to; t++) {
    const d = logpNew[t] - logpOld[t];
    const size = Math.abs(d);
    sum += d;
    squares += d * d;
    if (d === 0) zeros++;
    if (d < below) {
      outside++;
      if (advantage < 0) clipped++;
    } else if (d > above) {
      outside++;
      if (advantage > 0) clipped++;
    }
    if (size > OVERFLOW_LOG) overflow++;
    if (d > FLOAT32_LOG) infinite++;
    if (size > most) {
      most = size;
      at = t;
    }
  }
  const logS = sum / length;
  bump(sums, S.d, sum);
  bump(sums, S.d2, squares);
  bump(sums, S.logS, logS);
  bump(sums, S.logS2, logS * logS);
  bump(sums, S.logS2L, length * logS * logS);
  bump(counts, C.zeroRatios, zeros);
  bump(counts, C.tokensOutside, outside);
  bump(counts, C.tokensClipped, clipped);
  if (overflow > 0) {
    bump(counts, C.overflowTokens, overflow);
    bump(counts, C.overflowResponses);
  }
  bump(counts, C.infiniteTokens, infinite);
  if (sum > FLOAT32_LOG) bump(counts, C.infiniteSums);
  const low = logS < Math.log1p(-bands.sequence.low);
  const high = logS > Math.log1p(bands.sequence.high);
  if (low || high) bump(counts, C.responsesOutside);
  if ((low && advantage < 0) || (high && advantage > 0)) bump(counts, C.responsesClipped);
  largest.d = Math.max(largest.d, most);
  largest.logS = Math.max(largest.logS, Math.abs(logS));
  largest.logRho = Math.max(largest.logRho, Math.abs(sum));
  tally.weights.rho.add(sum);
  tally.weights.s.add(logS);
  bump(tally.histograms.logS, signedBin(logS));
  const bin = lengthBin(length);
  bump(tally.histograms.lengths, bin);
  bump(tally.lengthSquares, bin, sum * sum);
  tally.lengthLeast[bin] = Math.min(tally.lengthLeast[bin], length);
  tally.lengthMost[bin] = Math.max(tally.lengthMost[bin], length);
  keep(tally, 'token', most, response, [at - from, at - from + 1]);
  keep(tally, 'response', Math.abs(sum), response, null);
}

/** How the entropies go with -log pi_old, at the same token and one apart. */
function measureEntropy(
  sums: Float64Array,
  entropy: FloatArray,
  logp: FloatArray,
  from: number,
  to: number,
): void {
  for (let t = from; t < to; t++) {
    const u = entropy[t];
    const w = -Math.max(logp[t], DEEPEST);
    bump(sums, S['eh.n']);
    bump(sums, S['eh.u'], u);
    bump(sums, S['eh.w'], w);
    bump(sums, S['eh.uu'], u * u);
    bump(sums, S['eh.ww'], w * w);
    bump(sums, S['eh.uw'], u * w);
    if (t + 1 === to) continue;
    bump(sums, S['eh.leadN']);
    bump(sums, S['eh.leadUW'], u * -Math.max(logp[t + 1], DEEPEST));
    bump(sums, S['eh.lagN']);
    bump(sums, S['eh.lagUW'], entropy[t + 1] * w);
  }
}
