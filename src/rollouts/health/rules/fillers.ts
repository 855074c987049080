/** Rules about tokens that are none: padding, tool output, fillers, tokens that nobody scored. */
import type { Evidence } from '../evidence/evidence';
import { FILLER_DEPTH, SHORTEST_RUN } from '../evidence/column';
import { COLUMN_TITLES, LOWEST_LOG_PROB, RUN_BINS, type Column } from '../evidence/names';
import {
  FOLLOW_FROM_LARGE_RATIOS,
  FOLLOW_FROM_MISMATCH,
  count,
  counted,
  inDigits,
  inPercent,
  number,
  percent,
  rule,
  type Remedy,
} from '../finding';

/** Chance that a healthy file has a run of zeros as long as those called padding. */
const RUN_CHANCE = 1e-3;
/** Even a policy that is never sure gets a run of so many zeros for padding. */
const LEAST_REPEAT = 0.05;
const MOST_REPEAT = 0.93;
/** responses with fillers that are no accident */
const FILLED_SHARE = 0.01;
/** A column with so many exact zeros elsewhere has runs of them by itself, as a narrow nucleus makes. */
const ZEROS_ELSEWHERE = 0.02;
const NEARLY_ALL = 0.9;

/** What each trainer calls the mask of response tokens. */
const MASKS = {
  verl: 'response_mask.',
  nemoRl: 'token_loss_mask.',
  slime: 'loss_mask.',
  openRlhf: 'action_mask.',
  areal: 'loss_mask.',
  primeRl: 'completion_mask.',
  msSwift: 'completion_mask.',
} as const satisfies Partial<Remedy>;

/** Share of tokens: certainty comes in stretches, so that a run or two need not be padding. */
const FEW_TOKENS = 0.005;

const FOLLOW_FROM_FILLERS = [
  'filler-run',
  'end-zeros',
  'shifted',
  'unrelated-columns',
  'unlikely-tokens',
  'logarithm-base',
  ...FOLLOW_FROM_MISMATCH,
] as const;

/**
 * From which length on a run of zeros is padding. Policies that are sure give runs too: those have a geometric
 * law, whose parameter the short runs tell.
 * @param runs how many there are of each length
 * @param all runs of the file, of which any may be the long one
 */
function paddingLength(runs: Float64Array, all: number): number {
  const [one, two, three] = [runs[1] ?? 0, runs[2] ?? 0, runs[3] ?? 0];
  const some = one + two + three;
  // Likelihood of the parameter p in runs of 1, 2 and 3, which come as 1, p and p^2: mean = (p + 2 p^2) / (1 + p + p^2).
  const mean = some === 0 ? 0 : (two + 2 * three + 0.5) / (some + 1);
  const root = Math.sqrt((1 - mean) ** 2 + 4 * mean * (2 - mean));
  const repeat = Math.min(
    MOST_REPEAT,
    Math.max(LEAST_REPEAT, (mean - 1 + root) / (2 * (2 - mean))),
  );
  const length = 1 + Math.log(RUN_CHANCE / Math.max(1, all)) / Math.log(repeat);
  return Math.max(SHORTEST_RUN, Math.ceil(length));
}

/** The lengths from which on runs of zeros are padding, at an end of a response and within. */
function paddingLengths(e: Evidence): { end: number; inside: number } {
  const runs = e.histogram('zeroRuns');
  const all = runs.reduce((sum, n) => sum + n, 0);
  const inside = paddingLength(runs, all);
  // Padding up to the longest response has runs of every length, which are no law of the policy’s: at the ends the
  // runs within tell what the policy does by itself.
  return { inside, end: Math.min(inside, paddingLength(e.histogram('zeroRunsInside'), all)) };
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
  fires: `any run longer than a policy that is sure of its tokens would give once in a thousand files (a note below ${inPercent(FEW_TOKENS)} of the tokens)`,
  cause:
    'A log-prob of exactly 0 in every column, over many tokens in a row, is a placeholder: padding, or tool output that the mask should leave out. It counts as a token with ratio 1 and dilutes every mean.',
  remedy: {
    any: 'Write the mask beside the log-probs ("mask": 1 = response token), or leave those tokens out.',
    trl: 'completion_mask (and tool_mask).',
    ...MASKS,
  },
  sources: ['verl issue 2368', 'SkyRL issue 767'],
  hides: FOLLOW_FROM_FILLERS,
  shows: 'a block of zeros in all columns',
  look(e) {
    const least = paddingLengths(e);
    const [head, tail] = [e.histogram('zeroRunsHead'), e.histogram('zeroRunsTail')];
    let tokens = beyond(e.histogram('zeroRunTokens'), least.inside);
    for (let length = least.end; length < Math.min(least.inside, RUN_BINS - 1); length++) {
      tokens += length * ((head[length] ?? 0) + (tail[length] ?? 0));
    }
    const by = {
      head: beyond(head, least.end),
      inside: beyond(e.histogram('zeroRunsInside'), least.inside),
      tail: beyond(tail, least.end),
    };
    const share = e.share(tokens, e.count('tokens'));
    const places = [
      by.head > 0 && 'at the head',
      by.inside > 0 && 'within',
      by.tail > 0 && 'at the tail',
    ].filter((text) => text !== false);
    const few = share.value < FEW_TOKENS;
    return {
      found: tokens > 0,
      level: few ? 'note' : 'warning',
      statistic: share.value,
      interval: share.interval,
      title: few
        ? `${counted(tokens, 'token')} (${inPercent(share.value)}) in blocks of zeros: padding, or a policy that is certain`
        : `${counted(tokens, 'token')} (${inPercent(share.value)}) ${tokens === 1 ? 'is' : 'are'} padding or tool output that counts`,
      adds: `Here the blocks stand ${places.join(' and ')} of responses.${few ? ' They are few: a policy that is certain of a text that it copies has such zeros as well.' : ''}`,
      figures: [
        percent('tokens in blocks of zeros', share.value),
        count('blocks at the head', by.head),
        count('blocks within', by.inside),
        count('blocks at the tail', by.tail),
        count('shortest run that counts, at an end', least.end),
        count('shortest run that counts, within', least.inside),
      ],
      carriers: e.carriers('zeros'),
    };
  },
});

