/**
 * What stands in a column of log-probs whose values no log-prob can have. Contract: pure; looks at one response's
 * response tokens and gives one sentence with the cause, the tokens and what to write instead.
 */

import { RecordError } from './problems';

/** Log-probs above 0 by no more than this come of rounding: the spacing of bfloat16 at 16 is 0.125. */
const ROUNDED = 0.13;
/** A response of so many tokens has one that is likely: its -log pi is below SURE. */
const SURE_AMONG = 8;
const SURE = 1;
/** Probabilities of sampled tokens average more, their -log pi less. */
const MIDDLE = 0.5;

export interface Column {
  /** the response tokens only */
  values: Float64Array;
  /** [tokens] place of each in the array as written */
  places: ArrayLike<number>;
  /** which values no log-prob has */
  isBad: (x: number) => boolean;
}

/** Where the bad values stand, if they are one value that fills the column up. */
function filler({ values, places, isBad }: Column): string | null {
  const bad = Array.from(values.keys()).filter((t) => isBad(values[t]));
  const [first] = bad;
  if (bad.length === values.length || bad.some((t) => values[t] !== values[first])) return null;
  const last = bad[bad.length - 1];
  const many = bad.length === 1 ? 'token' : `${bad.length} tokens`;
  const together = last - first === bad.length - 1;
  const place =
    together && last === values.length - 1
      ? `the last ${many} of ${values.length}, from position ${places[first]} on`
      : together && first === 0
        ? `the first ${many} of ${values.length}`
        : `${bad.length} of ${values.length} tokens`;
  return (
    `It stands at ${place}: a filler, where the column was padded or the engine gave nothing. ` +
    'Mask those tokens out ("mask": 0), or write what the policy gave them.'
  );
}

export const IMPOSSIBLE_KINDS = [
  'probabilities',
  'negated',
  'logits',
  'filler',
  'rounding',
  'low',
] as const;
export type ImpossibleKind = (typeof IMPOSSIBLE_KINDS)[number];

/** All that tells what values are. */
export interface Range {
  n: number;
  sum: number;
  least: number;
  most: number;
}

interface Judged {
  kind: ImpossibleKind;
  /** sentences, the first of them why it is impossible */
  text: string;
}

/** Negated log-probs of a sampled response exceed 1 about once in three nats. */
const NATS_WITHOUT = 6;

/** What a column is that has values above 0, where they are no fillers. */
function positive({ n, sum, least, most }: Range, of: string): Judged {
  const all = `all ${n.toLocaleString('en-US')} values of ${of}`;
  const mean = sum / n;
  if (least >= 0 && most <= 1) {
    if (n === 1) {
      return {
        kind: 'probabilities',
        text: 'It is a probability (write its natural logarithm) or a negated log-prob (write it with a minus).',
      };
    }
    return mean >= MIDDLE || sum > NATS_WITHOUT
      ? {
          kind: 'probabilities',
          text: `These look like probabilities: ${all} lie between 0 and 1 and average ${mean.toFixed(2)}. Write their natural logarithm.`,
        }
      : {
          kind: 'negated',
          text: `These look like negated log-probs (NLL): ${all} are positive and average ${mean.toFixed(2)}; probabilities of sampled tokens would average more. Write them with a minus.`,
        };
  }
  if (least >= 0 && !(n >= SURE_AMONG && least > SURE)) {
    return {
      kind: 'negated',
      text: `These look like negated log-probs (NLL, cross-entropy): ${all} are 0 or more and some exceed 1, which no probability does. Write them with a minus.`,
    };
  }
  return {
    kind: 'logits',
    text: `These look like logits, not log-probs: they lie between ${least.toPrecision(3)} and ${most.toPrecision(3)}. Subtract the logsumexp of the logits over the vocabulary (log_softmax).`,
  };
}

export function rangeOf(values: Float64Array): Range {
  const range: Range = { n: values.length, sum: 0, least: Infinity, most: -Infinity };
  for (const x of values) {
    range.sum += x;
    range.least = Math.min(range.least, x);
    range.most = Math.max(range.most, x);
  }
  return range;
}

