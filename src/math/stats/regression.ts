/**
 * Weighted least squares of a line, as a linear combination of the ordinates, which is what intervals of
 * slopes need. Contract: weights >= 0, at least two different abscissae, else NaN.
 */

/**
 * Coefficients c_i with slope = sum_i c_i y_i.
 * @param x [n] abscissae
 * @param weights [n]
 */
export function slopeCoefficients(x: readonly number[], weights: readonly number[]): number[] {
  const total = weights.reduce((sum, w) => sum + w, 0);
  const center = x.reduce((sum, value, i) => sum + value * weights[i], 0) / total;
  const spread = x.reduce((sum, value, i) => sum + (value - center) ** 2 * weights[i], 0);
  return x.map((value, i) => ((value - center) * weights[i]) / spread);
}

/** Weights scaled to sum 1: the mean as a linear combination. */
export function meanCoefficients(weights: readonly number[]): number[] {
  const total = weights.reduce((sum, w) => sum + w, 0);
  return weights.map((w) => w / total);
}
