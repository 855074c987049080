/** Rules about what stands in one column: sums, the wrong position, the wrong unit, too few digits. */
import type { Evidence } from '../evidence/evidence';
import { ON_GRID } from '../evidence/rounding';
import { COLUMN_TITLES, DECIMALS, DEPTHS, type Column, type ColumnCount } from '../evidence/names';
import {
  FOLLOW_FROM_LARGE_RATIOS,
  FOLLOW_FROM_MISMATCH,
  counted,
  inDigits,
  number,
  percent,
  rule,
} from '../finding';
import { worst } from './fillers';
import { someoneDrew } from './pairs';

/** log of 2^18: more tokens than any vocabulary in use has */
const LARGEST_VOCABULARY = Math.log(2 ** 18);
const NEARLY_ALL = 0.9;
/** Averages of few tokens still jump; of log-probs one response in a hundred is as smooth. */
const MOST_SMOOTH = 0.5;
/** values on a grid that are enough to tell */
const LEAST_GRID = 40;

const ratio = (e: Evidence, column: Column, hits: ColumnCount, of: ColumnCount) => {
  const all = e.ofColumn(column, of);
  return all === 0 ? 0 : e.ofColumn(column, hits) / all;
};

const NOT_TOKENS = [
  'on-policy-noise',
  'unlikely-tokens',
  'filler-value',
  'clipping-never',
  'shifted',
  'unrelated-columns',
  'logarithm-base',
  'duplicates',
  'floor-value',
  'end-zeros',
  'constant-offset',
  ...FOLLOW_FROM_MISMATCH,
  ...FOLLOW_FROM_LARGE_RATIOS,
] as const;

export const cumulative = rule({
  id: 'cumulative',
  level: 'warning',
  title: 'The log-probs are cumulative sums',
  symptom: 'Perplexities without bound, and the later the token the larger its clip share',
  measure:
    'share of responses of 8 tokens or more in which a column only falls, or only rises; or of 16 tokens or more in which neighbours correlate by more than 0.6',
  threshold: NEARLY_ALL,
  fires:
    'above (a healthy column of 8 tokens falls throughout once in 40,000), or above one half for neighbours that correlate',
  cause:
    'Each value is the sum of all log-probs up to its token: what beam search and some samplers return as "cumulative". The differences between neighbours are the log-probs of the tokens.',
  remedy: {
    any: 'Write log-probs per token: subtract the previous value from each. vLLM: take logprobs per token, not cumulative_logprob.',
  },
  sources: ['vLLM CompletionOutput.cumulative_logprob'],
  hides: NOT_TOKENS,
  shows: 'a column that only falls',
  look(e) {
    const looks = (
      [
        ['falling', 'long'],
        ['rising', 'long'],
        ['smooth', 'looked'],
      ] as const
    ).map(([hits, of]) => {
      const column = worst(e, (name) => ratio(e, name, hits, of));
      const value = ratio(e, column, hits, of);
      return { hits, of, column, value, over: value / (hits === 'smooth' ? MOST_SMOOTH : 1) };
    });
    const { hits, of, column } = looks.reduce((a, b) => (b.over > a.over ? b : a));
    const all = e.ofColumn(column, of);
    if (all === 0) return null;
    const share = e.share(e.ofColumn(column, hits), all);
    const what = {
      falling: 'cumulative sums',
      rising: 'cumulative sums from the end',
      smooth: 'running averages, not log-probs of tokens',
    }[hits];
    return {
      found: share.value > (hits === 'smooth' ? MOST_SMOOTH : NEARLY_ALL),
      statistic: share.value,
      interval: share.interval,
      title: `The ${COLUMN_TITLES[column]} are ${what}`,
      ...(hits === 'smooth'
        ? {
            cause:
              'Each value is nearly the one before it, as an average over all tokens up to there is: log-probs of single tokens jump from token to token.',
          }
        : {}),
      figures: [
        percent(
          `responses in which the column ${{ falling: 'only falls', rising: 'only rises', smooth: 'hardly changes from token to token' }[hits]}`,
          share.value,
        ),
        number('mean of -log pi_old, nats', e.sum('nllOld') / e.sum('tokens')),
      ],
      carriers: e.carriers('falling'),
    };
  },
});

/** nats: one token of a policy that is of use is not that unlikely on average */
const SUM_NATS = 5;

