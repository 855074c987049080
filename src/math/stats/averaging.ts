/**
 * Does averaging over L tokens divide the variance by L? The estimands of the claims about Var[log s | L], as
 * functions of sums over prompts (`jackknife.ts`).
 *
 *   level       sum_i L_i (log s_i - m(L_i))^2  over  sum_i mean_t (d_t - m(L_i))^2
 *
 * Both sums have the same expectation where the tokens of a response are uncorrelated, whatever their variance does
 * with position or length, and whatever their distribution: a token far out enters both alike, so that spikes
 * cancel and the quotient is known to sqrt(2 / responses). It splits into
 *
 *   level = 1 + covariance + prompt
 *
 * prompt: what different responses to one prompt share, sum_i L_i s_i mean_{j != i} s_j, over the same denominator.
 * covariance: what remains, the covariances between tokens of one response.
 */
import { newClusterSums, type ClusterSums } from './clusters';
import type { TotalsFunction } from './jackknife';
import { fitLogLine } from './log-linear';
import { informationOf, lengthClasses, type Responses } from './responses';

/** Columns of `averagingSums`. */
const enum Column {
  /** sum of L s^2 */
  observed,
  /** sum of the responses' mean squared token log-ratio */
  tokens,
  /** sum of L_i s_i mean_{j != i} s_j over prompts with two responses or more */
  pairs,
  /** tokens of those, and of all */
  pairTokens,
  allTokens,
  /** `observed` of those */
  pairObserved,
}

export function averagingSums({
  lengths,
  cluster,
  clusters,
  values,
  squares,
  correction,
}: Responses): ClusterSums {
  const sums = newClusterSums(clusters, 6);
  const column = (k: Column): Float64Array => sums.columns[k];
  const count = new Float64Array(clusters);
  const total = new Float64Array(clusters);
  const weighted = new Float64Array(clusters);
  const own = new Float64Array(clusters);
  const taken = new Float64Array(clusters);
  for (let i = 0; i < lengths.length; i++) {
    const g = cluster[i];
    const length = lengths[i];
    const s = values[i];
    const square = length * s * s;
    const leverage = 1 - 1 / correction[i];
    const add = (to: Float64Array, x: number): void => void (to[g] = to[g] + x);
    add(column(Column.observed), square * correction[i]);
    add(column(Column.tokens), squares[i] / length);
    add(column(Column.allTokens), length);
    add(count, 1);
    add(total, s);
    add(weighted, length * s);
    add(own, square);
    add(taken, (leverage * squares[i]) / length);
  }
  for (let g = 0; g < clusters; g++) {
    const m = count[g];
    if (m < 2) continue;
    // fitting the mean makes residuals of a prompt repel each other by about their leverage
    column(Column.pairs)[g] = (weighted[g] * total[g] - own[g]) / (m - 1) + taken[g];
    column(Column.pairTokens)[g] = column(Column.allTokens)[g];
    column(Column.pairObserved)[g] = column(Column.observed)[g];
  }
  return sums;
}

/** log of the level */
export const logLevel: TotalsFunction = (totals) => {
  const observed = totals[Column.observed];
  const tokens = totals[Column.tokens];
  return observed > 0 && tokens > 0 ? Math.log(observed / tokens) : NaN;
};

/** NaN where no prompt has two responses */
export const promptPart: TotalsFunction = (totals) => {
  const [pairs, pairTokens, allTokens, tokens] = [
    totals[Column.pairs],
    totals[Column.pairTokens],
    totals[Column.allTokens],
    totals[Column.tokens],
  ];
  return pairTokens > 0 && tokens > 0 ? (pairs / pairTokens) * (allTokens / tokens) : NaN;
};

/**
 * log of the mean square between prompts over that within, for `size` responses to each: Fisher's transform of the
 * intraclass correlation of log s, whose own distribution is skewed.
 */
export const promptLogF =
  (size: number): TotalsFunction =>
  (totals) => {
    const pairs = totals[Column.pairs];
    const observed = totals[Column.pairObserved];
    const between = observed + (size - 1) * pairs;
    const within = observed - pairs;
    return between > 0 && within > 0 ? Math.log(between / within) : NaN;
  };

/** Intraclass correlation from log F. */
export const correlationOfLogF = (logF: number, size: number): number =>
  Math.expm1(logF) / (Math.exp(logF) + size - 1);

/** The inverse of `correlationOfLogF`; its ends are minus and plus infinity. */
export const logFOfCorrelation = (r: number, size: number): number => {
  if (r >= 1) return Infinity;
  return 1 + (size - 1) * r > 0 ? Math.log((1 + (size - 1) * r) / (1 - r)) : -Infinity;
};

/** Responses that prompts with at least two have on average; NaN where none has. */
export function meanPromptSize({ cluster, clusters }: Responses): number {
  const counts = new Float64Array(clusters);
  for (const g of cluster) counts[g] = counts[g] + 1;
  const several = counts.filter((m) => m > 1);
  return several.length === 0 ? NaN : several.reduce((a, b) => a + b, 0) / several.length;
}

/** level - 1 - prompt; without prompts of two responses the two cannot be told apart: NaN */
export const covariancePart: TotalsFunction = (totals) =>
  Math.exp(logLevel(totals)) - 1 - promptPart(totals);

/** A curve of second moments over a covariate: per class (weighted count, weighted sum of q). */
export interface MomentCurve {
  sums: ClusterSums;
  /** [classes] abscissa */
  x: number[];
  /** slope of log E[q | x] on x */
  slope: TotalsFunction;
  /** the line through all data; null where there is none */
  line(totals: ArrayLike<number>): { intercept: number; slope: number } | null;
}

