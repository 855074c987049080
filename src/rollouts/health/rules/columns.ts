/** Rules about what stands in one column: fillers, sums, the wrong position, the wrong unit, too few digits. */
import type { Evidence } from '../evidence/evidence';
import { LOWEST_LOG_PROB, ON_GRID, SHORTEST_RUN } from '../evidence/measure';
import {
  COLUMN_TITLES,
  DECIMALS,
  DEPTHS,
  RUN_BINS,
  type Column,
  type ColumnCount,
} from '../evidence/names';
import { count, counted, inDigits, inPercent, number, percent, rule } from '../finding';

/** Chance that a healthy file has a run of zeros as long as those called padding. */
const RUN_CHANCE = 1e-3;
/** Even a policy that is never sure gets a run of so many zeros for padding. */
const LEAST_REPEAT = 0.05;
/** log of 2^18: more tokens than any vocabulary in use has */
const LARGEST_VOCABULARY = Math.log(2 ** 18);
/** responses with fillers that are no accident */
const FILLED_SHARE = 0.01;
/** A column with so many exact zeros elsewhere has runs of them by itself, as a narrow nucleus makes. */
const ZEROS_ELSEWHERE = 0.02;
const NEARLY_ALL = 0.9;
/** values on a grid that are enough to tell */
const LEAST_GRID = 40;

const FOLLOW_FROM_FILLERS = [
  'filler-run',
  'shifted',
  'unrelated-columns',
  'temperature',
  'impossible-reach',
  'truncation',
  'sampler-mismatch',
  'k1-negative',
  'routing-tails',
  'unlikely-tokens',
  'logarithm-base',
] as const;

/**
 * From which length on a run of zeros is padding. Policies that are sure give runs too: those have a geometric
 * law, whose parameter the short runs tell.
 */
function paddingLength(e: Evidence): number {
  const runs = e.histogram('zeroRuns');
  const [one, two, three] = [runs[1] ?? 0, runs[2] ?? 0, runs[3] ?? 0];
  const repeat = Math.max(
    LEAST_REPEAT,
    one + two + three === 0 ? 0 : (two + three + 0.5) / (one + two + three + 1),
  );
  const all = runs.reduce((sum, n) => sum + n, 0);
  const length = 1 + Math.log(RUN_CHANCE / Math.max(1, all)) / Math.log(repeat);
  return Math.max(SHORTEST_RUN, Math.ceil(length));
}

const beyond = (bins: Float64Array, from: number) =>
  bins.slice(Math.min(from, RUN_BINS - 1)).reduce((sum, n) => sum + n, 0);

export const padding = rule({
  id: 'padding',
  level: 'warning',
  title: 'Padding or tool tokens count as response tokens',
  symptom:
    'Clip shares and KL far too low, lengths all alike; log s of about the same size at any length',
  measure: 'share of tokens in runs of exactly 0.0 in all columns',
  threshold: 0,
  fires:
    'any run longer than a policy that is sure of its tokens would give once in a thousand files',
  cause:
    'A log-prob of exactly 0 in every column, over many tokens in a row, is a placeholder: padding, or tool output that the mask should leave out. It counts as a token with ratio 1 and dilutes every mean.',
  remedy: {
    any: 'Write the mask beside the log-probs ("mask": 1 = response token), or leave those tokens out.',
    trl: 'completion_mask (and tool_mask).',
    verl: 'response_mask.',
    nemoRl: 'token_loss_mask.',
    slime: 'loss_mask.',
  },
  sources: ['verl issue 2368', 'SkyRL issue 767'],
  hides: FOLLOW_FROM_FILLERS,
  shows: 'a block of zeros in all columns',
  look(e) {
    const least = paddingLength(e);
    const tokens = beyond(e.histogram('zeroRunTokens'), least);
    const by = {
      head: beyond(e.histogram('zeroRunsHead'), least),
      inside: beyond(e.histogram('zeroRunsInside'), least),
      tail: beyond(e.histogram('zeroRunsTail'), least),
    };
    const share = e.share(tokens, e.count('tokens'));
    const places = [
      by.head > 0 && 'at the head',
      by.inside > 0 && 'within',
      by.tail > 0 && 'at the tail',
    ].filter((text) => text !== false);
    return {
      found: tokens > 0,
      statistic: share.value,
      interval: share.interval,
      title: `${counted(tokens, 'token')} (${inPercent(share.value)}) ${tokens === 1 ? 'is' : 'are'} padding or tool output that counts`,
      adds: `Here the blocks stand ${places.join(' and ')} of responses.`,
      figures: [
        percent('tokens in blocks of zeros', share.value),
        count('blocks at the head', by.head),
        count('blocks within', by.inside),
        count('blocks at the tail', by.tail),
        count('shortest run that counts', least),
      ],
      carriers: e.carriers('zeros'),
    };
  },
});