/** The column of which a share is largest. */
export function worst(e: Evidence, share: (column: Column) => number): Column {
  return e.columns().reduce((a, b) => (share(b) > share(a) ? b : a));
}

const IN_ALL_COLUMNS =
  'The same value stands in all columns, over many tokens in a row: it was written for padding, or for tokens that nobody scored, and they count as response tokens here. Ratios there are 1, and means are those of the filler.';

const BEGINS_LATE =
  'The column begins late and was filled up in front: the tokens there have log-probs in the other column, so they are real. It is no other engine.';

const TOOL_OUTPUT =
  'Zeros within a response, where another column has log-probs, stand at tokens that the policy did not draw: tool output or another turn, which the trainer scored and the engine did not. They count as response tokens here. It is no top-p and no other engine.';

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
    any: 'Find where the log-probs are cut or padded before they are written: a limit on returned log-probs, a concatenation of turns, a padded batch. Mask those tokens until then; tool output stays masked.',
    ...MASKS,
    verl: 'compare the length of rollout_log_probs with response_mask per turn.',
    trl: 'tool_mask.',
  },
  sources: ['rllm issue 816'],
  hides: [
    'end-token',
    'floor-value',
    'shifted',
    'unrelated-columns',
    'unlikely-tokens',
    ...FOLLOW_FROM_MISMATCH,
    ...FOLLOW_FROM_LARGE_RATIOS,
  ],
  shows: 'where one column goes on with one value',
  look(e) {
    const blank = worst(e, (name) => e.ofColumn(name, 'blank') / e.having(name));
    const blanks = e.share(e.ofColumn(blank, 'blank'), e.having(blank));
    if (blanks.value > FILLED_SHARE) {
      return {
        found: true,
        statistic: blanks.value,
        interval: blanks.interval,
        title: `The ${COLUMN_TITLES[blank]} are 0 throughout in ${counted(e.ofColumn(blank, 'blank'), 'response')}`,
        cause:
          'Nothing was written there: the column was made of zeros, and never filled in for these responses. The other column has log-probs, so the tokens are real.',
        figures: [percent('responses that are 0 throughout', blanks.value)],
        carriers: e.carriers(`run.${blank}`),
      };
    }
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
    const tool = place === 'runsInside' && value === 0;
    const inAll = e.columns().every((name) => e.ofColumn(name, 'runs') > NEARLY_ALL * runs);
    // Where the lowest value comes again and again, runs of it come by themselves.
    const floor = !atOneEnd && hasFloor(e, column) && value === e.tally.lowest[column].value;
    return {
      found: share.value > FILLED_SHARE && !floor && (elsewhere < ZEROS_ELSEWHERE || atOneEnd),
      statistic: share.value,
      interval: share.interval,
      title: `${inAll ? 'All columns' : `The ${COLUMN_TITLES[column]}`} are padded with ${value} at the ${where} of ${counted(runs, 'response')}`,
      ...(inAll
        ? { cause: IN_ALL_COLUMNS }
        : tool
          ? { cause: TOOL_OUTPUT }
          : place === 'runsHead'
            ? { cause: BEGINS_LATE }
            : {}),
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

/** Whole numbers that deep by chance: a column in bfloat16 has one now and then. */
const LEAST_ROUND = 3;

export const filler = rule({
  id: 'filler-value',
  level: 'warning',
  title: 'Some log-probs are fillers',
  symptom: 'One token decides every mean; losses and KL of a million',
  measure: `number of log-probs below ${LOWEST_LOG_PROB} nats, or whole numbers below -${FILLER_DEPTH}`,
  threshold: 0,
  fires: `above (of whole numbers below -${FILLER_DEPTH}: three or more)`,
  cause: `Log-probs below ${LOWEST_LOG_PROB} nats, and whole numbers such as -100 again and again, are written for padding or for masked logits, not for sampled tokens. A few of them decide every mean here.`,
  remedy: {
    any: 'Leave those tokens out with "mask", or find why the sampled token was masked.',
    trl: 'tool_mask, completion_mask.',
    ...MASKS,
  },
  sources: ['TRL masks logits with the dtype’s smallest number; vLLM writes -9999'],
  hides: [
    'unlikely-tokens',
    'unrelated-columns',
    ...FOLLOW_FROM_MISMATCH,
    ...FOLLOW_FROM_LARGE_RATIOS,
  ],
  shows: 'the filler among log-probs',
  look(e) {
    const total = (name: 'filler' | 'round') =>
      e.columns().reduce((sum, column) => sum + e.ofColumn(column, name), 0);
    const [low, round] = [total('filler'), total('round')];
    const column = worst(e, (name) => e.ofColumn(name, 'filler') + e.ofColumn(name, 'round'));
    const hits = low + (round >= LEAST_ROUND ? round : 0);
    return {
      found: hits > 0,
      statistic: hits,
      interval: null,
      title: `${counted(hits, 'log-prob')} ${hits === 1 ? 'is a filler' : 'are fillers'} (${e.tally.largest.lowest}), ${hits === 1 ? '' : 'most of them '}in the ${COLUMN_TITLES[column]}`,
      figures: [
        count(`log-probs below ${LOWEST_LOG_PROB}`, low),
        count(`whole numbers below -${FILLER_DEPTH}`, round),
        number('smallest', e.tally.largest.lowest),
      ],
      carriers: e.carriers('filler'),
    };
  },
});

/** The lowest of many log-probs comes once, or a few times where they are coarse. */
const LEAST_AT_FLOOR = 5;
const FLOOR_SHARE = 5e-4;
/** Responses of a few tokens, written by hand or answers of one word, repeat one another. */
const FLOOR_LENGTH = 8;
const FLOOR_MOST = 0.3;
/** nats; nearer to 0 values are equal because policies are sure */
const FLOOR_DEPTH = 0.5;

function hasFloor(e: Evidence, column: Column): boolean {
  const { value, tokens } = e.tally.lowest[column];
  const all = e.ofColumn(column, 'tokens');
  return (
    all >= FLOOR_LENGTH * e.having(column) &&
    tokens >= LEAST_AT_FLOOR &&
    tokens > FLOOR_SHARE * all &&
    tokens < FLOOR_MOST * all &&
    value < -FLOOR_DEPTH &&
    value > -FILLER_DEPTH
  );
}

export const floorValue = rule({
  id: 'floor-value',
  level: 'warning',
  title: 'The lowest log-prob stands there again and again',
  symptom: 'Ratios of rare tokens that never exceed one size; KL that stops growing',
  measure: 'share of tokens that have the lowest log-prob of their column, exactly',
  threshold: FLOOR_SHARE,
  fires: `above, of ${LEAST_AT_FLOOR} tokens or more between -${FLOOR_DEPTH} and -${FILLER_DEPTH} nats`,
  cause:
    'The lowest of many log-probs comes once. Here everything below it was cut off to it: log-probs that were clamped, or taken as log(p + 1e-8) or of the best few tokens only. Ratios of those tokens are wrong.',
  remedy: {
    any: 'Take log_softmax of the logits in float32, without a floor; write what the policy gave those tokens or mask them out.',
  },
  sources: ['log(p + eps), clamp(min=...) before the loss'],
  hides: ['unlikely-tokens', ...FOLLOW_FROM_MISMATCH, ...FOLLOW_FROM_LARGE_RATIOS],
  shows: 'the value that comes again',
  look(e) {
    const share = (column: Column) =>
      hasFloor(e, column) ? e.tally.lowest[column].tokens / e.ofColumn(column, 'tokens') : 0;
    const column = worst(e, share);
    const { value, tokens, ends } = e.tally.lowest[column];
    const all = e.share(tokens, e.ofColumn(column, 'tokens'));
    const atEnds = ends > NEARLY_ALL * tokens;
    return {
      found: hasFloor(e, column),
      statistic: all.value,
      interval: all.interval,
      title: `${atEnds ? 'An end of responses has' : 'The lowest value,'} ${inDigits(value)}${atEnds ? '' : ', stands'} in the ${COLUMN_TITLES[column]} at ${counted(tokens, 'token')}`,
      ...(atEnds
        ? {
            cause:
              'The same deep value at the first or the last token of responses is a filler: nobody scored that token (an EOS or stop token, a first token without a log-prob), and a number was written for it.',
          }
        : {}),
      figures: [
        number('lowest value', value),
        count('tokens that have it', tokens),
        count('of them, at an end of their response', ends),
      ],
      carriers: e.carriers(`lowest.${column}`),
    };
  },
});

/** Fewer responses with such an end have it by chance, as where one column was rounded to 0. */
const END_SHARE = 0.05;
/** The ends have zeros so many times as often as other tokens. */
const ENDS_OVER_ELSEWHERE = 5;

export const endToken = rule({
  id: 'end-token',
  level: 'warning',
  title: 'One column has no log-prob for the first or the last token',
  symptom:
    'A few tokens differ wildly between sampler and trainer, one per response, and always the first or the last',
  measure:
    'share of responses whose first or last log-prob is exactly 0 in one column and not in another',
  threshold: END_SHARE,
  fires: 'the whole interval above, and five times as often as at other tokens',
  cause:
    'The column says nothing of that token and has 0 there: an EOS or stop token that the engine does not score, or a first token without a log-prob. It is no routing and no other precision: one token per response makes all of the difference.',
  remedy: {
    any: 'Mask that token, or score it: keep the stop token in the scored text, and start one position before the response.',
    verl: 'the mask ends with the EOS token; rollout_log_probs has to reach as far.',
  },
  sources: ['a probability of exactly 1 in one column and not in the other'],
  hides: ['explosion', 'clipping-always', ...FOLLOW_FROM_MISMATCH],
  shows: 'the end that one column says nothing of',
  look(e) {
    const column = worst(e, (name) => e.ofColumn(name, 'endZeros') / e.having(name));
    const hits = e.ofColumn(column, 'endZeros');
    const share = e.share(hits, e.having(column));
    const inner = e.ofColumn(column, 'tokens') - 2 * e.having(column);
    const elsewhere = inner <= 0 ? 0 : e.ofColumn(column, 'aloneZeros') / inner;
    const last = e.ofColumn(column, 'lastZeros');
    const place = last >= hits / 2 ? 'last' : 'first';
    return {
      found:
        share.interval !== null &&
        share.interval[0] > END_SHARE &&
        share.value > ENDS_OVER_ELSEWHERE * elsewhere,
      statistic: share.value,
      interval: share.interval,
      title: `The ${COLUMN_TITLES[column]} have no value for the ${place} token of ${counted(hits, 'response')}: 0 stands there`,
      figures: [
        percent('responses with such an end', share.value),
        count('of them, at the last token', last),
        percent('other tokens with 0 in this column only', elsewhere),
      ],
      carriers: e.carriers(`end.${column}`),
    };
  },
});

/** Most responses have it: a policy is sure of an end now and then. */
const MOST = 0.5;

export const endZeros = rule({
  id: 'end-zeros',
  level: 'note',
  title: 'The first or the last token has exactly 0 in all columns',
  symptom: 'One token per response with ratio 1, whatever the update',
  measure: 'larger of the shares of responses whose first, or last, log-prob is 0 in all columns',
  threshold: MOST,
  fires: 'the whole interval above, and five times as often as at other tokens',
  cause:
    'A probability of exactly 1 in every column: a token that was forced upon the policy, one that nobody scored (EOS, BOS), or columns that are all shifted by one place and were filled up. Columns that are shifted alike agree with each other, so ratios do not tell.',
  remedy: {
    any: 'Look at that token: if it is forced or not scored, mask it out; if it is an ordinary one, the columns are shifted by one place: logits at position t predict token t + 1.',
  },
  sources: ['ms-swift issue 8196'],
  hides: [],
  shows: null,
  look(e) {
    const [first, last] = [e.count('firstAllZero'), e.count('lastAllZero')];
    const share = e.share(Math.max(first, last), e.count('responses'));
    const inner = e.count('tokens') - 2 * e.count('responses');
    const elsewhere = inner <= 0 ? 0 : e.count('innerAllZero') / inner;
    const place = last >= first ? 'last' : 'first';
    return {
      found:
        share.interval !== null &&
        share.interval[0] > MOST &&
        share.value > ENDS_OVER_ELSEWHERE * elsewhere,
      statistic: share.value,
      interval: share.interval,
      title: `The ${place} token of ${counted(Math.max(first, last), 'response')} has exactly 0 in all columns`,
      figures: [
        percent('responses whose first token has 0 in all columns', first / e.count('responses')),
        percent('responses whose last token has', last / e.count('responses')),
        percent('other tokens', elsewhere),
      ],
      carriers: [],
    };
  },
});
