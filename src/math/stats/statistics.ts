/**
 * Smooth statistics for `clusters.ts`: functions of totals with their gradients. Contract: each is
 * homogeneous of degree 0 in its totals up to small-sample constants (n - 1 for n), which are left out
 * of the gradient. Values whose squares are summed must be centered near their mean first, or the
 * squares cancel.
 */
import type { SmoothStatistic } from './clusters';

/** One term of a `logCombination`; columns are indices into the totals. */
export type LogTerm =
  /** weight * log of the sample variance from (count, sum, sum of squares) at columns at, at+1, at+2 */
  | { kind: 'variance'; at: number; weight: number }
  /** weight * log(numerator / denominator) */
  | { kind: 'ratio'; numerator: number; denominator: number; weight: number };

/** sum of weighted logarithms of variances and ratios: levels, slopes and residuals of curves. */
export function logCombination(terms: readonly LogTerm[]): SmoothStatistic {
  return (totals, gradient) => {
    gradient.fill(0);
    let value = 0;
    for (const term of terms) {
      if (term.kind === 'variance') {
        value += addLogVariance(totals, gradient, term.at, term.weight);
      } else {
        const { numerator, denominator, weight } = term;
        const a = totals[numerator] as number;
        const b = totals[denominator] as number;
        if (!(a > 0 && b > 0)) return NaN;
        gradient[numerator] = (gradient[numerator] as number) + weight / a;
        gradient[denominator] = (gradient[denominator] as number) - weight / b;
        value += weight * Math.log(a / b);
      }
    }
    return value;
  };
}

/**
 * Adds the gradient of weight * log Var to `gradient` and returns the value, from the columns
 * (count, sum, sum of squares) that begin at `at`.
 */
export function addLogVariance(
  totals: Float64Array,
  gradient: Float64Array,
  at: number,
  weight: number,
): number {
  const n = totals[at] as number;
  const center = (totals[at + 1] as number) / n;
  const spread = (totals[at + 2] as number) / n - center * center;
  if (!(n > 1 && spread > 0)) return NaN;
  const scale = weight / (n * spread);
  gradient[at] = (gradient[at] as number) + scale * (center * center - spread);
  gradient[at + 1] = (gradient[at + 1] as number) - 2 * scale * center;
  gradient[at + 2] = (gradient[at + 2] as number) + scale;
  return weight * Math.log((spread * n) / (n - 1));
}

/** (count, sum, sum of squares) -> log of the sample variance */
export const logVariance: SmoothStatistic = logCombination([
  { kind: 'variance', at: 0, weight: 1 },
]);

/** (count, sum) -> mean */
export const meanStatistic: SmoothStatistic = (totals, gradient) => {
  const n = totals[0] as number;
  const value = (totals[1] as number) / n;
  gradient[0] = -value / n;
  gradient[1] = 1 / n;
  return value;
};

/** (n, x, y, xx, xy, yy) -> atanh of Pearson's correlation (Fisher's z) */
export const fisherZ: SmoothStatistic = (totals, gradient) => {
  const at = (k: number): number => totals[k] as number;
  const n = at(0);
  const mx = at(1) / n;
  const my = at(2) / n;
  const sxx = at(3) / n - mx * mx;
  const sxy = at(4) / n - mx * my;
  const syy = at(5) / n - my * my;
  if (!(sxx > 0 && syy > 0)) return NaN;
  const r = sxy / Math.sqrt(sxx * syy);
  if (!(Math.abs(r) < 1)) return NaN;
  // dz = (dsxy - r/2 (sqrt(syy/sxx) dsxx + sqrt(sxx/syy) dsyy)) / (sqrt(sxx syy) (1 - r^2))
  const scale = 1 / (n * Math.sqrt(sxx * syy) * (1 - r * r));
  const forX = (-r / 2) * Math.sqrt(syy / sxx);
  const forY = (-r / 2) * Math.sqrt(sxx / syy);
  gradient[0] = scale * (mx * my - sxy + forX * (mx * mx - sxx) + forY * (my * my - syy));
  gradient[1] = scale * (-my - 2 * forX * mx);
  gradient[2] = scale * (-mx - 2 * forY * my);
  gradient[3] = scale * forX;
  gradient[4] = scale;
  gradient[5] = scale * forY;
  return Math.atanh(r);
};

