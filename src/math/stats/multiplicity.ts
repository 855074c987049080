/**
 * Many claims at once. Contract: pure; valid under any dependence between the claims.
 *
 * A page asks m questions: each gets alpha / m (Bonferroni). All its intervals are then right together in all but
 * alpha of runs, at every look, and so are its verdicts.
 *
 * A ledger asks many more. e-BH (Wang & Ramdas 2022, JRSS B 84(3)) gives k verdicts where k e-values reach
 * m / (alpha k): of the verdicts given, an expected share of alpha at most is wrong. A claim has two null
 * hypotheses, "outside the margin" (against which `holds` speaks) and "inside" (`fails`), of which one is true; so
 * m claims count as m, not 2 m. The interval that goes with a verdict has level 1 - alpha k / m (Benjamini &
 * Yekutieli 2005, with e-values: Xu, Wang & Ramdas 2024).
 */
import { ALPHA } from './anytime';

/** alpha of each of m claims, so that all are right together. */
export function shareOfPage(m: number, alpha = ALPHA): number {
  return alpha / Math.max(1, m);
}

/**
 * @param logEvidence [m] log e-value of each claim, the larger of its two
 * @returns how many verdicts may be given (the largest ones), and alpha of each claim's interval
 */
export function eBenjaminiHochberg(
  logEvidence: readonly number[],
  alpha = ALPHA,
): { given: number; alpha: number } {
  const m = logEvidence.length;
  const sorted = [...logEvidence].sort((a, b) => b - a);
  let given = 0;
  sorted.forEach((own, i) => {
    if (own >= Math.log(m / (alpha * (i + 1)))) given = i + 1;
  });
  // before the first verdict a claim is judged as if it were the first
  return { given, alpha: (alpha * Math.max(1, given)) / Math.max(1, m) };
}
