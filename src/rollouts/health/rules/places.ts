/** Rules about where two columns of the same tokens agree: beside one another, nowhere, or but for a constant. */
import type { Estimate, Evidence } from '../evidence/evidence';
import {
  COLUMN_TITLES,
  LAGS,
  PAIR_COLUMNS,
  type Column,
  type Lag,
  type Pair,
} from '../evidence/names';
import {
  FOLLOW_FROM_LARGE_RATIOS,
  FOLLOW_FROM_MISMATCH,
  count,
  counted,
  inDigits,
  number,
  rule,
  type Figure,
} from '../finding';
import { carriersOf, FEW_RESPONSES, LEAST_RESPONSES } from './pairs';

/** Tokens of the same place go together at least so well. */
const SAME_PLACE = 0.5;
/** Neighbours go together so well only where one column is shifted. */
const NEXT_PLACE = 0.8;
const LEAST_TOKENS = 40;
/** Where so many responses are shifted, all are meant. */
const NEARLY_ALL_SHIFTED = 0.9;

/** Which place of the second column the first agrees with; above 0: the first runs ahead. */
interface Shift {
  pair: Pair;
  by: Lag;
  /** all tokens together show it */
  pooled: boolean;
  /** responses that show it one by one, and from somewhere within only; of those long enough to be asked */
  responses: number;
  later: number;
  of: number;
  same: Estimate;
  next: Estimate;
}

function shiftOf(e: Evidence, pair: Pair): Shift {
  const [same, lead, lag] = [
    e.correlation(pair, 'same'),
    e.correlation(pair, 'lead'),
    e.correlation(pair, 'lag'),
  ];
  const leads = lead.value > lag.value || Number.isNaN(lag.value);
  const next = leads ? lead : lag;
  const pooled = next.value > NEXT_PLACE && !(same.value > next.value - 0.3);
  const most = LAGS.reduce((a, b) => (e.ofPair(pair, `by${b}`) > e.ofPair(pair, `by${a}`) ? b : a));
  const responses = e.ofPair(pair, `by${most}`);
  return {
    pair,
    by: responses > 0 ? most : leads ? 1 : -1,
    pooled,
    responses,
    later: e.ofPair(pair, 'later'),
    of: e.ofPair(pair, 'placed'),
    same,
    next,
  };
}

const isShifted = ({ pooled, responses, of }: Shift) =>
  pooled || (responses >= LEAST_RESPONSES && responses > FEW_RESPONSES * of);

/** Which column is off and which way, where up to three columns tell. */
function culprit(shifts: readonly Shift[]): { column: Column; ahead: boolean } {
  const so = shifts.find(({ pair }) => pair === 'so');
  const on = shifts.find(({ pair }) => pair === 'on');
  if (so && on && isShifted(so) && isShifted(on)) return { column: 'old', ahead: on.by > 0 };
  if (so && isShifted(so)) return { column: 'sampler', ahead: so.by > 0 };
  return { column: 'new', ahead: on !== undefined && on.by < 0 };
}

const NUMBERS = ['no', 'one', 'two', 'three', 'four'];
const tokensIn = (by: Lag) => `${NUMBERS[Math.abs(by)]} ${Math.abs(by) === 1 ? 'token' : 'tokens'}`;

/** The difference of correlations, entropy with -log pi, from which on log-probs stand beside their entropies. */
const ENTROPY_BETTER = 0.2;
/** With fewer than five prompts, which carry no interval, and so many tokens. */
const PLAIN_BETTER = 0.4;
const PLAIN_TOKENS = 200;

/** Whether the log-probs go with the entropies one token apart and not at the same token: all columns are shifted. */
function againstEntropy(
  e: Evidence,
): { way: 'lead' | 'lag'; same: Estimate; next: Estimate } | null {
  if (e.count('withEntropy') < e.count('responses') || e.groups === 0) return null;
  const looks = (['lead', 'lag'] as const).map((way) => ({
    way,
    same: e.entropyCorrelation('same'),
    next: e.entropyCorrelation(way),
    better: e.entropyCorrelation(way, 'same'),
  }));
  const found = looks.find(({ better: { value, interval } }) =>
    interval ? interval[0] > ENTROPY_BETTER : value > PLAIN_BETTER && e.sum('eh.n') >= PLAIN_TOKENS,
  );
  return found ?? null;
}

