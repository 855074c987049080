/**
 * From an interval to a verdict, with an equivalence margin that was fixed beforehand.
 *
 *   holds           the whole interval lies inside the margin; `detected` where it excludes the prediction all the
 *                   same: a departure too small to matter
 *   fails           the whole interval lies outside the margin
 *   departs         the prediction itself is excluded, but the interval straddles the margin's edge: not exact, and
 *                   whether it matters is open
 *   undecided       none of these
 *   not applicable  the data cannot speak
 *
 * Contract: pure. A wrong verdict needs an interval that misses the truth: a family of verdicts errs no more often
 * than its intervals do together.
 */
import { ALPHA, anytimeInterval, logEvidence, type Measured, promptsFor } from './anytime';

export const VERDICTS = ['holds', 'fails', 'departs', 'undecided', 'not applicable'] as const;
export type Verdict = (typeof VERDICTS)[number];

/** Where the claim is as good as true; infinite ends for one-sided claims. */
export interface Margin {
  low: number;
  high: number;
}

export interface Judgement {
  verdict: Verdict;
  /** true: the prediction is excluded though the verdict is `holds` */
  detected: boolean;
  interval: [number, number] | null;
  /** prompts that would settle `departs` or `undecided`, if the estimate stays; null: settled, or out of reach */
  settledBy: number | null;
}

/**
 * @param prediction null: the claim is about the margin alone (one-sided)
 * @param r tuning of the confidence sequence
 * @param alpha of this claim: its share of the page's or the ledger's
 */
export function judge(
  measured: Measured,
  prediction: number | null,
  margin: Margin,
  r: number,
  alpha: number,
): Judgement {
  const interval = anytimeInterval(measured, r, alpha);
  if (interval === null) {
    return { verdict: 'undecided', detected: false, interval, settledBy: null };
  }
  const [low, high] = interval;
  const excluded = prediction !== null && (low > prediction || high < prediction);
  if (low >= margin.low && high <= margin.high) {
    return { verdict: 'holds', detected: excluded, interval, settledBy: null };
  }
  if (low > margin.high || high < margin.low) {
    return { verdict: 'fails', detected: true, interval, settledBy: null };
  }
  const { estimate } = measured;
  const edge = Math.min(Math.abs(estimate - margin.low), Math.abs(estimate - margin.high));
  return {
    verdict: excluded ? 'departs' : 'undecided',
    detected: excluded,
    interval,
    settledBy: promptsFor(measured, edge, r, alpha),
  };
}

/** Logarithms of the e-values for `holds` and for `fails`; what neither says is 0. */
export interface Evidence {
  /** against everything outside the margin */
  holds: number;
  /** against everything inside it */
  fails: number;
}

export function evidenceOf(measured: Measured, { low, high }: Margin, r: number): Evidence {
  const { estimate } = measured;
  const at = (theta: number): number => Math.max(0, logEvidence(measured, theta, r));
  if (!Number.isFinite(estimate)) return { holds: 0, fails: 0 };
  if (estimate > low && estimate < high) return { holds: Math.min(at(low), at(high)), fails: 0 };
  return { holds: 0, fails: estimate <= low ? at(low) : at(high) };
}

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
 *
 * @returns alpha of each of m claims, so that all are right together
 */
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