/** Fewer answers may well be of one token each. */
const LEAST_SINGLE = 8;
const MEANS = {
  level: 'note',
  title: 'One number per response: a mean over tokens, or answers of one token',
  cause:
    'The file has one log-prob per response. If it is the mean over tokens, the ratio is s, but lengths, token ratios and everything that clips by token are lost; nothing below about tokens holds then.',
} as const;

export const sequenceSums = rule({
  id: 'sequence-sums',
  level: 'warning',
  title: 'One number per response: sums, not tokens',
  symptom: 'Length 1 everywhere, log s of whole units, everything clipped',
  measure: 'mean of -log pi_old where every response has one entry, nats',
  threshold: SUM_NATS,
  fires:
    'above, where nearly all responses have a single entry (below it, from eight responses on: a note)',
  cause:
    'The file has one log-prob per response, of a size that only a sum over tokens has. Without the number of tokens neither s nor any token ratio can be formed.',
  remedy: {
    any: 'Write one log-prob per response token.',
    trl: 'per_token_logps, before they are summed.',
    verl: 'old_log_probs of shape (batch, response length).',
  },
  sources: ['DPO-style get_batch_logps returns sums'],
  hides: NOT_TOKENS,
  shows: null,
  look(e) {
    const single = e.count('single') / e.count('responses');
    const nll = e.estimate((of) => of('nllOld') / of('tokens'));
    if (single < NEARLY_ALL || e.count('responses') < 4) return null;
    const sums = nll.value > SUM_NATS;
    return {
      found: sums || e.count('responses') >= LEAST_SINGLE,
      ...(sums ? {} : MEANS),
      statistic: nll.value,
      interval: nll.interval,
      figures: [
        percent('responses with a single entry', single),
        number('mean of -log pi_old, nats', nll.value),
      ],
      carriers: e.carriers('unlikely'),
    };
  },
});

export const constantColumn = rule({
  id: 'sequence-value-per-token',
  level: 'warning',
  title: 'One value stands at every token of a response',
  symptom: 'Token ratios equal within a response; token and sequence objectives agree exactly',
  measure: 'share of responses of 4 tokens or more in which a column has one value throughout',
  threshold: NEARLY_ALL,
  fires: 'above',
  cause:
    'The log-prob (or mean log-prob) of the whole response was copied to each of its tokens. Ratios per token, and everything that clips by token, are those of the response.',
  remedy: { any: 'Write the log-probs of the tokens before they are averaged or summed.' },
  sources: ['GSPO implementations that expand the sequence ratio to the token shape'],
  hides: NOT_TOKENS,
  shows: 'one value all along',
  look(e) {
    const column = worst(e, (name) => e.ofColumn(name, 'constant'));
    const long = e.ofColumn(column, 'long');
    if (long === 0) return null;
    const share = Math.min(1, e.ofColumn(column, 'constant') / long);
    return {
      found: share > NEARLY_ALL,
      statistic: share,
      interval: e.share(Math.min(long, e.ofColumn(column, 'constant')), long).interval,
      title: `The ${COLUMN_TITLES[column]} have one value per response`,
      figures: [percent('responses with one value throughout', share)],
      carriers: e.carriers('constant'),
    };
  },
});

/** Of a depth: what the share of tokens below it cannot exceed, whatever the policy (Markov, over the vocabulary). */
const allowed = (depth: number) => Math.exp(LARGEST_VOCABULARY - depth);
/** perplexity 1,024: policies that write text have 1 to 30 on what they sample */
export const LARGEST_PLAUSIBLE = Math.log(1024);
const LEAST_UNLIKELY = 0.01;
/** -log pi over Shannon entropy: 1 where the policy drew the tokens */
const ENTROPY_FACTOR = 1.8;
const ENTROPY_LEAST = 1.2;

const below = (e: Evidence, column: Column, depth: (typeof DEPTHS)[number]) =>
  e.share(e.ofColumn(column, `below${depth}`), e.ofColumn(column, 'tokens'));

