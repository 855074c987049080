/**
 * Smooth statistics for `jackknife.ts`: functions of totals. Contract: NaN where not defined. Values whose squares
 * are summed must be centered near their mean first, or the squares cancel.
 */
import type { TotalsFunction } from './jackknife';

/** log of the sample variance from (count, sum, sum of squares) at columns at, at + 1, at + 2 */
export const logVarianceAt =
  (at: number): TotalsFunction =>
  (totals) => {
    const n = totals[at];
    const center = totals[at + 1] / n;
    const spread = totals[at + 2] / n - center * center;
    return n > 1 && spread > 0 ? Math.log((spread * n) / (n - 1)) : NaN;
  };

/** (count, sum, sum of squares) -> log of the sample variance */
export const logVariance: TotalsFunction = logVarianceAt(0);

/** log of numerator over denominator, columns of the totals */
export const logRatioOf =
  (numerator: number, denominator: number): TotalsFunction =>
  (totals) => {
    const [a, b] = [totals[numerator], totals[denominator]];
    return a > 0 && b > 0 ? Math.log(a / b) : NaN;
  };

/** sum of weighted statistics: levels, slopes and residuals of curves */
export const combination =
  (terms: readonly { weight: number; of: TotalsFunction }[]): TotalsFunction =>
  (totals) =>
    terms.reduce((sum, { weight, of }) => sum + weight * of(totals), 0);

/** (count, sum) -> mean */
export const meanStatistic: TotalsFunction = (totals) => totals[1] / totals[0];

/** (n, x, y, xx, xy, yy) -> atanh of Pearson's correlation (Fisher's z) */
export const fisherZ: TotalsFunction = (totals) => {
  const at = (k: number): number => totals[k] / totals[0];
  const sxx = at(3) - at(1) * at(1);
  const sxy = at(4) - at(1) * at(2);
  const syy = at(5) - at(2) * at(2);
  if (!(sxx > 0 && syy > 0)) return NaN;
  const r = sxy / Math.sqrt(sxx * syy);
  return Math.abs(r) < 1 ? Math.atanh(r) : NaN;
};

/**
 * (n, S1, S2, S3, S4) power sums -> log of the kurtosis m4 / m2^2 (moment estimator; log 3 for a
 * normal). The logarithm, because the estimator is skewed to the right.
 */
export const logKurtosis: TotalsFunction = (totals) => {
  const n = totals[0];
  const raw = (k: number): number => totals[k] / n;
  const [m1, r2, r3, r4] = [raw(1), raw(2), raw(3), raw(4)];
  const m2 = r2 - m1 * m1;
  if (!(m2 > 0)) return NaN;
  const m4 = r4 - 4 * m1 * r3 + 6 * m1 * m1 * r2 - 3 * m1 ** 4;
  return m4 > 0 ? Math.log(m4 / (m2 * m2)) : NaN;
};

/** (n, sum w, sum w^2) -> log of the effective sample size over n, (sum w)^2 / (n sum w^2) (Kish) */
export const logEffectiveShare: TotalsFunction = (totals) => {
  const [n, w, ww] = [totals[0], totals[1], totals[2]];
  return n > 0 && w > 0 && ww > 0 ? Math.log((w * w) / (n * ww)) : NaN;
};
