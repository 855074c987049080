/**
 * Source `synthetic`: rollouts with known truth, to see an estimator or a verdict work, and to break it.
 *
 * Log-ratio of token t (counted from 0) of a response to prompt g:
 *
 *   d_t = mu + tau u_g + sigma_t e_t,   sigma_t = sigma drift^(t / (maxLength - 1))
 *   e_0 = z_0,  e_t = rho e_{t-1} + sqrt(1 - rho^2) z_t
 *
 * u_g standard normal, z_t standard normal or Student's t scaled to unit variance. e_t has variance 1
 * and autocorrelation rho^k at every t, so `syntheticTruth` is exact for any innovations.
 *
 * The other columns come from one coherent model of the next-token distribution: probability p on one
 * favourite of VOCABULARY tokens, the rest spread evenly; the sampled token is the favourite with
 * probability p. pi_theta is the distribution of that family which gives the sampled token e^d times
 * the probability. Log-probs, Shannon entropies and collision probabilities are those of these two
 * distributions. Where e^d times the probability would exceed 1, the old one is lowered until it fits,
 * so that d_t, whose truth is known, is never touched. There are no token ids (-1), and no
 * `logpSampler`: the sampler is pi_old.
 *
 * Contract: a pure function of the source. Each prompt has its own substream, so cutting the work into
 * batches never changes a number.
 */
import { Random, STREAM } from '../math/philox';
import type { SyntheticSource } from '../settings/run';
import { groupAdvantages } from '../math/objectives/advantages';
import type { Rollouts, RolloutSource } from './rollouts';

/** Tokens of the model's vocabulary: that of a character-level policy. */
const VOCABULARY = 64;
const MAX_SEQUENCES = 100_000;
const MAX_TOKENS = 30_000_000;
/** Largest probability that the sampled token may have under either policy: log p < 0 in float32. */
const MAX_PROBABILITY = 1 - 2 ** -20;

export class SyntheticSizeError extends RangeError {
  override name = 'SyntheticSizeError';
}

/**
 * All rollouts of a source at once.
 * @throws SyntheticSizeError beyond 1e5 sequences or 3e7 tokens
 */
export function syntheticRollouts(source: SyntheticSource): Rollouts {
  checkSequences(source);
  return draw(source, 0, source.prompts, 1);
}

/**
 * The same rollouts in batches of whole prompts; `concatRollouts` of them equals `syntheticRollouts`.
 * @param sequencesPerBatch large runs have a dozen batches: each one is joined to what is there
 * @throws SyntheticSizeError beyond 1e5 sequences here, beyond 3e7 tokens in the first batch on course for them
 */
export function syntheticSource(
  source: SyntheticSource,
  sequencesPerBatch = Math.max(2048, Math.ceil((source.prompts * source.groupSize) / 12)),
): RolloutSource {
  checkSequences(source);
  const prompts = Math.max(1, Math.floor(sequencesPerBatch / source.groupSize));
  const batches = Math.ceil(source.prompts / prompts);
  return {
    batches,
    totalSequences: source.prompts * source.groupSize,
    async batch(index, { signal, onPhase }) {
      signal.throwIfAborted();
      onPhase('sampling');
      return draw(
        source,
        index * prompts,
        Math.min(source.prompts, (index + 1) * prompts),
        batches,
      );
    },
  };
}

function checkSequences({ prompts, groupSize }: SyntheticSource): void {
  if (prompts * groupSize > MAX_SEQUENCES) {
    throw new SyntheticSizeError(
      `${prompts} prompts with ${groupSize} responses each are ${prompts * groupSize} sequences; ` +
        `the lab draws at most ${MAX_SEQUENCES}. Lower the number of prompts or responses.`,
    );
  }
}

function checkTokens(tokens: number): void {
  if (tokens > MAX_TOKENS) {
    throw new SyntheticSizeError(
      `These settings need more than ${MAX_TOKENS} tokens. Lower the number of prompts, of responses, ` +
        'or the maximum length.',
    );
  }
}

/** Unit-variance innovations: standard normal, or Student's t by Bailey's (1994) polar method. */
function innovations(random: Random, degrees: number): () => number {
  if (degrees === 0) return () => random.normal();
  const scale = Math.sqrt(degrees - 2);
  return () =>
    scale *
    Math.sqrt(random.uniform() ** (-2 / degrees) - 1) *
    Math.cos(2 * Math.PI * random.uniform());
}