export const unlikelyTokens = rule({
  id: 'unlikely-tokens',
  level: 'warning',
  title: 'The sampled tokens are less likely than any sampler would draw',
  symptom: 'Perplexity of millions, loss and KL huge from the first step',
  measure: 'mean of -log p over the tokens of a column, nats',
  threshold: LARGEST_PLAUSIBLE,
  fires:
    'above ln 1024, a perplexity that no policy in use has on what it sampled (ln 2^18, 12.5, is impossible for a vocabulary of 262,144), or 1.8 times the entropy that the file gives (its interval above 1.2), or more than 1 % of tokens below a depth that a vocabulary of 2^18 cannot reach so often',
  cause:
    'Tokens that a policy drew itself have -log pi equal to its entropy on average, and that is at most the log of the vocabulary. These lie far below: they are not the log-probs of these tokens. Usually the log-probs were read at the token’s own position instead of the one before (logits[t] predict token t + 1), or belong to other tokens, or are raw logits of which no logsumexp was taken.',
  remedy: {
    any: 'Shift by one before gathering: log_softmax(logits[:, :-1]) gathered at ids[:, 1:]. Check left padding and position ids, and that it is log_softmax.',
  },
  sources: ['MaxText issue 2103', 'E[-log pi] = H <= ln V'],
  hides: [
    'explosion',
    'logarithm-base',
    'unrelated-columns',
    'clipping-always',
    ...FOLLOW_FROM_MISMATCH,
  ],
  shows: 'log-probs far below what the entropy allows',
  look(e) {
    const column = worst(e, (name) => e.meanNll(name));
    const sums = { old: 'nllOld', new: 'nllNew', sampler: 'nllSampler' } as const;
    const nll = e.estimate(
      (of) => of(sums[column]) / of(column === 'sampler' ? 'so.tokens' : 'tokens'),
    );
    const deepest = e
      .columns()
      .flatMap((name) => DEPTHS.map((depth) => ({ name, depth, share: below(e, name, depth) })))
      .find(
        ({ depth, share: { value, interval } }) =>
          value > LEAST_UNLIKELY && interval !== null && interval[0] > allowed(depth),
      );
    const known = e.count('withEntropy') === e.count('responses');
    const entropy = known ? e.estimate((of) => of('entropyNll') / of('entropy')) : null;
    const above =
      entropy?.interval && entropy.value > ENTROPY_FACTOR && entropy.interval[0] > ENTROPY_LEAST;
    const implausible = nll.value > LARGEST_PLAUSIBLE;
    const told = implausible || above === true ? column : (deepest?.name ?? column);
    const impossible = nll.value > LARGEST_VOCABULARY || deepest !== undefined || above === true;
    return {
      found: implausible || impossible,
      statistic: nll.value,
      interval: nll.interval,
      title: `The ${COLUMN_TITLES[above === true && !implausible ? 'old' : told]}: the sampled tokens are less likely than any sampler would draw`,
      ...(impossible
        ? {}
        : {
            adds: `A perplexity of ${inDigits(Math.exp(nll.value))} is not impossible for a large vocabulary; a policy that writes text has 1 to 30.`,
          }),
      figures: [
        ...e.columns().map((name) => number(`mean of -log p, ${name}, nats`, e.meanNll(name))),
        number('perplexity', Math.exp(nll.value)),
        ...(deepest === undefined
          ? []
          : [percent(`${deepest.name}: tokens below -${deepest.depth}`, deepest.share.value)]),
        ...(entropy ? [number('mean of -log pi_old over the mean entropy', entropy.value)] : []),
      ],
      carriers: e.carriers('unlikely'),
    };
  },
});

const BASES = [
  { base: 2, factor: 1 / Math.LN2 },
  { base: 10, factor: 1 / Math.LN10 },
] as const;
/** Columns in one unit or another agree to better than this. */
const PROPORTIONAL = 0.995;
/** A narrow nucleus, or a temperature, gives nearly proportional log-probs; a factor gives them exactly. */
const EXACTLY_PROPORTIONAL = 0.9995;
const FACTOR_MARGIN = 0.02;
/** A mean weight further from 1 is not 1, however wide its interval. */
const DREW = 0.1;
/** With fewer than five prompts: tokens that tell a factor from 1, and the logarithm of one that they do. */
const PLAIN_TOKENS = 200;
const PLAIN_FACTOR = 0.25;
/** of its logarithm; a constant nearer to 1 may be an update that sharpens */
const LEAST_FACTOR = 0.05;

