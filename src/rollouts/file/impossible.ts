/**
 * What stands in a column of log-probs whose values no log-prob can have. Contract: pure; looks at one response's
 * response tokens and gives one sentence with the cause, the tokens and what to write instead.
 */

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

/** What a column is that has values above 0, where they are no fillers. */
function positive(values: Float64Array, least: number, most: number): string {
  const all = `all ${values.length} values of this response`;
  if (least >= 0 && most <= 1) {
    const mean = values.reduce((a, b) => a + b, 0) / values.length;
    if (values.length === 1) {
      return 'It is a probability (write its natural logarithm) or a negated log-prob (write it with a minus).';
    }
    return mean >= MIDDLE
      ? `These look like probabilities: ${all} lie between 0 and 1 and average ${mean.toFixed(2)}. Write their natural logarithm.`
      : `These look like negated log-probs (NLL): ${all} are positive and average ${mean.toFixed(2)}; probabilities of sampled tokens would average more. Write them with a minus.`;
  }
  if (least >= 0 && !(values.length >= SURE_AMONG && least > SURE)) {
    return `These look like negated log-probs (NLL, cross-entropy): ${all} are 0 or more and some exceed 1, which no probability does. Write them with a minus.`;
  }
  return `These look like logits, not log-probs: they lie between ${least.toPrecision(3)} and ${most.toPrecision(3)}. Subtract the logsumexp of the logits over the vocabulary (log_softmax).`;
}

/** @returns sentences behind "FIELD is X; "; at least one value is bad */
export function whatStandsThere(column: Column): string {
  const { values } = column;
  const least = values.reduce((a, b) => Math.min(a, b), Infinity);
  const most = values.reduce((a, b) => Math.max(a, b), -Infinity);
  if (most <= 0) {
    return `no softmax gives a log-prob that low. ${filler(column) ?? 'They are fillers or masked logits: mask those tokens out ("mask": 0), or find why the sampled token was masked.'}`;
  }
  const rounded = least < 0 && most <= ROUNDED;
  // Probabilities of which one is 1 are no log-probs with a filler.
  const filled = least < 0 ? filler(column) : null;
  return `a log-prob cannot be positive. ${
    rounded
      ? 'It is so by rounding, as where logsumexp is taken in bfloat16 or float16: compute log_softmax in float32.'
      : (filled ?? positive(values, least, most))
  }`;
}