export const shifted = rule({
  id: 'shifted',
  level: 'warning',
  title: 'One column is shifted by one token',
  symptom:
    'KL or clip shares huge from the first step, and they do not move with the learning rate',
  measure:
    'share of responses in which two columns agree one to four tokens apart and not at the same token',
  threshold: FEW_RESPONSES,
  fires: `above, of ${LEAST_RESPONSES} responses or more (correlation above 0.9, and 0.3 above that at the same token); or all tokens together show it (above ${NEXT_PLACE}); or entropies go with -log pi one token apart, by ${ENTROPY_BETTER} better than at the same token`,
  cause:
    'The columns agree so many tokens apart and not at the same token: log-probs of one of them stand too early or too late.',
  remedy: {
    any: 'Align it: logits at position t predict token t + 1, so log-probs of response tokens come from positions prompt - 1 to end - 1. Look for a BOS token, an EOS token or a [1:] applied twice.',
  },
  sources: ['ms-swift issue 8196'],
  hides: [
    'end-zeros',
    'unrelated-columns',
    'logarithm-base',
    'filler-run',
    'end-token',
    'growing-mismatch',
    ...FOLLOW_FROM_MISMATCH,
    ...FOLLOW_FROM_LARGE_RATIOS,
  ],
  shows: 'one column a token beside the other',
  look(e) {
    const entropy = againstEntropy(e);
    const shifts = e
      .pairs()
      .filter((pair) => e.pairSum(pair, 'n') >= LEAST_TOKENS)
      .map((pair) => shiftOf(e, pair));
    const worst = shifts.find(isShifted) ?? shifts[0];
    if (worst === undefined || (entropy !== null && !isShifted(worst))) {
      if (entropy === null) return null;
      const behind = entropy.way === 'lead';
      return {
        found: true,
        statistic: 1,
        interval: null,
        title: `The log-probs are shifted by one token against their entropies: they run one ${behind ? 'behind' : 'ahead'}`,
        cause:
          'The log-probs go with the entropies one token apart and not at the same token, and all columns agree with each other: all of them (or the entropies) stand one place too early or too late, so that ratios do not tell.',
        figures: [
          number('correlation of entropy and -log pi_old at the same token', entropy.same.value),
          number('the same, one token apart', entropy.next.value),
        ],
        carriers: e.carriers('response'),
      };
    }
    const found = isShifted(worst);
    const { column, ahead } = found
      ? culprit(shifts)
      : { column: 'sampler' as const, ahead: false };
    const either =
      column === 'new' && !e.hasSampler()
        ? ' (or the old ones are, the other way: two columns cannot tell)'
        : '';
    const against = column === 'sampler' && found ? ' against the trainer’s' : '';
    const share = e.share(worst.responses, worst.of);
    const some = !worst.pooled && worst.responses < NEARLY_ALL_SHIFTED * worst.of;
    const where = some
      ? `, in ${worst.responses.toLocaleString('en-US')} of ${counted(worst.of, 'response')}`
      : '';
    return {
      found,
      statistic: worst.of > 0 ? share.value : Number(worst.pooled),
      interval: share.interval,
      title: `The ${COLUMN_TITLES[column]} are shifted by ${tokensIn(worst.by)}: they run ${NUMBERS[Math.abs(worst.by)]} ${ahead ? 'ahead' : 'behind'}${against}${either}${where}`,
      ...(worst.later > worst.responses / 2
        ? {
            adds: `In ${counted(worst.later, 'response')} they agree at first and are shifted from somewhere within on: a token was inserted or left out there, as where text was tokenised anew.`,
          }
        : {}),
      figures: shifts.flatMap(({ pair, by, same, next, responses, of }): Figure[] => {
        const [first, second] = PAIR_COLUMNS[pair];
        return [
          number(`correlation of ${first} and ${second} at the same token (lag 0)`, same.value),
          number(`correlation of ${first} and ${second} one token apart (lag 1)`, next.value),
          ...(responses > 0
            ? [
                count(
                  `responses in which ${first} runs ${by > 0 ? 'ahead of' : 'behind'} ${second} by ${tokensIn(by)}`,
                  responses,
                ),
                count('of responses long enough to tell', of),
              ]
            : []),
        ];
      }),
      carriers: carriersOf(e, worst.pair),
    };
  },
});

/** nats per token by which one column finds the tokens less likely than the other where it is read elsewhere */
const LESS_LIKELY = 1.5;