/** Slope of the second column on the first through the origin, if they are proportional. */
function proportion(e: Evidence, pair: 'so' | 'on'): { factor: number; exactly: boolean } | null {
  const [uu, ww, uw] = (['uu', 'ww', 'uw'] as const).map((name) => e.pairSum(pair, name)) as [
    number,
    number,
    number,
  ];
  if (e.pairSum(pair, 'n') < 50) return null;
  const together = (uw * uw) / (uu * ww);
  return together > PROPORTIONAL
    ? { factor: uw / uu, exactly: together > EXACTLY_PROPORTIONAL }
    : null;
}

export const logarithmBase = rule({
  id: 'logarithm-base',
  level: 'warning',
  title: 'Log-probs in another base than e',
  symptom: 'KL and clip shares off by a constant factor; perplexities that no eval confirms',
  measure: 'factor between two columns, or between -log pi_old and the entropy',
  threshold: FACTOR_MARGIN,
  fires:
    'within 2 % of 1.443 or 0.434 (log2 and log10 against ln) or their inverses; or another constant, away from 1 by more, where the mean weight of neither column is 1',
  cause:
    'One column is the other times a constant: the natural logarithm in another base. No policy, temperature or engine does that.',
  remedy: {
    any: 'Multiply log2 by 0.6931 or log10 by 2.3026: every ratio here is exp of a difference in nats. A temperature divides logits, before log_softmax.',
  },
  sources: ['log2(e) = 1.4427, log10(e) = 0.4343'],
  hides: ['unlikely-tokens', ...FOLLOW_FROM_MISMATCH, ...FOLLOW_FROM_LARGE_RATIOS],
  shows: 'one column is the other times a constant',
  look(e) {
    const known = e.count('withEntropy') === e.count('responses') && e.groups > 0;
    const entropy = known ? e.estimate((of) => of('entropyNll') / of('entropy')) : null;
    const factors: { what: string; factor: number; sure: boolean; other: boolean }[] = e
      .pairs()
      .flatMap((pair) => {
        const proportional = proportion(e, pair);
        const what = pair === 'so' ? 'old against sampler' : 'new against old';
        if (proportional === null) return [];
        const { factor, exactly } = proportional;
        const other =
          exactly && Math.abs(Math.log(factor)) > LEAST_FACTOR && !someoneDrew(e, pair, DREW);
        return [{ what, factor, sure: true, other }];
      });
    if (entropy) {
      const [low, high] = entropy.interval ?? [NaN, NaN];
      factors.push({
        what: '-log pi_old against its entropy',
        factor: entropy.value,
        sure: entropy.interval
          ? !(low < 1 && high > 1) && high - low < entropy.value
          : e.count('tokens') >= PLAIN_TOKENS &&
            !(Math.abs(Math.log(entropy.value)) < PLAIN_FACTOR),
        other: false,
      });
    }
    if (factors.length === 0) return null;
    const match = factors.flatMap(({ what, factor, sure }) =>
      BASES.flatMap(({ base, factor: ideal }) =>
        [ideal, 1 / ideal].flatMap((wanted, inverse) =>
          sure &&
          !(what.startsWith('-') && inverse === 1) &&
          Math.abs(factor / wanted - 1) < (what.startsWith('-') ? 0.1 : FACTOR_MARGIN)
            ? [{ what, factor, base, inverse }]
            : [],
        ),
      ),
    )[0];
    const constant = factors.find(({ other }) => other);
    const shown = match ?? constant ?? factors[0];
    return {
      found: match !== undefined || constant !== undefined,
      statistic: shown.factor,
      interval: entropy && shown.what.startsWith('-') ? entropy.interval : null,
      ...(match
        ? {
            title: `Log-probs in base ${match.base}: ${match.what} is off by the factor ${inDigits(match.factor)}`,
          }
        : constant
          ? {
              title: `One column is the other times ${inDigits(constant.factor)} (${constant.what})`,
              cause: `Log-probs of one column are those of the other times ${inDigits(constant.factor)}, and no longer those of a distribution that adds up to 1: divided by a temperature after log_softmax (${inDigits(1 / constant.factor)} here) instead of before, added up twice, or averaged.`,
            }
          : {}),
      figures: factors.map(({ what, factor }) => number(what, factor)),
      carriers: e.carriers('pair.so').length > 0 ? e.carriers('pair.so') : e.carriers('response'),
    };
  },
});

const GRIDS = [
  ...DECIMALS.map((k) => ({ name: `dec${k}` as const, title: `${k} decimals` })),
  { name: 'bf16', title: 'bfloat16' },
  { name: 'fp16', title: 'float16' },
] as const;