/** sigma_t for t = 0 .. maxLength - 1 */
function sigmas({ sigma, drift, maxLength }: SyntheticSource): Float64Array {
  return Float64Array.from(
    { length: maxLength },
    (_, t) => sigma * drift ** (maxLength > 1 ? t / (maxLength - 1) : 0),
  );
}

/**
 * Prompts [from, to). Pass 1 draws what sizes the arrays, pass 2 goes on with the same readers.
 * @param batches how many such parts there are: none may hold more than its share of MAX_TOKENS
 */
function draw(source: SyntheticSource, from: number, to: number, batches: number): Rollouts {
  const { groupSize } = source;
  const prompts = to - from;
  const n = prompts * groupSize;
  const offsets = new Uint32Array(n + 1);
  const finished = new Uint8Array(n);
  const readers: Random[] = [];
  for (let g = 0; g < prompts; g++) {
    const random = new Random(source.seed, STREAM.synthetic, from + g);
    for (let j = 0; j < groupSize; j++) {
      const i = g * groupSize + j;
      const { length, cut } = drawLength(source, random);
      offsets[i + 1] = offsets[i] + length;
      finished[i] = cut ? 0 : 1;
    }
    checkTokens(offsets[(g + 1) * groupSize] * batches);
    readers.push(random);
  }

  const tokens = offsets[n];
  const rollouts = {
    offsets,
    tokenIds: new Int32Array(tokens).fill(-1),
    logpOld: new Float32Array(tokens),
    logpNew: new Float32Array(tokens),
    entropyOld: new Float32Array(tokens),
    entropyNew: new Float32Array(tokens),
    collisionOld: new Float32Array(tokens),
    collisionNew: new Float32Array(tokens),
    group: Uint32Array.from({ length: n }, (_, i) => Math.floor(i / groupSize)),
    reward: new Float64Array(n),
    advantage: new Float64Array(n),
    finished,
    prompts: Array.from({ length: prompts }, (_, g) => `synthetic ${from + g}`),
  } satisfies Rollouts;
  const sd = sigmas(source);
  readers.forEach((random, g) => {
    const shift = source.mu + source.tau * random.normal();
    const next = innovations(random, source.tailDegrees);
    const first = g * groupSize;
    drawRewards(random, rollouts.reward.subarray(first, first + groupSize));
    for (let i = first; i < first + groupSize; i++) {
      drawResponse(rollouts, offsets[i], offsets[i + 1], {
        shift,
        sd,
        rho: source.rho,
        next,
        random,
      });
    }
  });
  return { ...rollouts, advantage: groupAdvantages(rollouts.reward, rollouts.group, 'trl') };
}

interface TokenColumns {
  logpOld: Float32Array;
  logpNew: Float32Array;
  entropyOld: Float32Array;
  entropyNew: Float32Array;
  collisionOld: Float32Array;
  collisionNew: Float32Array;
}

interface TokenModel {
  shift: number;
  sd: Float64Array;
  rho: number;
  next: () => number;
  random: Random;
}

/** Fills tokens [start, end) of all columns. */
function drawResponse(columns: TokenColumns, start: number, end: number, model: TokenModel): void {
  const { shift, sd, rho, next, random } = model;
  const fresh = Math.sqrt(1 - rho * rho);
  const others = VOCABULARY - 1;
  const logOthers = Math.log(others);
  let e = 0;
  for (let t = start; t < end; t++) {
    e = t === start ? next() : rho * e + fresh * next();
    const d = shift + sd[t - start] * e;
    // share of the favourite: 1/V .. 1, mostly high, as in a trained policy (cube: mean 3/4)
    const u = random.bits() / 2 ** 32;
    const favourite = 1 / VOCABULARY + (1 - 1 / VOCABULARY) * (1 - u * u * u);
    const chosen = random.bits() / 2 ** 32 < favourite;
    // mass of the sampled token's class (the favourite, or all others) under the old policy
    const ceiling = MAX_PROBABILITY * Math.min(1, Math.exp(-d));
    const massOld = Math.min(chosen ? favourite : 1 - favourite, ceiling);
    const massNew = massOld * Math.exp(d);
    const logOld = Math.log(massOld);
    const restOld = Math.log1p(-massOld);
    const logNew = logOld + d;
    const restNew = Math.log1p(-massNew);
    const shareOld = chosen ? 1 - massOld : massOld;
    const shareNew = chosen ? 1 - massNew : massNew;
    const classLog = chosen ? 0 : logOthers;
    columns.logpOld[t] = logOld - classLog;
    columns.logpNew[t] = logNew - classLog;
    columns.entropyOld[t] = -massOld * logOld - (1 - massOld) * restOld + shareOld * logOthers;
    columns.entropyNew[t] = -massNew * logNew - (1 - massNew) * restNew + shareNew * logOthers;
    columns.collisionOld[t] = (1 - shareOld) * (1 - shareOld) + (shareOld * shareOld) / others;
    columns.collisionNew[t] = (1 - shareNew) * (1 - shareNew) + (shareNew * shareNew) / others;
  }
}