/** The column of which a share is largest. */
function worst(e: Evidence, share: (column: Column) => number): Column {
  return e.columns().reduce((a, b) => (share(b) > share(a) ? b : a));
}

const ratio = (e: Evidence, column: Column, hits: ColumnCount, of: ColumnCount) => {
  const all = e.ofColumn(column, of);
  return all === 0 ? 0 : e.ofColumn(column, hits) / all;
};

export const fillerRun = rule({
  id: 'filler-run',
  level: 'warning',
  title: 'One column is filled up with one value',
  symptom:
    'The sampler looks truncated, or KL jumps, although nothing was cut; long responses are worst',
  measure:
    'share of responses in which a column repeats one value while another has log-probs there',
  threshold: FILLED_SHARE,
  fires: 'above',
  cause:
    'The column ends early and was filled up: the tokens there have log-probs in the other column, so they are real. It is no top-p and no other engine.',
  remedy: {
    any: 'Find where the log-probs are cut or padded before they are written: a limit on returned log-probs, a concatenation of turns, a padded batch. Mask those tokens until then.',
    verl: 'compare the length of rollout_log_probs with response_mask per turn.',
  },
  sources: ['rllm issue 816'],
  hides: [
    'shifted',
    'unrelated-columns',
    'temperature',
    'impossible-reach',
    'truncation',
    'sampler-mismatch',
    'k1-negative',
    'routing-tails',
    'overflow-token',
    'infinite-loss',
    'explosion',
    'clipping-always',
  ],
  shows: 'where one column goes on with one value',
  look(e) {
    const column = worst(e, (name) => e.ofColumn(name, 'runs') / e.having(name));
    const share = e.share(e.ofColumn(column, 'runs'), e.having(column));
    const carriers = e.carriers(`run.${column}`);
    const place = (['runsHead', 'runsInside', 'runsTail'] as const).reduce((a, b) =>
      e.ofColumn(column, b) > e.ofColumn(column, a) ? b : a,
    );
    const where = { runsHead: 'head', runsInside: 'middle', runsTail: 'tail' }[place];
    const runs = e.ofColumn(column, 'runs');
    const elsewhere =
      (e.ofColumn(column, 'zero') - e.ofColumn(column, 'runTokens')) / e.ofColumn(column, 'tokens');
    const atOneEnd = place !== 'runsInside' && e.ofColumn(column, place) > NEARLY_ALL * runs;
    const [first] = carriers;
    const value = first?.tokens && first.excerpt ? valueOf(first.excerpt, column, first.tokens) : 0;
    const from =
      first?.tokens && place === 'runsTail'
        ? `In the response shown it goes on from token ${first.tokens[0] + 1}.`
        : '';
    return {
      found: share.value > FILLED_SHARE && (elsewhere < ZEROS_ELSEWHERE || atOneEnd),
      statistic: share.value,
      interval: share.interval,
      title: `The ${COLUMN_TITLES[column]} are padded with ${value} at the ${where} of ${counted(e.ofColumn(column, 'runs'), 'response')}`,
      adds: from,
      figures: [
        percent('responses with such a run', share.value),
        count('tokens in them', e.ofColumn(column, 'runTokens')),
        count('of the runs, at the tail', e.ofColumn(column, 'runsTail')),
        count('of the runs, at the head', e.ofColumn(column, 'runsHead')),
      ],
      carriers,
    };
  },
});

function valueOf(
  excerpt: { from: number; old: number[]; new: number[]; sampler: number[] | null },
  column: Column,
  [from, to]: readonly [number, number],
): number {
  const values = column === 'sampler' ? (excerpt.sampler ?? []) : excerpt[column];
  return values[Math.floor((from + to) / 2) - excerpt.from] ?? 0;
}

export const filler = rule({
  id: 'filler-value',
  level: 'warning',
  title: 'Some log-probs are fillers',
  symptom: 'One token decides every mean; losses and KL of a million',
  measure: `number of log-probs below ${LOWEST_LOG_PROB} nats`,
  threshold: 0,
  fires: 'above',
  cause: `Log-probs below ${LOWEST_LOG_PROB} nats are written for padding or for masked logits, not for sampled tokens. One of them decides every mean here.`,
  remedy: { any: 'Leave those tokens out with "mask", or find why the sampled token was masked.' },
  sources: ['TRL masks logits with the dtype’s smallest number; vLLM writes -9999'],
  hides: ['overflow-token', 'infinite-loss', 'explosion', 'unlikely-tokens'],
  shows: 'the filler among log-probs',
  look(e) {
    const hits = e.columns().reduce((sum, column) => sum + e.ofColumn(column, 'filler'), 0);
    return {
      found: hits > 0,
      statistic: hits,
      interval: null,
      figures: [
        count(`log-probs below ${LOWEST_LOG_PROB}`, hits),
        number('smallest', e.tally.largest.lowest),
      ],
      carriers: e.carriers('filler'),
    };
  },
});

