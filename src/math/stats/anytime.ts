/**
 * Confidence sequences: intervals that stay valid however often one looks, and the evidence behind them.
 *
 * Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas (2024, Annals of Statistics 52(6), Theorem 2.2): for a mean
 * over n prompts with standard error se,
 *
 *   half-width_n = se sqrt((n r + 1) / (n r) log((n r + 1) / alpha^2))
 *
 * holds at all n at once, asymptotically. It is the inversion of the normal-mixture e-value
 *
 *   E_n(theta) = (n r + 1)^(-1/2) exp(n r z^2 / (2 (n r + 1))),  z = (estimate - theta) / se,
 *
 * which exceeds 1/alpha at some n with probability alpha at most where theta is true (Ville's inequality). r says
 * at which n the interval is narrowest: a quarter of the planned prompts, so that early looks count too.
 *
 * Standard errors come from finitely many prompts, some of which weigh more than others: z is read off
 * Student's t with `df` degrees of freedom, as its normal equivalent.
 *
 * Contract: float64, pure; where there is no standard error there is no interval and no evidence (e-value 1).
 */
import { normalCdf, normalQuantile, studentCdf, studentQuantile } from './distributions';

/** Of a page, and of a ledger. */
export const ALPHA = 0.05;

/** An estimate as far as inference needs it. */
export interface Measured {
  estimate: number;
  standardError: number;
  /** prompts (clusters) that it rests on */
  clusters: number;
  /** degrees of freedom of the standard error */
  df: number;
}

/** r of the confidence sequence that is narrowest at `at` prompts, for this alpha. */
export function tuning(at: number, alpha = ALPHA): number {
  const twice = -2 * Math.log(alpha);
  return (twice + Math.log(1 + twice)) / Math.max(1, at);
}

/** r for a run of that many planned prompts: narrowest at a quarter of them. */
export const tuningOf = (planned: number): number => tuning(planned / 4);

/** z beyond which theta is excluded at level alpha, in standard errors of a normal. */
export function criticalZ(n: number, r: number, alpha: number): number {
  const m = n * r;
  return Math.sqrt(((m + 1) / m) * (Math.log(m + 1) - 2 * Math.log(alpha)));
}

/** |z| of a normal as unlikely as |t| of a Student's t. */
function normalOf(t: number, df: number): number {
  const size = Math.abs(t);
  if (!(df < 1e6)) return size;
  const tail = studentCdf(-size, df);
  // beyond what a double holds the evidence is overwhelming either way
  return tail > 1e-300 ? -normalQuantile(tail) : 37;
}

/** t of Student's t as unlikely as z of a normal; both > 0. */
function studentOf(z: number, df: number): number {
  if (!(df < 1e6)) return z;
  return -studentQuantile(Math.max(normalCdf(-z), 1e-300), df);
}

/** Log of the e-value against `theta`: how strongly the data speak against it, at any time. */
export function logEvidence(measured: Measured, theta: number, r: number): number {
  const { estimate, standardError, clusters, df } = measured;
  if (!(standardError > 0) || !Number.isFinite(estimate) || !(clusters > 1)) return 0;
  if (!Number.isFinite(theta)) return Infinity;
  const m = clusters * r;
  const z = normalOf((estimate - theta) / standardError, df);
  return (m * z * z) / (2 * (m + 1)) - Math.log(m + 1) / 2;
}

/** Half-width of the time-uniform interval with error probability `alpha` over all looks together. */
export function halfWidth(measured: Measured, r: number, alpha: number): number {
  const { standardError, clusters, df } = measured;
  return standardError * studentOf(criticalZ(clusters, r, alpha), df);
}

/** @returns null without a standard error */
export function anytimeInterval(
  measured: Measured,
  r: number,
  alpha: number,
): [number, number] | null {
  const half = halfWidth(measured, r, alpha);
  if (!(half > 0) || !Number.isFinite(measured.estimate)) return null;
  return [measured.estimate - half, measured.estimate + half];
}

/** The interval of somebody who looks once, at a number of prompts fixed beforehand. */
export function fixedInterval(measured: Measured, alpha: number): [number, number] | null {
  const { estimate, standardError, df } = measured;
  if (!(standardError > 0) || !Number.isFinite(estimate)) return null;
  const half = standardError * studentQuantile(1 - alpha / 2, df);
  return [estimate - half, estimate + half];
}

/** More prompts than this settle nothing that a lab will live to see. */
export const MAX_PROMPTS = 1e6;

/**
 * Prompts at which the half-width falls to `wanted`, if the spread stays what it is.
 * @returns null where that takes more than MAX_PROMPTS
 */
export function promptsFor(
  measured: Measured,
  wanted: number,
  r: number,
  alpha: number,
): number | null {
  const { standardError, clusters, df } = measured;
  if (!(wanted > 0) || !(standardError > 0)) return null;
  const widthAt = (n: number): number =>
    halfWidth(
      {
        estimate: 0,
        standardError: standardError * Math.sqrt(clusters / n),
        clusters: n,
        df: (df * n) / clusters,
      },
      r,
      alpha,
    );
  let low = clusters;
  if (widthAt(low) <= wanted) return clusters;
  let high = 2 * low;
  while (widthAt(high) > wanted) {
    low = high;
    high *= 2;
    if (high > MAX_PROMPTS) return null;
  }
  while (high - low > Math.max(1, low * 1e-3)) {
    const middle = (low + high) / 2;
    if (widthAt(middle) > wanted) low = middle;
    else high = middle;
  }
  return Math.ceil(high);
}
