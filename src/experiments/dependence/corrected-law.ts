/**
 * The corrected law: Var[log s | L] = sigma^2/L (1 + 2 sum_k (1 - k/L) rho_k) + tau^2, estimated from
 * tokens and pairs of tokens only, so that comparing it with Var[log s] is a test and no tautology.
 *
 * Estimators (d centered on the token mean, everything token-weighted):
 *   C_k    mean of d_t d_{t+k} over pairs within a response: gamma_k + tau^2
 *   tau^2  mean of d_t d'_u over pairs in *different* responses to one prompt. That is the
 *          cross-product sum_g (S_g^2 - sum_i S_i^2) / sum_g (L_g^2 - sum_i L_i^2), S and L sums over
 *          tokens. Unknown (taken as 0) where no prompt has two responses.
 *   gamma_k = C_k - tau^2, sigma^2 = gamma_0, rho_k = gamma_k / gamma_0, cut at the automatic window.
 *
 * Contract: the law is linear in the C_k and tau^2, and its columns are the layout below, so intervals
 * of everything derived from it come from one bootstrap.
 */
import {
  joinSums,
  newClusterSums,
  type ClusterSums,
  type SmoothStatistic,
} from '../../math/stats/clusters';
import { addLogVariance } from '../../math/stats/statistics';
import type { Prepared } from '../shared/curves';

/** Column layout of `lawSums`: pair sums first, the cross-product of responses last. */
export interface LawLayout {
  window: number;
  /** first column of the law within the joined columns */
  at: number;
  /** false: no prompt has two responses, tau^2 is taken as 0 */
  hasPairs: boolean;
}

/** Columns (cross-products of responses, their token pairs), per prompt. */
export function responsePairSums(data: Prepared): ClusterSums {
  const { rollouts, cluster, centered, lengths, prompts } = data;
  const sums = newClusterSums(prompts, 2);
  const total = newClusterSums(prompts, 2);
  const [cross, pairs] = sums.columns as [Float64Array, Float64Array];
  const [sumOf, tokensOf] = total.columns as [Float64Array, Float64Array];
  for (let i = 0; i < lengths.length; i++) {
    const g = cluster[i] as number;
    const length = lengths[i] as number;
    let sum = 0;
    for (let t = rollouts.offsets[i] as number; t < (rollouts.offsets[i + 1] as number); t++) {
      sum += centered[t] as number;
    }
    cross[g] = (cross[g] as number) - sum * sum;
    pairs[g] = (pairs[g] as number) - length * length;
    sumOf[g] = (sumOf[g] as number) + sum;
    tokensOf[g] = (tokensOf[g] as number) + length;
  }
  for (let g = 0; g < prompts; g++) {
    pairs[g] = (pairs[g] as number) + (tokensOf[g] as number) ** 2;
    // a lone response cancels only to rounding
    cross[g] = (pairs[g] as number) > 0 ? (cross[g] as number) + (sumOf[g] as number) ** 2 : 0;
  }
  return sums;
}

/** The law's columns for a window: pairs and products at lags 0 .. window, then the cross-products. */
export function lawSums(
  lags: ClusterSums,
  responsePairs: ClusterSums,
  window: number,
): ClusterSums {
  return joinSums(
    { clusters: lags.clusters, columns: lags.columns.slice(0, 2 * (window + 1)) },
    responsePairs,
  );
}

export interface Law {
  tau2: number;
  /** C_k - tau^2, k = 0 .. window */
  gamma: Float64Array;
}

export function lawOf(totals: ArrayLike<number>, { window, at, hasPairs }: LawLayout): Law {
  const column = (k: number): number => totals[at + k] as number;
  const cross = 2 * (window + 1);
  const tau2 = hasPairs ? column(cross) / column(cross + 1) : 0;
  const gamma = Float64Array.from(
    { length: window + 1 },
    (_, lag) => column(2 * lag + 1) / column(2 * lag) - tau2,
  );
  return { tau2, gamma };
}

/**
 * Adds weight * (sum_k h_k gamma_k + share * tau^2)'s gradient to `gradient`.
 * @param slope derivative of the statistic with respect to that sum
 */
function addLawGradient(
  totals: Float64Array,
  gradient: Float64Array,
  { window, at, hasPairs }: LawLayout,
  h: Float64Array,
  share: number,
  slope: number,
): void {
  let rest = share;
  for (let lag = 0; lag <= window; lag++) {
    const own = slope * (h[lag] as number);
    rest -= h[lag] as number;
    addRatioGradient(totals, gradient, at + 2 * lag + 1, at + 2 * lag, own);
  }
  if (hasPairs) {
    const cross = at + 2 * (window + 1);
    addRatioGradient(totals, gradient, cross, cross + 1, slope * rest);
  }
}

function addRatioGradient(
  totals: Float64Array,
  gradient: Float64Array,
  numerator: number,
  denominator: number,
  slope: number,
): void {
  const below = totals[denominator] as number;
  const value = (totals[numerator] as number) / below;
  gradient[numerator] = (gradient[numerator] as number) + slope / below;
  gradient[denominator] = (gradient[denominator] as number) - (slope * value) / below;
}

/** sum_k h_k gamma_k + share tau^2; all columns are the law's (at = 0). */
export function lawStatistic(layout: LawLayout, h: Float64Array, share: number): SmoothStatistic {
  return (totals, gradient) => {
    gradient.fill(0);
    const law = lawOf(totals, layout);
    addLawGradient(totals, gradient, layout, h, share, 1);
    return h.reduce(
      (sum, weight, lag) => sum + weight * (law.gamma[lag] as number),
      share * law.tau2,
    );
  };
}

/** sum_k h_k rho_k, rho_k = gamma_k / gamma_0. */
export function correlationStatistic(layout: LawLayout, h: Float64Array): SmoothStatistic {
  const first = new Float64Array(layout.window + 1);
  first[0] = 1;
  return (totals, gradient) => {
    gradient.fill(0);
    const { gamma } = lawOf(totals, layout);
    const variance = gamma[0] as number;
    if (!(variance > 0)) return NaN;
    const value =
      h.reduce((sum, weight, lag) => sum + weight * (gamma[lag] as number), 0) / variance;
    addLawGradient(totals, gradient, layout, h, 0, 1 / variance);
    addLawGradient(totals, gradient, layout, first, 0, -value / variance);
    return value;
  };
}

/**
 * sum_b weight_b log(Var_b / law_b): level or tilt of the residuals around the corrected law. Columns:
 * (count, sum, sum of squares) per point, then the law's at layout.at = 3 * points.
 * @param h per point, `meanVarianceWeights` of its lengths
 */
export function residualStatistic(
  layout: LawLayout,
  h: readonly Float64Array[],
  weights: readonly number[],
): SmoothStatistic {
  return (totals, gradient) => {
    gradient.fill(0);
    const law = lawOf(totals, layout);
    let value = 0;
    for (let b = 0; b < h.length; b++) {
      const weight = weights[b] as number;
      const own = h[b] as Float64Array;
      let predicted = law.tau2;
      for (let lag = 0; lag < own.length; lag++) {
        predicted += (own[lag] as number) * (law.gamma[lag] as number);
      }
      if (!(predicted > 0)) return NaN;
      value += addLogVariance(totals, gradient, 3 * b, weight) - weight * Math.log(predicted);
      addLawGradient(totals, gradient, layout, own, 1, -weight / predicted);
    }
    return value;
  };
}
