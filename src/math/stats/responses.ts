/**
 * Responses as the variance laws see them: log s of each, its tokens' squares, and what of log s its length
 * explains.
 *
 * Var[log s | L] is a variance around E[log s | L]. Where longer responses have drifted further, that mean moves
 * with the length and must not be taken for noise, for correlation or for a prompt's own effect: it is fitted as
 * a linear spline in log L (knots at the thirds of the responses), every response weighing as many tokens as it
 * has, and taken off all tokens of a response. As many coefficients are fitted as the prompts can carry.
 *
 * Contract: float64, pure; nothing is left out.
 */

export interface Responses {
  /** [n] tokens, >= 1 */
  lengths: Uint32Array;
  /** [n] prompt of each response, and how many prompts there are */
  cluster: Uint32Array;
  clusters: number;
  /** [n] log s minus `expected` */
  values: Float64Array;
  /** [n] E[log s | L] as fitted, nats */
  expected: Float64Array;
  /** [n] sum over the tokens of (d_t - expected)^2 */
  squares: Float64Array;
  /** [n] 1 / (1 - leverage): what fitting the mean took from (log s - expected)^2 comes back */
  correction: Float64Array;
  /** excess kurtosis of the token log-ratios around their response's expected mean, >= 0 */
  excess: number;
}

/** Prompts that each fitted coefficient of the mean wants. */
const PROMPTS_PER_KNOT = 16;

function basisOf(lengths: Uint32Array, clusters: number): (length: number) => number[] {
  const sorted = lengths.slice().sort();
  const n = sorted.length;
  const logAt = (share: number): number => Math.log(sorted[Math.min(n - 1, Math.floor(share * n))]);
  const [first, last] = [logAt(0), logAt(1)];
  const room = Math.max(0, Math.min(3, Math.floor(clusters / PROMPTS_PER_KNOT)));
  if (!(last > first) || room === 0) return () => [1];
  const knots = [logAt(1 / 3), logAt(2 / 3)]
    .filter((knot, k, all) => knot > first && knot < last && knot !== all[k - 1])
    .slice(0, room - 1);
  return (length) => {
    const x = Math.log(length);
    return [1, x - first, ...knots.map((knot) => Math.max(0, x - knot))];
  };
}

/** Solves a symmetric positive definite system and gives the inverse; null where it is singular. */
function inverse(matrix: number[][]): number[][] | null {
  const k = matrix.length;
  const rows = matrix.map((row, i) => [...row, ...row.map((_, j) => (i === j ? 1 : 0))]);
  for (let i = 0; i < k; i++) {
    const own = rows[i];
    const pivot = own[i];
    if (!(Math.abs(pivot) > 1e-12 * Math.abs(matrix[i][i]))) return null;
    for (let j = 0; j < 2 * k; j++) own[j] = own[j] / pivot;
    rows.forEach((other, r) => {
      if (r === i) return;
      const factor = other[i];
      for (let j = 0; j < 2 * k; j++) {
        other[j] = other[j] - factor * own[j];
      }
    });
  }
  return rows.map((row) => row.slice(k));
}

/**
 * @param logRatio [tokens] d_t, nats
 * @param offsets [n + 1]
 */
export function describeResponses(
  logRatio: Float64Array,
  offsets: Uint32Array,
  cluster: Uint32Array,
  clusters: number,
): Responses {
  const n = offsets.length - 1;
  const lengths = new Uint32Array(n);
  const means = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const from = offsets[i];
    const to = offsets[i + 1];
    let sum = 0;
    for (let t = from; t < to; t++) sum += logRatio[t];
    lengths[i] = to - from;
    means[i] = sum / (to - from);
  }
  const { expected, correction } = fittedMean(means, lengths, clusters);
  const squares = new Float64Array(n);
  let second = 0;
  let fourth = 0;
  for (let i = 0; i < n; i++) {
    const mean = expected[i];
    let sum = 0;
    for (let t = offsets[i]; t < offsets[i + 1]; t++) {
      const square = (logRatio[t] - mean) ** 2;
      sum += square;
      fourth += square * square;
    }
    squares[i] = sum;
    second += sum;
  }
  const tokens = logRatio.length;
  const kurtosis = second > 0 ? (fourth * tokens) / (second * second) : 3;
  return {
    lengths,
    cluster,
    clusters,
    values: means.map((mean, i) => mean - expected[i]),
    expected,
    squares,
    correction,
    excess: Math.max(0, kurtosis - 3),
  };
}

function fittedMean(means: Float64Array, lengths: Uint32Array, clusters: number) {
  const n = means.length;
  const expected = new Float64Array(n);
  const correction = new Float64Array(n).fill(1);
  if (n === 0) return { expected, correction };
  const full = basisOf(lengths, clusters);
  for (let size = full(1).length; size >= 1; size--) {
    const basis = (length: number): number[] => full(length).slice(0, size);
    const matrix = Array.from({ length: size }, () => new Array<number>(size).fill(0));
    const right = new Array<number>(size).fill(0);
    for (let i = 0; i < n; i++) {
      const length = lengths[i];
      const row = basis(length);
      row.forEach((x, a) => {
        right[a] = right[a] + length * x * means[i];
        row.forEach((y, b) => {
          matrix[a][b] = matrix[a][b] + length * x * y;
        });
      });
    }
    const inverted = inverse(matrix);
    if (inverted === null) continue;
    const byLength = new Map<number, { mean: number; correction: number }>();
    for (let i = 0; i < n; i++) {
      const length = lengths[i];
      let own = byLength.get(length);
      if (own === undefined) {
        const row = basis(length);
        const solved = inverted.map((line) => line.reduce((s, x, b) => s + x * (row[b] ?? 0), 0));
        const leverage = length * row.reduce((s, x, a) => s + x * solved[a], 0);
        own = {
          mean: solved.reduce((s, x, a) => s + x * right[a], 0),
          correction: 1 / Math.max(0.5, 1 - leverage),
        };
        byLength.set(length, own);
      }
      expected[i] = own.mean;
      correction[i] = own.correction;
    }
    return { expected, correction };
  }
  return { expected, correction };
}

/**
 * How much the square of a response's log s says, over a mean of L tokens of that excess kurtosis: the inverse of its
 * relative variance 2 + excess / L.
 */
export function informationOf(length: number, excess: number): number {
  return 1 / (2 + excess / length);
}

/**
 * Lengths in at most about `most` classes for sums: one length each at the short end, equal steps of log length
 * beyond.
 * @returns class of each length that occurs, and the mean length of each class
 */
export function lengthClasses(
  lengths: Uint32Array,
  most = 64,
): { classOf: Map<number, number>; at: number[] } {
  const counts = new Map<number, number>();
  for (const length of lengths) counts.set(length, (counts.get(length) ?? 0) + 1);
  const distinct = [...counts.keys()].sort((a, b) => a - b);
  const classOf = new Map<number, number>();
  const at: number[] = [];
  const [first, last] = [distinct[0] ?? 1, distinct.at(-1) ?? 1];
  const step = distinct.length <= most ? 1 : (last / first) ** (1 / most);
  let start = -Infinity;
  let sum = 0;
  let count = 0;
  for (const length of distinct) {
    if (length >= start * step && !(length === start)) {
      start = length;
      sum = 0;
      count = 0;
      at.push(length);
    }
    const own = counts.get(length) as number;
    sum += own * length;
    count += own;
    at[at.length - 1] = sum / count;
    classOf.set(length, at.length - 1);
  }
  return { classOf, at };
}
