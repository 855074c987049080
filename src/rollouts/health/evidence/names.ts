/**
 * What is counted and summed for the health report, by name. Contract: integers (`COUNTS`, `HISTOGRAMS`) add up
 * exactly in any order; real numbers (`SUMS`) are kept per prompt and step, so that standard errors over prompts
 * can be had, and totals are taken in a fixed order, so that merged parts equal one pass.
 */

/** Name -> place in an array. */
export function indexed<const N extends readonly string[]>(names: N): Record<N[number], number> {
  return Object.fromEntries(names.map((name, i) => [name, i])) as Record<N[number], number>;
}

export const COLUMNS = ['old', 'new', 'sampler'] as const;
export type Column = (typeof COLUMNS)[number];
export const COLUMN_TITLES: Readonly<Record<Column, string>> = {
  old: 'old log-probs (logp_old)',
  new: 'new log-probs (logp_new)',
  sampler: 'sampler log-probs (logp_sampler)',
};

/** (first, second): `so` = sampler against old, `on` = old against new. */
export const PAIRS = ['so', 'on'] as const;
export type Pair = (typeof PAIRS)[number];
export const PAIR_COLUMNS: Readonly<Record<Pair, readonly [Column, Column]>> = {
  so: ['sampler', 'old'],
  on: ['old', 'new'],
};

/** nats; share of tokens further below 0 than these */
export const DEPTHS = [16, 18, 20, 25, 30] as const;
export const DECIMALS = [2, 3, 4, 5] as const;
/** nats: no softmax over logits of a trained policy gives less; fillers such as -9999 do */
export const LOWEST_LOG_PROB = -1000;

/** Per column, in `COUNTS` as `old.tokens`, ... */
export const COLUMN_COUNTS = [
  'tokens',
  'zero',
  /** below LOWEST_LOG_PROB */
  'filler',
  /** whole numbers below -FILLER_DEPTH */
  'round',
  ...DEPTHS.map((x) => `below${x}` as const),
  /** values looked at for a grid; how many lie on each */
  'grid',
  'bf16',
  'fp16',
  ...DECIMALS.map((k) => `dec${k}` as const),
  /** responses of 8 tokens or more; those in which the column only falls, or only rises */
  'long',
  'falling',
  'rising',
  /** responses of SMOOTH_LENGTH tokens or more, and those in which each value is nearly the one before */
  'looked',
  'smooth',
  /** responses of 4 tokens or more in which all values are one */
  'constant',
  /** of those, responses that are 0 throughout while another column speaks */
  'blank',
  /** responses with a run of one value where another column has none, tokens in it, by place */
  'runs',
  'runTokens',
  'runsHead',
  'runsInside',
  'runsTail',
  /**
   * responses whose first or last token is 0 where another column speaks, those of them whose last is, and tokens
   * between that are
   */
  'endZeros',
  'lastZeros',
  'aloneZeros',
  /** responses that lie wholly on a coarse grid */
  'coarse',
] as const;
export type ColumnCount = (typeof COLUMN_COUNTS)[number];

/** Tokens that one column of a pair is looked for beside the other; below 0 = the first runs behind. */
export const LAGS = [-4, -3, -2, -1, 1, 2, 3, 4] as const;
export type Lag = (typeof LAGS)[number];

export const PAIR_COUNTS = [
  'tokens',
  /** |e| beyond OVERFLOW_LOG */
  'overflow',
  /** responses long enough to be looked at for shifts; those that agree so many tokens apart and not at the same one */
  'placed',
  ...LAGS.map((lag) => `by${lag}` as const),
  /** those of them that do so from somewhere within on */
  'later',
  /** responses that agree at none of these places */
  'apart',
  /** the same value to the last digit, 0 left out */
  'equal',
  'unequal',
  /** responses of 8 tokens or more, 0 left out, that are the same throughout, and their tokens */
  'equalResponses',
  'equalThere',
  /** tokens with a probability above 1/2 under the first, and those of them that the second is surer of */
  'sure',
  'surer',
] as const;
export type PairCount = (typeof PAIR_COUNTS)[number];

const prefixed = <P extends string, N extends string>(
  prefixes: readonly P[],
  names: readonly N[],
) => prefixes.flatMap((prefix) => names.map((name) => `${prefix}.${name}` as const));

export const COUNTS = [
  'responses',
  'tokens',
  'single',
  'withSampler',
  /** responses whose two columns are the sampler's and the trainer's: there is no update to judge */
  'withoutUpdate',
  'withEntropy',
  'cutKnown',
  'cut',
  'rewarded',
  'advantageZero',
  'advantageKnown',
  /** responses whose tokens have advantages of their own */
  'unevenAdvantages',
  /** groups of which the text of the prompt is known, and different texts among them */
  'promptGroups',
  'promptTexts',
  /** tokens and responses outside the band, and clipped (the sign of A counts) */
  'tokensOutside',
  'tokensClipped',
  'responsesOutside',
  'responsesClipped',
  /** |d_t| beyond OVERFLOW_LOG, exp(d_t) beyond float32, and the responses that hold them */
  'overflowTokens',
  'overflowResponses',
  'infiniteTokens',
  'infiniteSums',
  'zeroRatios',
  /** responses whose first, or last, token is 0 in all columns; tokens between that are */
  'firstAllZero',
  'lastAllZero',
  'innerAllZero',
  ...prefixed(COLUMNS, COLUMN_COUNTS),
  ...prefixed(PAIRS, PAIR_COUNTS),
] as const;
export type CountName = (typeof COUNTS)[number];
export const C = indexed(COUNTS);