const NOT_TOKENS = [
  'unlikely-tokens',
  'filler-value',
  'explosion',
  'overflow-token',
  'infinite-loss',
  'clipping-always',
  'clipping-never',
  'shifted',
  'unrelated-columns',
  'temperature',
  'impossible-reach',
  'truncation',
  'sampler-mismatch',
  'k1-negative',
  'routing-tails',
  'logarithm-base',
  'duplicates',
] as const;

export const cumulative = rule({
  id: 'cumulative',
  level: 'warning',
  title: 'The log-probs are cumulative sums',
  symptom: 'Perplexities without bound, and the later the token the larger its clip share',
  measure: 'share of responses of 8 tokens or more in which a column only falls',
  threshold: NEARLY_ALL,
  fires: 'above (a healthy column of 8 tokens falls throughout once in 40,000)',
  cause:
    'Each value is the sum of all log-probs up to its token: what beam search and some samplers return as "cumulative". The differences between neighbours are the log-probs of the tokens.',
  remedy: {
    any: 'Write log-probs per token: subtract the previous value from each. vLLM: take logprobs per token, not cumulative_logprob.',
  },
  sources: ['vLLM CompletionOutput.cumulative_logprob'],
  hides: NOT_TOKENS,
  shows: 'a column that only falls',
  look(e) {
    const column = worst(e, (name) => ratio(e, name, 'falling', 'long'));
    const long = e.ofColumn(column, 'long');
    if (long === 0) return null;
    const share = e.share(e.ofColumn(column, 'falling'), long);
    return {
      found: share.value > NEARLY_ALL,
      statistic: share.value,
      interval: share.interval,
      title: `The ${COLUMN_TITLES[column]} are cumulative sums`,
      figures: [
        percent('responses in which the column only falls', share.value),
        number('mean of -log pi_old, nats', e.sum('nllOld') / e.sum('tokens')),
      ],
      carriers: e.carriers('falling'),
    };
  },
});

/** nats: one token of a policy that is of use is not that unlikely on average */
const SUM_NATS = 5;