export const unrelated = rule({
  id: 'unrelated-columns',
  level: 'warning',
  title: 'Two columns are not about the same tokens',
  symptom: 'Ratios of e^10 and e^-10 side by side; every response clipped',
  measure: 'correlation of two columns at the same token',
  threshold: SAME_PLACE,
  fires: `below, and no better up to four tokens apart; or so in more than 1 % of the responses, ${LEAST_RESPONSES} at least`,
  cause:
    'The log-probs of the two columns have hardly anything to do with each other, at the same token or beside it: responses in another order, another tokenisation, or one column read at the wrong position.',
  remedy: {
    any: 'Check that both columns are gathered at the same token ids (log_softmax(logits[:, :-1]) at ids[:, 1:]), in the same order of responses (after sorting or balancing by length), and that text was not tokenised anew.',
  },
  sources: ['re-tokenisation of sampled text; reordering by sequence length'],
  hides: [
    'logarithm-base',
    'constant-offset',
    'growing-mismatch',
    ...FOLLOW_FROM_MISMATCH,
    ...FOLLOW_FROM_LARGE_RATIOS,
  ],
  shows: 'two columns that disagree at every token',
  look(e) {
    const pairs = e.pairs().filter((pair) => e.pairSum(pair, 'n') >= LEAST_TOKENS);
    if (pairs.length === 0) return null;
    const same = pairs.map((pair) => ({
      pair,
      ...e.correlation(pair, 'same'),
      apart: e.ofPair(pair, 'apart'),
      of: e.ofPair(pair, 'placed'),
    }));
    const lowest = same.reduce((a, b) => (b.value < a.value ? b : a));
    const below = lowest.interval ? lowest.interval[1] < SAME_PLACE : lowest.value < SAME_PLACE / 2;
    // A few wild tokens lower a correlation too; where most agree, the columns are about the same tokens.
    const all = below && e.sizeQuantile(lowest.pair, 0.5) > 0.1;
    const most = same.reduce((a, b) => (b.apart > a.apart ? b : a));
    const some = most.apart >= LEAST_RESPONSES && most.apart > FEW_RESPONSES * most.of;
    const told = all ? lowest : some ? most : lowest;
    const [first, second] = PAIR_COLUMNS[told.pair];
    const [left, right] = [e.meanNll(first), e.meanNll(second)];
    const [deep, by] = left > right ? [first, left - right] : [second, right - left];
    return {
      found: all || some,
      statistic: told.value,
      interval: told.interval,
      title: `The ${COLUMN_TITLES[first]} and the ${COLUMN_TITLES[second]} are not about the same tokens${
        all ? '' : `, in ${told.apart.toLocaleString('en-US')} of ${counted(told.of, 'response')}`
      }`,
      ...(all && by > LESS_LIKELY
        ? {
            adds: `The ${COLUMN_TITLES[deep]} find the tokens less likely by ${inDigits(by)} nats each, so it is they that are of other tokens or read at the wrong position: tokens are likely under what drew them.`,
          }
        : {}),
      figures: [
        ...same.map(({ pair, value }) =>
          number(`correlation of ${PAIR_COLUMNS[pair].join(' and ')}`, value),
        ),
        number(`mean of -log p, ${first}, nats`, left),
        number(`mean of -log p, ${second}, nats`, right),
        ...(told.apart > 0 ? [count('responses that agree nowhere', told.apart)] : []),
      ],
      carriers: carriersOf(e, told.pair),
    };
  },
});

/** nats: a constant of less may be one of rounding */
const LEAST_OFFSET = 0.1;
/** standard deviation of the difference over its mean */
const CONSTANT = 0.05;

export const constantOffset = rule({
  id: 'constant-offset',
  level: 'warning',
  title: 'One column is the other plus a constant',
  symptom: 'Every ratio about the same, far from 1; KL of the same size at every token',
  measure: 'standard deviation over mean of the difference of two columns',
  threshold: CONSTANT,
  fires: `below, where the mean exceeds ${LEAST_OFFSET} nats`,
  cause:
    'Two distributions over the same tokens cannot differ by one factor everywhere: both add up to 1. One column is not normalised: the logsumexp was taken over another vocabulary (padded, cut to the best few), a constant was added, or logits were scaled after it.',
  remedy: { any: 'Take log_softmax over the whole vocabulary, once, in both columns.' },
  sources: ['sum over the vocabulary of p = 1'],
  hides: [
    'logarithm-base',
    'temperature',
    'impossible-reach',
    'truncation',
    'sampler-mismatch',
    'k1-negative',
    'explosion',
    'infinite-loss',
    'clipping-always',
  ],
  shows: 'one column as far below the other everywhere',
  look(e) {
    const pairs = e.pairs().filter((pair) => e.pairSum(pair, 'n') >= LEAST_TOKENS);
    if (pairs.length === 0) return null;
    const looks = pairs.map((pair) => {
      const n = e.pairSum(pair, 'tokens');
      const mean = -e.pairSum(pair, 'k1') / n;
      const sd = Math.sqrt(Math.max(0, e.pairSum(pair, 'e2') / n - mean * mean));
      return { pair, mean, spread: Math.abs(mean) > LEAST_OFFSET ? sd / Math.abs(mean) : Infinity };
    });
    const told = looks.reduce((a, b) => (b.spread < a.spread ? b : a));
    const [first, second] = PAIR_COLUMNS[told.pair];
    return {
      found: told.spread < CONSTANT,
      statistic: told.spread,
      interval: null,
      title: `The ${COLUMN_TITLES[second]} are the ${COLUMN_TITLES[first]} ${told.mean > 0 ? 'plus' : 'less'} ${inDigits(Math.abs(told.mean))} nats, at every token`,
      figures: looks.map(({ pair, mean }) =>
        number(`mean of ${PAIR_COLUMNS[pair][1]} less ${PAIR_COLUMNS[pair][0]}, nats`, mean),
      ),
      carriers: carriersOf(e, told.pair),
    };
  },
});
