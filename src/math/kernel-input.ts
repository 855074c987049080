/**
 * What the kernels accept, checked once for every backend. Contract: a call that passes cannot read
 * outside its arrays; one that does not throws a KernelInputError whose message is a sentence.
 */
import type { FloatArray, HistogramSpec } from './kernels';

export class KernelInputError extends RangeError {
  override name = 'KernelInputError';
}

/** Logits below this count as -inf (masks are often the lowest float); none may be above its mirror. */
export const LOWEST_LOGIT = -1e30;

/** A log-prob is -inf or smaller than this in magnitude (nats); anything else counts as NaN. */
export const LOG_PROB_LIMIT = 2 ** 20;

/** Longest sequence, in tokens, that the WGSL sums hold without overflow. */
export const MAX_SEQUENCE_LENGTH = 2 ** 18;

function wholeNumber(name: string, value: number, lowest: number): void {
  if (!Number.isSafeInteger(value) || value < lowest) {
    throw new KernelInputError(`${name} must be a whole number from ${lowest} up, not ${value}.`);
  }
}

export function checkTargets(targets: Uint32Array, vocabulary: number): void {
  wholeNumber('The vocabulary', vocabulary, 1);
  const wrong = targets.findIndex((target) => target >= vocabulary);
  if (wrong >= 0) {
    throw new KernelInputError(
      `Target ${targets[wrong]} of row ${wrong} is outside the vocabulary of ${vocabulary} tokens.`,
    );
  }
}

export function checkLogits(logits: Float32Array, vocabulary: number, targets: Uint32Array): void {
  checkTargets(targets, vocabulary);
  if (logits.length !== targets.length * vocabulary) {
    throw new KernelInputError(
      `${targets.length} targets over ${vocabulary} tokens need ` +
        `${targets.length * vocabulary} logits, but there are ${logits.length}.`,
    );
  }
}

/** @param least fewest tokens that a sequence may have */
export function checkSequences(offsets: Uint32Array, tokens: number, least: 0 | 1): void {
  if (offsets.length === 0 || offsets[0] !== 0) {
    throw new KernelInputError('Sequence offsets must start with 0.');
  }
  for (let i = 0; i + 1 < offsets.length; i++) {
    const length = offsets[i + 1] - offsets[i];
    if (length < 0) throw new KernelInputError(`Sequence ${i} ends before it starts.`);
    if (length < least) {
      throw new KernelInputError(`Sequence ${i} has no tokens; leave empty responses out.`);
    }
    if (length > MAX_SEQUENCE_LENGTH) {
      throw new KernelInputError(
        `Sequence ${i} has ${length} tokens; at most ${MAX_SEQUENCE_LENGTH} are possible.`,
      );
    }
  }
  const end = offsets.at(-1) as number;
  if (end !== tokens) {
    throw new KernelInputError(`The offsets end at token ${end}, but there are ${tokens} tokens.`);
  }
}

export function checkLogProbPair(
  logpOld: FloatArray,
  logpNew: FloatArray,
  offsets: Uint32Array,
): void {
  if (logpOld.length !== logpNew.length) {
    throw new KernelInputError(
      `The old policy has ${logpOld.length} log-probs and the new one ${logpNew.length}; ` +
        'both must score the same tokens.',
    );
  }
  checkSequences(offsets, logpOld.length, 1);
}

export function checkHistogram({ low, high, bins }: HistogramSpec): void {
  wholeNumber('The number of histogram bins', bins, 1);
  if (!(Number.isFinite(low) && Number.isFinite(high) && low < high)) {
    throw new KernelInputError(`A histogram cannot reach from ${low} to ${high}.`);
  }
}

export function checkPrefixMoments(
  logRatio: FloatArray,
  offsets: Uint32Array,
  maxLength: number,
): void {
  checkSequences(offsets, logRatio.length, 0);
  wholeNumber('The longest prefix', maxLength, 0);
}

export function checkAutocovariance(
  logRatio: FloatArray,
  offsets: Uint32Array,
  center: number,
  maxLag: number,
): void {
  checkSequences(offsets, logRatio.length, 0);
  wholeNumber('The largest lag', maxLag, 0);
  if (!Number.isFinite(center)) throw new KernelInputError(`The center must not be ${center}.`);
}