/** Places of a column's counts: looked up once, not per response. */
export const COLUMN_AT = Object.fromEntries(
  COLUMNS.map((name) => [
    name,
    Object.fromEntries(COLUMN_COUNTS.map((count) => [count, C[`${name}.${count}`]])),
  ]),
) as Record<Column, Record<ColumnCount, number>>;

/** Of a pair (u, w) = (first, second), e = w - u; sums over tokens of which not both are 0. */
export const PAIR_SUMS = [
  'n',
  'u',
  'w',
  'uu',
  'ww',
  'uw',
  /** u_t with w_{t+1}: high where the first column runs one token ahead */
  'leadN',
  'leadU',
  'leadW',
  'leadUU',
  'leadWW',
  'leadUW',
  /** u_{t+1} with w_t: high where it is one behind */
  'lagN',
  'lagU',
  'lagW',
  'lagUU',
  'lagWW',
  'lagUW',
  /** over all tokens that have both: their number, -e, exp(e) - 1 - e, e^2 */
  'tokens',
  'k1',
  'k3',
  'e2',
  /** exp(e) - 1, whose mean is 0 where the first drew the tokens; exp(-e) - 1, where the second did */
  'forward',
  'forwardU',
  'forwardW',
  'back',
  'backU',
  'backW',
] as const;
export type PairSum = (typeof PAIR_SUMS)[number];

export const SUMS = [
  'responses',
  'tokens',
  'd',
  'd2',
  'logS',
  'logS2',
  /** L (log s)^2 */
  'logS2L',
  'nllOld',
  'nllNew',
  'nllSampler',
  'entropy',
  'entropyTokens',
  'entropyNll',
  /** moments of entropy and -log pi_old at the same token; their product one token apart either way */
  'eh.n',
  'eh.u',
  'eh.w',
  'eh.uu',
  'eh.ww',
  'eh.uw',
  'eh.leadN',
  'eh.leadUW',
  'eh.lagN',
  'eh.lagUW',
  'rewarded',
  'reward',
  'rewardReward',
  'advantage',
  'advantageAdvantage',
  'advantageReward',
  /** responses expected on the other side of the band by rounding of the column, and the variance */
  'movedOld',
  'movedOldVariance',
  'movedNew',
  'movedNewVariance',
  ...prefixed(PAIRS, PAIR_SUMS),
] as const;
export type SumName = (typeof SUMS)[number];
export const S = indexed(SUMS);

/** |e| and |d| in tenths of a decade from 1e-9 on; place 0 holds the exact zeros. */
export const SIZE_BINS = 130;
export const SIZE_LOWEST = -9;
export const SIZE_PER_DECADE = 10;
/** @param log its log10, where it is at hand */
export function sizeBin(absolute: number, log = Math.log10(absolute)): number {
  if (absolute === 0) return 0;
  const bin = Math.floor((log - SIZE_LOWEST) * SIZE_PER_DECADE);
  return 1 + Math.max(0, Math.min(SIZE_BINS - 2, bin));
}
/** Upper edge of a bin. */
export const sizeEdge = (bin: number): number =>
  bin === 0 ? 0 : 10 ** (SIZE_LOWEST + bin / SIZE_PER_DECADE);

/** Log ratios with their sign, for figures: 1e-7 to 100 nats on either side in fortieths of a decade; 0 in the middle. */
const SIGNED_LOWEST = -7;
const SIGNED_PER_DECADE = 40;
const SIGNED_SIDE = 360;
export const SIGNED_BINS = 2 * SIGNED_SIDE + 1;
export function signedBin(x: number, log = Math.log10(Math.abs(x))): number {
  const place = Math.floor((log - SIGNED_LOWEST) * SIGNED_PER_DECADE);
  const bin = x === 0 || place < 0 ? 0 : 1 + Math.min(SIGNED_SIDE - 1, place);
  return SIGNED_SIDE + (x < 0 ? -bin : bin);
}
/** [from, to] of a bin, in nats. */
export function signedEdges(bin: number): [number, number] {
  const place = Math.abs(bin - SIGNED_SIDE);
  const edge = (k: number) => 10 ** (SIGNED_LOWEST + k / SIGNED_PER_DECADE);
  if (place === 0) return [-edge(0), edge(0)];
  return bin > SIGNED_SIDE ? [edge(place - 1), edge(place)] : [-edge(place), -edge(place - 1)];
}

/** Lengths in quarters of an octave. */
export const LENGTH_BINS = 80;
export const lengthBin = (length: number): number =>
  Math.min(LENGTH_BINS - 1, Math.floor(4 * Math.log2(length)));

/** Runs of exact zeros in all columns, by length (the last holds longer ones as well). */
export const RUN_BINS = 129;

export const HISTOGRAMS = {
  'so.size': SIZE_BINS,
  'on.size': SIZE_BINS,
  'so.signed': SIGNED_BINS,
  'on.signed': SIGNED_BINS,
  /** log s of responses */
  logS: SIGNED_BINS,
  /** number of runs that end a response or lie within, by length; those at its head apart */
  zeroRuns: RUN_BINS,
  /** tokens in the runs of each length */
  zeroRunTokens: RUN_BINS,
  zeroRunsHead: RUN_BINS,
  zeroRunsInside: RUN_BINS,
  zeroRunsTail: RUN_BINS,
  lengths: LENGTH_BINS,
} as const;
export type HistogramName = keyof typeof HISTOGRAMS;