/** Right or wrong, with a chance of success that is the prompt's own (uniform). */
function drawRewards(random: Random, reward: Float64Array): void {
  const chance = random.uniform();
  for (let j = 0; j < reward.length; j++) reward[j] = random.uniform() < chance ? 1 : 0;
}

/** What is true of a synthetic source, in closed form. Variances in nats^2. */
export interface SyntheticTruth {
  mu: number;
  /** prompt variance tau^2 */
  tau2: number;
  rho: number;
  /** Var[d_t] at position t (from 0), without the prompt's part */
  withinVariance(t: number): number;
  /** correlation of d_t and d_{t+k} within one response, the prompt's part removed */
  autocorrelation(lag: number): number;
  /** Var[log s | L]: also that of a prefix of L tokens */
  logWeightVariance(length: number): number;
  /** what independence would give: the mean of Var[d_t] over the first L tokens, divided by L */
  naiveVariance(length: number): number;
  /** intraclass correlation of log s among responses of length L to one prompt */
  intraclassCorrelation(length: number): number;
}

export function syntheticTruth(source: SyntheticSource): SyntheticTruth {
  const { mu, rho, tau, maxLength } = source;
  const sd = sigmas(source);
  const tau2 = tau * tau;
  // Var[sum of the first L] by recursion: cov_t = sum_{s<t} sigma_s rho^(t-s)
  const sumVariance = new Float64Array(maxLength + 1);
  const independent = new Float64Array(maxLength + 1);
  let cov = 0;
  for (let t = 0; t < maxLength; t++) {
    const own = sd[t];
    if (t > 0) cov = rho * (cov + sd[t - 1]);
    sumVariance[t + 1] = sumVariance[t] + own * own + 2 * own * cov;
    independent[t + 1] = independent[t] + own * own;
  }
  const logWeightVariance = (length: number): number => tau2 + sumVariance[length] / length ** 2;
  return {
    mu,
    tau2,
    rho,
    withinVariance: (t) => sd[t] ** 2,
    autocorrelation: (lag) => rho ** lag,
    logWeightVariance,
    naiveVariance: (length) => tau2 / length + independent[length] / length ** 2,
    intraclassCorrelation: (length) => tau2 / logWeightVariance(length),
  };
}

/**
 * Response lengths of the synthetic source. Contract: minLength <= length <= maxLength; a draw beyond
 * maxLength is cut there and marked so, as a length limit does to a real response.
 *
 *   fixed       maxLength, always
 *   uniform     every length equally likely
 *   geometric   minLength + a geometric count with mean (max - min) / 4; 2 % are cut
 *   log-normal  median sqrt(min max), both limits 2.5 standard deviations away; 0.6 % are cut
 */
export function drawLength(
  { lengthShape, minLength, maxLength }: SyntheticSource,
  random: Random,
): { length: number; cut: boolean } {
  const limited = (length: number): { length: number; cut: boolean } => ({
    length: Math.min(maxLength, Math.max(minLength, length)),
    cut: length > maxLength,
  });
  switch (lengthShape) {
    case 'fixed':
      return { length: maxLength, cut: false };
    case 'uniform':
      return limited(minLength + random.integer(maxLength - minLength + 1));
    case 'geometric': {
      const stop = 1 / (1 + (maxLength - minLength) / 4);
      if (stop === 1) return limited(minLength);
      return limited(minLength + Math.floor(Math.log(random.uniform()) / Math.log1p(-stop)));
    }
    case 'log-normal': {
      const sd = Math.log(maxLength / minLength) / 5;
      return limited(
        Math.round(Math.exp(Math.log(minLength * maxLength) / 2 + sd * random.normal())),
      );
    }
  }
}