/** @param filled what says where a filler stands; null = no filler */
function judged(range: Range, filled: string | null, of: string): Judged {
  const { least, most } = range;
  if (most <= 0) {
    const rest =
      filled ??
      'They are fillers or masked logits: mask those tokens out ("mask": 0), or find why the sampled token was masked.';
    return {
      kind: filled ? 'filler' : 'low',
      text: `no softmax gives a log-prob that low. ${rest}`,
    };
  }
  const why = 'a log-prob cannot be positive.';
  if (least < 0 && most <= ROUNDED) {
    const how =
      'It is so by rounding, as where logsumexp is taken in bfloat16 or float16: compute log_softmax in float32.';
    return { kind: 'rounding', text: `${why} ${how}` };
  }
  // Probabilities of which one is 1 are no log-probs with a filler.
  if (least < 0 && filled !== null) return { kind: 'filler', text: `${why} ${filled}` };
  const { kind, text } = positive(range, of);
  return { kind, text: `${why} ${text}` };
}

/** What one response has in a column with at least one value that no log-prob has. */
export function whatStandsThere(column: Column): Judged {
  return judged(rangeOf(column.values), filler(column), 'this response');
}

/** A response whose column of log-probs has values that none can have. */
export class ImpossibleError extends RecordError {
  override name = 'ImpossibleError';
  readonly kind: ImpossibleKind;
  /** of the response tokens that are numbers */
  readonly range: Range;
  /** how many are impossible, and the first of them as a position among the response tokens */
  readonly bad: number;
  readonly first: number;
  readonly text: string;

  /** @param written the column's name in the file */
  constructor(
    readonly written: string,
    column: Column,
  ) {
    const { values, places, isBad } = column;
    const first = values.findIndex(isBad);
    const { kind, text } = whatStandsThere(column);
    super(`${written}[${places[first]}]`, `is ${values[first]}; ${text}`);
    this.kind = kind;
    this.text = text;
    this.range = rangeOf(values);
    this.bad = values.reduce((n, x) => n + Number(isBad(x)), 0);
    this.first = first;
  }
}

/** A column of a file, over all responses that were left out for what stands in it. Merges by `addColumn`. */
export interface ImpossibleColumn {
  /** as the file calls it */
  name: string;
  responses: number;
  /** values that no log-prob has */
  bad: number;
  /** of all its values in those responses */
  range: Range;
  kinds: Record<ImpossibleKind, number>;
  first: {
    at: string | null;
    step: number | null;
    group: string | number;
    token: number;
    text: string;
  };
}

export function impossibleColumn(
  error: ImpossibleError,
  place: Omit<ImpossibleColumn['first'], 'token' | 'text'>,
): ImpossibleColumn {
  return {
    name: error.written,
    responses: 1,
    bad: error.bad,
    range: error.range,
    kinds: {
      probabilities: 0,
      negated: 0,
      logits: 0,
      filler: 0,
      rounding: 0,
      low: 0,
      [error.kind]: 1,
    },
    first: { ...place, token: error.first, text: error.text },
  };
}

/** Adds a column's responses to those of its name. */
export function addColumn(into: Map<string, ImpossibleColumn>, column: ImpossibleColumn): void {
  const own = into.get(column.name);
  if (!own) {
    into.set(column.name, column);
    return;
  }
  const { range: a } = own;
  const { range: b } = column;
  into.set(column.name, {
    ...own,
    responses: own.responses + column.responses,
    bad: own.bad + column.bad,
    range: {
      n: a.n + b.n,
      sum: a.sum + b.sum,
      least: Math.min(a.least, b.least),
      most: Math.max(a.most, b.most),
    },
    kinds: Object.fromEntries(
      IMPOSSIBLE_KINDS.map((kind) => [kind, own.kinds[kind] + column.kinds[kind]]),
    ) as ImpossibleColumn['kinds'],
  });
}

/** What a column is, by all of its responses: one response of probabilities may look like negated log-probs. */
export function whatColumnIs({ range, kinds, first }: ImpossibleColumn): Judged {
  const most = IMPOSSIBLE_KINDS.reduce((a, b) => (kinds[b] > kinds[a] ? b : a));
  return most === 'filler' || most === 'rounding' || most === 'low'
    ? { kind: most, text: first.text }
    : judged(range, null, 'these responses');
}
