/**
 * The nucleus of a row of logits (top-p; Holtzman et al. 2020): the fewest most likely tokens that have at least the
 * share p of the probability at the sampler's temperature, with whatever is as likely as the last of them.
 *
 * Contract: sums in float64 over float32 scores, the same scores as in `src/gpu/sampler.wgsl`; there the sums are
 * float32, so that the two differ where a token's mass ends within rounding of p.
 */
import { KernelInputError, LOWEST_LOGIT } from './kernel-input';

/** float32(1 / temperature), 1 for greedy: what both twins multiply logits with. */
export function inverseTemperature(temperature: number): number {
  if (!(Number.isFinite(temperature) && temperature >= 0)) {
    throw new KernelInputError(`The temperature must be 0 or more, not ${temperature}.`);
  }
  return temperature === 0 ? 1 : Math.fround(1 / temperature);
}

/** What can be picked: neither masked nor without meaning. */
export const isUsable = (logit: number): boolean => logit >= LOWEST_LOGIT && logit <= -LOWEST_LOGIT;

/** A logit over the temperature, in float32. */
export const scoreOf = (logit: number, scale: number): number => Math.fround(logit * scale);

/** @throws KernelInputError where there is no such nucleus */
export function checkTopP(topP: number): void {
  if (!(topP > 0 && topP <= 1)) {
    throw new KernelInputError(`Top-p must be above 0 and at most 1, not ${topP}.`);
  }
}

export interface Nucleus {
  /** scores below it are cut off; -Infinity: none are */
  lowest: number;
  /** log of the probability that is kept, at temperature 1: what a log-prob gains by cutting off the rest */
  logKept: number;
}

const ALL: Nucleus = { lowest: -Infinity, logKept: 0 };

/**
 * @param logits the row begins at `offset`
 * @param temperature 0 (greedy) cuts nothing off
 */
export function nucleusOf(
  logits: Float32Array,
  offset: number,
  vocabulary: number,
  { temperature, topP }: { temperature: number; topP: number },
): Nucleus {
  checkTopP(topP);
  if (topP === 1 || temperature === 0) return ALL;
  const scale = inverseTemperature(temperature);
  const row = logits.subarray(offset, offset + vocabulary);
  const scores = row.filter(isUsable).map((x) => scoreOf(x, scale));
  if (scores.length === 0) return ALL;
  scores.sort();
  const top = scores.at(-1) as number;
  let total = 0;
  for (const score of scores) total += Math.exp(score - top);
  let mass = 0;
  let at = scores.length;
  while (at > 0 && mass < topP * total) mass += Math.exp(scores[--at] - top);
  const lowest = scores[at];
  // Cut by the score, weighed at temperature 1.
  let [kept, all] = [0, 0];
  for (const x of row) {
    if (!isUsable(x)) continue;
    const own = Math.exp(x - top / scale);
    all += own;
    if (scoreOf(x, scale) >= lowest) kept += own;
  }
  return { lowest, logKept: Math.log(kept / all) };
}