/** The moment curve of any squares; `classOf` in 0 .. x.length - 1. */
export function momentCurve(x: number[], clusters: number): MomentCurve {
  const sums = newClusterSums(clusters, 2 * x.length);
  const line = (totals: ArrayLike<number>) => {
    const w = x.map((_, k) => totals[2 * k]);
    const q = w.map((own, k) => (own > 0 ? totals[2 * k + 1] / own : 0));
    return fitLogLine(x, q, w);
  };
  return { sums, x, line, slope: (totals) => line(totals)?.slope ?? NaN };
}

function addMoment({ sums }: MomentCurve, g: number, k: number, weight: number, q: number): void {
  const w = sums.columns[2 * k];
  const wq = sums.columns[2 * k + 1];
  w[g] = w[g] + weight;
  wq[g] = wq[g] + weight * q;
}

/** Var[log s | L] over log L: all responses, each by its information. Slope -1 under the law. */
export function lengthCurve(responses: Responses): MomentCurve {
  const { lengths, cluster, clusters, values, correction, excess } = responses;
  const { classOf, at } = lengthClasses(lengths);
  const curve = momentCurve(at.map(Math.log), clusters);
  lengths.forEach((length, i) => {
    const square = values[i] ** 2 * correction[i];
    const k = classOf.get(length) as number;
    addMoment(curve, cluster[i], k, informationOf(length, excess), square);
  });
  return curve;
}

/** Variance of single tokens over the log length of their response. Slope 0 under the law. */
export function tokenCurve({ lengths, cluster, clusters, squares }: Responses): MomentCurve {
  const { classOf, at } = lengthClasses(lengths);
  const curve = momentCurve(at.map(Math.log), clusters);
  lengths.forEach((length, i) => {
    const k = classOf.get(length) as number;
    addMoment(curve, cluster[i], k, length, squares[i] / length);
  });
  return curve;
}

/** Var of the mean of the first k tokens, k on a grid, of the same responses. Slope -1 under the law. */
export function prefixMomentCurve(
  responses: Responses,
  points: readonly { length: number; members: ArrayLike<number>; values: Float64Array }[],
): MomentCurve {
  const { cluster, clusters, excess } = responses;
  const curve = momentCurve(
    points.map(({ length }) => Math.log(length)),
    clusters,
  );
  points.forEach(({ length, members, values }, k) => {
    const n = values.length;
    const center = values.reduce((sum, x) => sum + x / n, 0);
    const weight = informationOf(length, excess);
    for (let row = 0; row < n; row++) {
      const q = ((values[row] - center) ** 2 * n) / Math.max(1, n - 1);
      addMoment(curve, cluster[members[row]], k, weight, q);
    }
  });
  return curve;
}

/** Classes of position: one each for the first tokens, equal steps of the logarithm beyond. */
export function positionClasses(longest: number, most = 12): { edges: number[]; x: number[] } {
  const edges = [0];
  while ((edges.at(-1) as number) < longest) {
    const last = edges.at(-1) as number;
    const ratio = longest ** (1 / most);
    edges.push(Math.min(longest, Math.max(last + 1, Math.ceil(last * ratio))));
  }
  const x = edges.slice(1).map((end, k) => {
    const start = edges[k];
    return (Math.log(start + 1) + Math.log(end)) / 2;
  });
  return { edges, x };
}

/** Variance of single tokens over the log of their position. Slope 0 under the law. */
export function positionCurve(
  { cluster, clusters, expected, lengths }: Responses,
  logRatio: Float64Array,
  offsets: Uint32Array,
): MomentCurve {
  const longest = lengths.reduce((max, length) => Math.max(max, length), 1);
  const { edges, x } = positionClasses(longest);
  const curve = momentCurve(x, clusters);
  for (let i = 0; i < lengths.length; i++) {
    const start = offsets[i];
    const length = lengths[i];
    const mean = expected[i];
    const g = cluster[i];
    for (let k = 0; k < x.length && edges[k] < length; k++) {
      const to = Math.min(length, edges[k + 1]);
      let sum = 0;
      for (let t = edges[k]; t < to; t++) {
        sum += (logRatio[start + t] - mean) ** 2;
      }
      const count = to - edges[k];
      addMoment(curve, g, k, count, sum / count);
    }
  }
  return curve;
}

/**
 * Correlation of log s with log L, each response weighing its tokens: its square is the share of the variance of
 * log s that its length explains. Columns (w, x, y, xx, xy, yy).
 */
export function meanLengthSums({
  lengths,
  cluster,
  clusters,
  values,
  expected,
}: Responses): ClusterSums {
  const sums = newClusterSums(clusters, 6);
  const logs = Float64Array.from(lengths, Math.log);
  const total = lengths.reduce((sum, w) => sum + w, 0);
  const centerX = logs.reduce((sum, x, i) => sum + (x * lengths[i]) / total, 0);
  let centerY = 0;
  values.forEach((v, i) => {
    centerY += ((v + expected[i]) * lengths[i]) / total;
  });
  values.forEach((v, i) => {
    const w = lengths[i];
    const x = logs[i] - centerX;
    const y = v + expected[i] - centerY;
    const g = cluster[i];
    [w, w * x, w * y, w * x * x, w * x * y, w * y * y].forEach((term, k) => {
      const column = sums.columns[k];
      column[g] = column[g] + term;
    });
  });
  return sums;
}
