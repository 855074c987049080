/**
 * Verifiers for texts that are no task of the lab: a pattern, or the last number. Contract: pure; a pattern comes from a
 * link, so only such are compiled whose matching takes time in proportion to a small power of the text.
 */
import type { Verdict } from './task';

const verdict = (right: boolean): Verdict => ({ reward: right ? 1 : 0, validSteps: right ? 1 : 0 });

export const noVerdict = (): Verdict => verdict(false);

/** The last number in a text, thousands with commas or not; null: there is none. */
export function lastNumber(text: string): number | null {
  const found = text.match(/-?\d[\d,]*(?:\.\d+)?/g)?.at(-1);
  const value = Number(found?.replaceAll(',', ''));
  return found !== undefined && Number.isFinite(value) ? value : null;
}

/** Whether the response ends with the number that the answer ends with, as in GSM8K. */
export function lastNumberVerdict(answer: string | null, response: string): Verdict {
  const right = answer === null ? null : lastNumber(answer);
  return verdict(right !== null && lastNumber(response) === right);
}

/** Characters of a response that a pattern sees. */
const MOST_TEXT = 4000;
const MOST_REPEATS = 3;

/**
 * @returns a verifier
 * @throws Error with a sentence where the pattern is none, or might run for ever
 */
export function patternVerifier(pattern: string): (response: string) => Verdict {
  if (pattern === '') throw new Error('The reward is a pattern, and the pattern is empty.');
  let compiled: RegExp;
  try {
    compiled = new RegExp(pattern, 'u');
  } catch {
    throw new Error(`“${pattern.slice(0, 60)}” is no regular expression.`);
  }
  // What stands escaped or in a class is a letter like any other.
  const bare = pattern.replace(/\\[^\dk]/g, 'a').replace(/\[[^\]]*\]/g, 'a');
  const repeats = bare.match(/[*+]|\{\d+,\d*\}/g)?.length ?? 0;
  if (/\)(?:[*+]|\{)/.test(bare) || /\(\?<?[=!]/.test(bare) || /\\[\dk]/.test(bare)) {
    throw new Error(
      'This lab takes no pattern with a repeated group, look-around or a back reference: it might run for ever.',
    );
  }
  if (repeats > MOST_REPEATS) {
    throw new Error(`A pattern may repeat at most ${MOST_REPEATS} times; this one has ${repeats}.`);
  }
  return (response) => verdict(compiled.test(response.slice(-MOST_TEXT)));
}