export const sequenceSums = rule({
  id: 'sequence-sums',
  level: 'warning',
  title: 'One number per response: sums, not tokens',
  symptom: 'Length 1 everywhere, log s of whole units, everything clipped',
  measure: 'mean of -log pi_old where every response has one entry, nats',
  threshold: SUM_NATS,
  fires: 'above, where nearly all responses have a single entry',
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
    return {
      found: nll.value > SUM_NATS,
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
const LEAST_UNLIKELY = 0.01;
/** -log pi over Shannon entropy: 1 where the policy drew the tokens */
const ENTROPY_FACTOR = 1.8;
const ENTROPY_LEAST = 1.2;

export const unlikelyTokens = rule({
  id: 'unlikely-tokens',
  level: 'warning',
  title: 'The sampled tokens are less likely than any sampler would draw',
  symptom: 'Perplexity of millions, loss and KL huge from the first step',
  measure: 'mean of -log pi_old over tokens, nats',
  threshold: LARGEST_VOCABULARY,
  fires:
    'above ln 2^18 (the entropy of a uniform policy over 262,144 tokens), or 1.8 times the entropy that the file gives (its interval above 1.2), or more than 1 % of tokens below a depth that a vocabulary of 2^18 cannot reach so often',
  cause:
    'Tokens that a policy drew itself have -log pi equal to its entropy on average, and that is at most the log of the vocabulary. These lie far below: they are not the log-probs of these tokens. Usually the log-probs were read at the token’s own position instead of the one before (logits[t] predict token t + 1), or belong to other tokens.',
  remedy: {
    any: 'Shift by one before gathering: log_softmax(logits[:, :-1]) gathered at ids[:, 1:]. Check left padding and position ids.',
  },
  sources: ['MaxText issue 2103', 'E[-log pi] = H <= ln V'],
  hides: [
    'explosion',
    'logarithm-base',
    'temperature',
    'impossible-reach',
    'truncation',
    'sampler-mismatch',
    'k1-negative',
    'routing-tails',
    'unrelated-columns',
    'clipping-always',
  ],
  shows: 'log-probs far below what the entropy allows',
  look(e) {
    const nll = e.estimate((of) => of('nllOld') / of('tokens'));
    const tokens = e.ofColumn('old', 'tokens');
    const deep = DEPTHS.find((depth) => {
      const hits = e.share(e.ofColumn('old', `below${depth}`), tokens);
      return (
        hits.value > LEAST_UNLIKELY && hits.interval !== null && hits.interval[0] > allowed(depth)
      );
    });
    const known = e.count('withEntropy') === e.count('responses');
    const entropy = known ? e.estimate((of) => of('entropyNll') / of('entropy')) : null;
    const above =
      entropy?.interval && entropy.value > ENTROPY_FACTOR && entropy.interval[0] > ENTROPY_LEAST;
    return {
      found: nll.value > LARGEST_VOCABULARY || deep !== undefined || above === true,
      statistic: nll.value,
      interval: nll.interval,
      figures: [
        number('mean of -log pi_old, nats', nll.value),
        number('perplexity', Math.exp(nll.value)),
        ...(deep === undefined
          ? []
          : [percent(`tokens below -${deep}`, e.ofColumn('old', `below${deep}`) / tokens)]),
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
const FACTOR_MARGIN = 0.02;

/** Slope of the second column on the first through the origin, if they are proportional. */
function proportion(e: Evidence, pair: 'so' | 'on'): number | null {
  const [uu, ww, uw] = (['uu', 'ww', 'uw'] as const).map((name) => e.pairSum(pair, name)) as [
    number,
    number,
    number,
  ];
  if (e.pairSum(pair, 'n') < 50) return null;
  return (uw * uw) / (uu * ww) > PROPORTIONAL ? uw / uu : null;
}

export const logarithmBase = rule({
  id: 'logarithm-base',
  level: 'warning',
  title: 'Log-probs in another base than e',
  symptom: 'KL and clip shares off by a constant factor; perplexities that no eval confirms',
  measure: 'factor between two columns, or between -log pi_old and the entropy',
  threshold: FACTOR_MARGIN,
  fires: 'within 2 % of 1.443 or 0.434 (log2 and log10 against ln) or their inverses',
  cause:
    'One column is the other times a constant: the natural logarithm in another base. No policy, temperature or engine does that.',
  remedy: {
    any: 'Multiply log2 by 0.6931 or log10 by 2.3026: every ratio here is exp of a difference in nats.',
  },
  sources: ['log2(e) = 1.4427, log10(e) = 0.4343'],
  hides: [
    'temperature',
    'impossible-reach',
    'truncation',
    'sampler-mismatch',
    'k1-negative',
    'routing-tails',
    'explosion',
    'overflow-token',
    'infinite-loss',
    'clipping-always',
    'unlikely-tokens',
  ],
  shows: 'one column is the other times a constant',
  look(e) {
    const known = e.count('withEntropy') === e.count('responses') && e.groups > 0;
    const entropy = known ? e.estimate((of) => of('entropyNll') / of('entropy')) : null;
    const factors: { what: string; factor: number; sure: boolean }[] = e.pairs().flatMap((pair) => {
      const factor = proportion(e, pair);
      const what = pair === 'so' ? 'old against sampler' : 'new against old';
      return factor === null ? [] : [{ what, factor, sure: true }];
    });
    if (entropy?.interval) {
      const [low, high] = entropy.interval;
      factors.push({
        what: '-log pi_old against its entropy',
        factor: entropy.value,
        sure: !(low < 1 && high > 1) && high - low < entropy.value,
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
    const shown = match ?? factors[0];
    return {
      found: match !== undefined,
      statistic: shown.factor,
      interval: entropy && shown.what.startsWith('-') ? entropy.interval : null,
      ...(match
        ? {
            title: `Log-probs in base ${match.base}: ${match.what} is off by the factor ${inDigits(match.factor)}`,
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
  fires: 'above',
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
        ({ sum, sd }) =>
          `about ${inDigits(sum)} ± ${inDigits(2 * sd)} of ${counted(e.count('responses'), 'response')} are on the wrong side of the band by that rounding`,
      );
    const samplerOnly = coarse.length === 0;
    return {
      found: names.length > 0,
      level: samplerOnly ? 'note' : 'warning',
      statistic: best,
      interval: null,
      title:
        names.length > 0 ? `Coarse rounding: ${names.join('; ')}` : 'Log-probs have enough digits',
      ...(samplerOnly
        ? {
            cause:
              'The sampler’s log-probs are rounded; they take no part in the ratio of new to old, only in mismatch weights and KL.',
          }
        : { adds: `Here ${crossing.join(', ')}.` }),
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
