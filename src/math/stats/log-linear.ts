/**
 * How a variance changes with a covariate (log length, log position), every response counting and no logarithm
 * of a small sample taken: E[q | x] = exp(a + b x), fitted by the estimating equations of a gamma family,
 *
 *   sum_k w_k (q_k exp(-a - b x_k) - 1) (1, x_k) = 0,
 *
 * (McCullagh & Nelder 1989, ch. 8): unbiased whatever the distribution of q, because each term has mean 0 under
 * the model. q may be a single square (log s)^2; zeros are allowed.
 */

export interface LogLine {
  intercept: number;
  slope: number;
}

const MAX_STEPS = 60;

/**
 * @param x [n]
 * @param q [n] means of squares, >= 0
 * @param w [n] >= 0: how much each counts; 0 leaves it out
 * @returns null where fewer than two abscissae count or nothing varies
 */
export function fitLogLine(
  x: ArrayLike<number>,
  q: ArrayLike<number>,
  w: ArrayLike<number>,
): LogLine | null {
  const n = x.length;
  let total = 0;
  let center = 0;
  let mean = 0;
  for (let k = 0; k < n; k++) {
    const own = w[k];
    if (!(own > 0)) continue;
    total += own;
    center += own * x[k];
    mean += own * q[k];
  }
  if (!(total > 0) || !(mean > 0)) return null;
  center /= total;
  let spread = 0;
  for (let k = 0; k < n; k++) {
    if (w[k] > 0) spread += w[k] * (x[k] - center) ** 2;
  }
  if (!(spread > 1e-12 * total)) return null;
  let a = Math.log(mean / total);
  let b = 0;
  // sum w (q e^-eta + eta) is convex in (a, b): Newton's steps, halved where they overshoot
  const objective = (a0: number, b0: number): number => {
    let sum = 0;
    for (let k = 0; k < n; k++) {
      const own = w[k];
      if (!(own > 0)) continue;
      const eta = a0 + b0 * (x[k] - center);
      sum += own * (q[k] * Math.exp(-eta) + eta);
    }
    return sum;
  };
  let value = objective(a, b);
  for (let step = 0; step < MAX_STEPS; step++) {
    let ga = 0;
    let gb = 0;
    let haa = 0;
    let hab = 0;
    let hbb = 0;
    for (let k = 0; k < n; k++) {
      const own = w[k];
      if (!(own > 0)) continue;
      const dx = x[k] - center;
      const f = own * q[k] * Math.exp(-a - b * dx);
      ga += f - own;
      gb += (f - own) * dx;
      haa += f;
      hab += f * dx;
      hbb += f * dx * dx;
    }
    const det = haa * hbb - hab * hab;
    if (!(det > 0)) return null;
    let da = (hbb * ga - hab * gb) / det;
    let db = (haa * gb - hab * ga) / det;
    const size = Math.abs(da) + Math.abs(db);
    if (size > 2) {
      da *= 2 / size;
      db *= 2 / size;
    }
    let next = objective(a + da, b + db);
    for (let half = 0; half < 30 && !(next <= value + 1e-12 * Math.abs(value)); half++) {
      da /= 2;
      db /= 2;
      next = objective(a + da, b + db);
    }
    a += da;
    b += db;
    value = next;
    if (Math.abs(da) + Math.abs(db) < 1e-10) return { intercept: a - b * center, slope: b };
  }
  return null;
}

/**
 * Weighted least squares of a line, as a linear combination of the ordinates, which is what intervals of
 * slopes need. Contract: weights >= 0, at least two different abscissae, else NaN.
 *
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