/** Columns of the one-way analysis of variance, per group: 1, m, S, Q = sum x^2, S^2/m, m^2. */
export interface Anova {
  /** MSB / MSW */
  f: number;
  betweenMeanSquare: number;
  withinMeanSquare: number;
  /** (N - sum m^2 / N) / (G - 1): the mean group size for unequal groups (Searle 1971) */
  m0: number;
}

/** @param totals (groups, N, S, Q, sum S^2/m, sum m^2) */
export function anova(totals: ArrayLike<number>): Anova {
  const at = (k: number): number => totals[k] as number;
  const groups = at(0);
  const n = at(1);
  const betweenMeanSquare = (at(4) - (at(2) * at(2)) / n) / (groups - 1);
  const withinMeanSquare = (at(3) - at(4)) / (n - groups);
  return {
    f: betweenMeanSquare / withinMeanSquare,
    betweenMeanSquare,
    withinMeanSquare,
    m0: (n - at(5) / n) / (groups - 1),
  };
}

/** (groups, N, S, Q, sum S^2/m, sum m^2) -> log(MSB / MSW), Fisher's transform of the ICC */
export const logF: SmoothStatistic = (totals, gradient) => {
  const at = (k: number): number => totals[k] as number;
  const groups = at(0);
  const n = at(1);
  const between = at(4) - (at(2) * at(2)) / n;
  const within = at(3) - at(4);
  if (!(between > 0 && within > 0 && n > groups && groups > 1)) return NaN;
  gradient[0] = -1 / groups - 1 / (n - groups);
  gradient[1] = (at(2) / n) ** 2 / between + 1 / (n - groups);
  gradient[2] = (-2 * at(2)) / (n * between);
  gradient[3] = -1 / within;
  gradient[4] = 1 / between + 1 / within;
  gradient[5] = 0;
  return Math.log(anova(totals).f);
};

/** ICC of the ANOVA estimator from F: (F - 1) / (F + m0 - 1); may be negative. */
export function intraclassCorrelation(f: number, m0: number): number {
  return (f - 1) / (f + m0 - 1);
}

/**
 * (n, S1, S2, S3, S4) power sums -> log of the kurtosis m4 / m2^2 (moment estimator; log 3 for a
 * normal). The logarithm, because the estimator is skewed to the right.
 */
export const logKurtosis: SmoothStatistic = (totals, gradient) => {
  const n = totals[0] as number;
  const raw = (k: number): number => (totals[k] as number) / n;
  const [m1, r2, r3, r4] = [raw(1), raw(2), raw(3), raw(4)];
  const m2 = r2 - m1 * m1;
  if (!(m2 > 0)) return NaN;
  const m3 = r3 - 3 * m1 * r2 + 2 * m1 ** 3;
  const m4 = r4 - 4 * m1 * r3 + 6 * m1 * m1 * r2 - 3 * m1 ** 4;
  const value = m4 / (m2 * m2);
  // influence of x on m4 / m2^2, c = x - m1: (c^4 - m4 - 4 m3 c) / m2^2 - 2 value (c^2 - m2) / m2
  const a = 1 / (m2 * m2 * n * value);
  const b = -2 / (m2 * n);
  gradient[0] = a * (m1 ** 4 - m4 + 4 * m3 * m1) + b * (m1 * m1 - m2);
  gradient[1] = a * (-4 * m1 ** 3 - 4 * m3) - 2 * b * m1;
  gradient[2] = a * 6 * m1 * m1 + b;
  gradient[3] = -4 * a * m1;
  gradient[4] = a;
  return Math.log(value);
};

/** (n, sum w, sum w^2) -> log of the effective sample size over n, (sum w)^2 / (n sum w^2) (Kish) */
export const logEffectiveShare: SmoothStatistic = (totals, gradient) => {
  const [n, w, ww] = [totals[0] as number, totals[1] as number, totals[2] as number];
  if (!(n > 0 && w > 0 && ww > 0)) return NaN;
  gradient[0] = -1 / n;
  gradient[1] = 2 / w;
  gradient[2] = -1 / ww;
  return Math.log((w * w) / (n * ww));
};