/** Share of responses on the wrong side of the band that is no more than a note. */
const FEW_MOVED = 0.01;

export function gridOfColumn(e: Evidence, column: Column): (typeof GRIDS)[number] | null {
  const looked = e.ofColumn(column, 'grid');
  if (looked < LEAST_GRID) return null;
  return GRIDS.find(({ name }) => e.ofColumn(column, name) >= ON_GRID * looked) ?? null;
}

export const precision = rule({
  id: 'precision',
  level: 'warning',
  title: 'Log-probs are rounded coarsely',
  symptom: 'Clip shares that move with the dtype; many ratios of exactly 1',
  measure:
    'largest share of a column’s values on a grid of bfloat16, float16 or at most five decimals',
  threshold: ON_GRID,
  fires: 'above (a note where it moves at most one response of a hundred across the band)',
  cause:
    'GSPO’s band is a few times 1e-4 wide. A log-prob of 2 nats has a bfloat16 neighbour 0.016 away: rounding puts responses on the wrong side of the band.',
  remedy: {
    any: 'Compute log_softmax and write log-probs in float32, or with at least six decimals.',
    trl: 'cast logits to float32 before the log-softmax.',
    verl: 'keep old_log_probs and log_probs in float32; actor_rollout_ref.rollout.dtype decides only the sampler.',
    slime: 'compute log-probs in fp32 (the same for old and new).',
  },
  sources: ['slime issue 892', 'the precision experiment'],
  hides: [],
  shows: 'values on a coarse grid',
  look(e) {
    const grids = e.columns().map((column) => ({ column, grid: gridOfColumn(e, column) }));
    const looked = e.columns().filter((column) => e.ofColumn(column, 'grid') >= LEAST_GRID);
    if (looked.length === 0) return null;
    const coarse = grids.filter(({ column, grid }) => grid !== null && column !== 'sampler');
    const best = Math.max(
      ...looked.flatMap((column) =>
        GRIDS.map(({ name }) => e.ofColumn(column, name) / e.ofColumn(column, 'grid')),
      ),
    );
    const moved = (['old', 'new'] as const).map((column) => {
      const [sum, variance] =
        column === 'old'
          ? ([e.sum('movedOld'), e.sum('movedOldVariance')] as const)
          : ([e.sum('movedNew'), e.sum('movedNewVariance')] as const);
      return { column, sum, sd: Math.sqrt(variance) };
    });
    const names = grids.flatMap(({ column, grid }) =>
      grid ? [`${COLUMN_TITLES[column]}: ${grid.title}`] : [],
    );
    const crossing = moved
      .filter(({ column }) => grids.some((one) => one.column === column && one.grid))
      .map(
        ({ column, sum, sd }) =>
          `about ${inDigits(sum)} ± ${inDigits(2 * sd)} of ${counted(e.count('responses'), 'response')} are on the wrong side of the band by the rounding of the ${column} ones`,
      );
    const samplerOnly = coarse.length === 0;
    const few = moved.every(({ sum }) => sum <= FEW_MOVED * e.count('responses'));
    return {
      found: names.length > 0,
      level: samplerOnly || few ? 'note' : 'warning',
      statistic: best,
      interval: null,
      title:
        names.length > 0 ? `Coarse rounding: ${names.join('; ')}` : 'Log-probs have enough digits',
      ...(samplerOnly
        ? {
            cause:
              'The sampler’s log-probs are rounded; they take no part in the ratio of new to old, only in mismatch weights and KL.',
          }
        : { adds: `Here ${crossing.join(' and ')}.` }),
      figures: [
        ...looked.flatMap((column) => {
          const grid = grids.find((one) => one.column === column)?.grid;
          const all = e.ofColumn(column, 'grid');
          return [
            percent(
              `${column}: on the grid of ${grid?.title ?? 'bfloat16'}`,
              e.ofColumn(column, grid?.name ?? 'bf16') / all,
            ),
          ];
        }),
        ...moved.flatMap(({ column, sum, sd }) =>
          sum > 0
            ? [
                number(`responses moved across the band by rounding of ${column}, expected`, sum),
                number('its standard deviation', sd),
              ]
            : [],
        ),
      ],
      carriers: e.carriers('response'),
    };
  },
});
