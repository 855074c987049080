/**
 * Var[log s | L] from its parts, fitted on some prompts and judged on others:
 *
 *   v(L) = (1/L^2) sum_{t < L} sigma^2(t)                       variance of tokens, by position
 *        + (2/L^2) sum_{1 <= k <= W} rho_k sum_t sigma(t) sigma(t + k)   correlation at lag k
 *        + tau^2 (L - 1) / L                                    what a prompt does to all its responses
 *
 * around a mean that depends on the length (`responses.ts`). sigma^2(t) is constant within classes of position;
 * rho_k is the mean of d_t d_{t+k} / (sigma(t) sigma(t+k)) less what tau^2 makes of it, k up to Sokal's window;
 * tau^2 comes from different responses to one prompt. (sigma^2(t) includes tau^2, hence L - 1.) The naive law
 * beside it is sigma^2 / L. The sigma(t) that scale products are those of all prompts: weights, not predictions.
 *
 * Cross-fitting: prompts are dealt into FOLDS; each fold is predicted from the others, so every response is judged
 * once, by a law that never saw its prompt. Level: sum of L (log s - m(L))^2 over sum of L v(L); tilt: how log of
 * measured over predicted changes with log L. Standard errors by leaving out one prompt at a time, fit and all.
 */
import type { Measured } from './anytime';
import { automaticWindow } from './autocorrelation';
import { positionClasses } from './averaging';
import { fromDeletions } from './jackknife';
import { fitLogLine } from './log-linear';
import { variance } from '../summation';
import { lengthClasses, type Responses } from './responses';

const FOLDS = 5;
const CLASSES = 40;
const MAX_DELETIONS = 1500;

export interface LawFit {
  /** log of measured over predicted, prompts that the law was not fitted on */
  level: Measured;
  /** slope of that over log L */
  tilt: Measured;
}

/** Parts of Var[log s] over all responses, nats^2; they add up to `total`. */
export interface LawParts {
  /** sigma^2 mean(1/L): one sigma^2 for all tokens */
  naive: number;
  /** what the variance's dependence on the position adds or takes */
  position: number;
  covariance: number;
  prompt: number;
  /** variance of E[log s | L]: what the mean's dependence on the length adds over all responses */
  mean: number;
  /** what the law leaves */
  rest: number;
  total: number;
}

export interface LengthLaw {
  decomposed: LawFit;
  naive: LawFit;
  parts: LawParts;
  /** correlation at lags 0 .. maxLag, the prompt's part removed */
  autocorrelation: Float64Array;
  window: number;
  /** nats^2 */
  sigma2: number;
  tau2: number;
  /** Var[log s | L] as fitted on all prompts, nats^2 */
  predict(length: number): { naive: number; decomposed: number };
}

interface Layout {
  positions: number;
  lags: number;
  classes: number;
}

/**
 * Per prompt: positions (count, squares), lags (pairs, scaled products, sum of 1 / (sigma sigma)), pairs of responses
 * (2), classes (n, L s^2).
 */
const width = ({ positions, lags, classes }: Layout): number =>
  2 * positions + 3 * lags + 2 + 2 * classes;

interface Law {
  sigma2: Float64Array;
  pooled: number;
  /** [1 .. lags] */
  rho: Float64Array;
  tau2: number;
}

function lawFrom(totals: Float64Array, { positions, lags }: Layout): Law {
  const sigma2 = new Float64Array(positions);
  let count = 0;
  let squares = 0;
  for (let p = 0; p < positions; p++) {
    const n = totals[2 * p];
    const q = totals[2 * p + 1];
    count += n;
    squares += q;
    sigma2[p] = n > 0 ? q / n : NaN;
  }
  const pooled = squares / count;
  // positions that these prompts never reach
  for (let p = 0; p < positions; p++) if (Number.isNaN(sigma2[p])) sigma2[p] = pooled;
  const pairsAt = 2 * positions + 3 * lags;
  const pairs = totals[pairsAt + 1];
  const tau2 = pairs > 0 ? totals[pairsAt] / pairs : 0;
  const rho = new Float64Array(lags + 1);
  for (let k = 1; k <= lags; k++) {
    const own = 2 * positions + 3 * (k - 1);
    const n = totals[own];
    if (n > 0) {
      rho[k] = (totals[own + 1] - tau2 * totals[own + 2]) / n;
    }
  }
  return { sigma2, pooled, rho, tau2 };
}

/** sum over t < L - k of sigma(t) sigma(t + k), for the classes' lengths and lags up to the window: [class][lag] */
function neighbourScales(
  sd: Float64Array,
  lengths: readonly number[],
  window: number,
): Float64Array[] {
  const out = lengths.map(() => new Float64Array(window + 1));
  for (let k = 1; k <= window; k++) {
    let sum = 0;
    let t = 0;
    // lengths ascend; a mean length is not whole: its last token counts in part
    lengths.forEach((length, c) => {
      const end = length - k;
      for (; t + 1 <= end; t++) sum += sd[t] * sd[t + k];
      const part = Math.max(0, end - t);
      const extra = part > 0 ? part * sd[t] * (sd[t + k] ?? (sd.at(-1) as number)) : 0;
      (out[c] as Float64Array)[k] = sum + extra;
    });
  }
  return out;
}

/** L v(L), part by part */
function partsAt(law: Law, edges: readonly number[], length: number, scales: Float64Array) {
  let sum = 0;
  for (let p = 0; p < law.sigma2.length; p++) {
    const from = edges[p];
    if (from >= length) break;
    sum += (Math.min(length, edges[p + 1]) - from) * law.sigma2[p];
  }
  let covariance = 0;
  for (let k = 1; k < law.rho.length && k < length; k++) {
    covariance += ((2 * scales[k]) / length) * law.rho[k];
  }
  return { tokens: sum / length, covariance, prompt: law.tau2 * (length - 1) };
}

const scaled = (
  law: Law,
  edges: readonly number[],
  length: number,
  scales: Float64Array,
): number => {
  const { tokens, covariance, prompt } = partsAt(law, edges, length, scales);
  return tokens + covariance + prompt;
};

export function lengthLaw(
  responses: Responses,
  logRatio: Float64Array,
  offsets: Uint32Array,
  maxLag: number,
): LengthLaw {
  const { lengths, cluster, clusters, values, expected, correction } = responses;
  const longest = lengths.reduce((max, length) => Math.max(max, length), 1);
  const { edges, x: positionX } = positionClasses(longest);
  const positions = positionX.length;
  const { classOf, at } = lengthClasses(lengths, CLASSES);
  const limit = Math.max(0, Math.min(maxLag, longest - 1));
  const all: Layout = { positions, lags: limit, classes: at.length };
  const rows = Array.from({ length: clusters }, () => new Float64Array(width(all)));
  const lagAt = 2 * positions;
  const pairAt = lagAt + 3 * limit;
  const sd = positionSpread(responses, logRatio, offsets, edges);
  const classAt = pairAt + 2;
  const sizes = new Float64Array(clusters);
  const sum = new Float64Array(clusters);
  const weighted = new Float64Array(clusters);
  const own = new Float64Array(clusters);
  const tokens = new Float64Array(clusters);
  for (let i = 0; i < lengths.length; i++) {
    const g = cluster[i];
    const row = rows[g] as Float64Array;
    const add = (k: number, x: number): void => void (row[k] = row[k] + x);
    const start = offsets[i];
    const length = lengths[i];
    const mean = expected[i];
    const d = Float64Array.from({ length }, (_, t) => logRatio[start + t] - mean);
    for (let p = 0; p < positions && edges[p] < length; p++) {
      const to = Math.min(length, edges[p + 1]);
      for (let t = edges[p]; t < to; t++) add(2 * p + 1, d[t] ** 2);
      add(2 * p, to - edges[p]);
    }
    for (let k = 1; k <= limit && k < length; k++) {
      let products = 0;
      let inverse = 0;
      for (let t = 0; t + k < length; t++) {
        const scale = 1 / (sd[t] * sd[t + k]);
        products += d[t] * d[t + k] * scale;
        inverse += scale;
      }
      const own = lagAt + 3 * (k - 1);
      add(own, length - k);
      add(own + 1, products);
      add(own + 2, inverse);
    }
    const s = values[i];
    const c = classOf.get(length) as number;
    add(classAt + 2 * c, 1);
    add(classAt + 2 * c + 1, length * s * s * correction[i]);
    sizes[g] = sizes[g] + 1;
    sum[g] = sum[g] + s;
    weighted[g] = weighted[g] + length * s;
    own[g] = own[g] + length * s * s;
    tokens[g] = tokens[g] + length;
  }
  for (let g = 0; g < clusters; g++) {
    const m = sizes[g];
    if (m < 2) continue;
    const row = rows[g] as Float64Array;
    row[pairAt] = (weighted[g] * sum[g] - own[g]) / (m - 1);
    row[pairAt + 1] = tokens[g];
  }

  const totals = new Float64Array(width(all));
  for (const row of rows) for (let k = 0; k < row.length; k++) bump(totals, k, row[k]);
  const whole = lawFrom(totals, all);
  const autocorrelation = whole.rho.map((rho, k) => (k === 0 ? 1 : rho));
  const window = Math.min(limit, automaticWindow(autocorrelation));
  // lags beyond the window leave the law
  const layout: Layout = { ...all, lags: window };
  const kept = [
    ...Array.from({ length: lagAt + 3 * window }, (_, k) => k),
    ...Array.from({ length: 2 + 2 * at.length }, (_, k) => pairAt + k),
  ];
  const short = rows.map((row) => Float64Array.from(kept, (k) => row[k]));
  const observed = short.filter((_, g) => sizes[g] > 0);
  const scales = neighbourScales(sd, at, window);
  const { decomposed, naive } = crossFitted(observed, layout, edges, at, scales);

  const law = lawFrom(
    Float64Array.from(kept, (k) => totals[k]),
    layout,
  );
  return {
    decomposed,
    naive,
    parts: contributions(responses, law, edges, (length) => scales[classOf.get(length) as number]),
    autocorrelation,
    window,
    sigma2: law.pooled,
    tau2: law.tau2,
    predict: (length) => ({
      naive: law.pooled / length,
      decomposed: scaled(law, edges, length, neighbourScales(sd, [length], window)[0]) / length,
    }),
  };
}

function bump(into: Float64Array, k: number, by: number): void {
  into[k] = into[k] + by;
}

/** [longest] standard deviation of d_t by class of position, nats; never 0 */
function positionSpread(
  { lengths, expected }: Responses,
  logRatio: Float64Array,
  offsets: Uint32Array,
  edges: readonly number[],
): Float64Array {
  const longest = edges.at(-1) as number;
  const classOf = new Uint32Array(longest);
  for (let p = 0; p + 1 < edges.length; p++) classOf.fill(p, edges[p], edges[p + 1]);
  const counts = new Float64Array(edges.length);
  const squares = new Float64Array(edges.length);
  let all = 0;
  lengths.forEach((length, i) => {
    const start = offsets[i];
    for (let t = 0; t < length; t++) {
      const square = (logRatio[start + t] - expected[i]) ** 2;
      const p = classOf[t];
      bump(counts, p, 1);
      bump(squares, p, square);
      all += square;
    }
  });
  const pooled = all / Math.max(1, logRatio.length);
  return Float64Array.from(classOf, (p) => {
    const own = squares[p] / Math.max(1, counts[p]);
    return Math.sqrt(own > 0 ? own : pooled > 0 ? pooled : 1);
  });
}

function crossFitted(
  rows: readonly Float64Array[],
  layout: Layout,
  edges: readonly number[],
  at: readonly number[],
  scales: readonly Float64Array[],
): { decomposed: LawFit; naive: LawFit } {
  const size = width(layout);
  const classAt = 2 * layout.positions + 3 * layout.lags + 2;
  const folds = Array.from({ length: FOLDS }, () => new Float64Array(size));
  const total = new Float64Array(size);
  rows.forEach((row, g) => {
    const fold = folds[g % FOLDS] as Float64Array;
    for (let k = 0; k < size; k++) {
      bump(fold, k, row[k]);
      bump(total, k, row[k]);
    }
  });
  const x = at.map(Math.log);
  const train = new Float64Array(size);
  /** [level, tilt] of the decomposed law, then of the naive one */
  const evaluate = (): number[] => {
    const measured = new Float64Array(at.length);
    const counts = new Float64Array(at.length);
    const predicted = [new Float64Array(at.length), new Float64Array(at.length)] as const;
    for (const fold of folds) {
      for (let k = 0; k < size; k++) train[k] = total[k] - fold[k];
      const law = lawFrom(train, layout);
      for (let c = 0; c < at.length; c++) {
        const n = fold[classAt + 2 * c];
        if (n <= 0) continue;
        bump(counts, c, n);
        bump(measured, c, fold[classAt + 2 * c + 1]);
        bump(predicted[0], c, n * scaled(law, edges, at[c], scales[c]));
        bump(predicted[1], c, n * law.pooled);
      }
    }
    return predicted.flatMap((own) => {
      const above = measured.reduce((a, b) => a + b, 0);
      const below = own.reduce((a, b) => a + b, 0);
      if (!own.every((v, c) => counts[c] === 0 || v > 0)) return [NaN, NaN];
      const quotient = measured.map((m, c) => (counts[c] > 0 ? m / own[c] : 0));
      return [Math.log(above / below), fitLogLine(x, quotient, counts)?.slope ?? NaN];
    });
  };
  const whole = evaluate();
  const blocks = Math.min(rows.length, MAX_DELETIONS);
  const without = whole.map(() => new Float64Array(blocks));
  for (let b = 0; b < blocks; b++) {
    // a block is every `blocks`-th prompt: the prompts of one fold stay in it only where blocks divide so
    const change = (sign: number): void => {
      for (let g = b; g < rows.length; g += blocks) {
        const fold = folds[g % FOLDS] as Float64Array;
        const row = rows[g];
        for (let k = 0; k < size; k++) {
          const own = sign * row[k];
          bump(fold, k, own);
          bump(total, k, own);
        }
      }
    };
    change(-1);
    evaluate().forEach((value, i) => ((without[i] as Float64Array)[b] = value));
    change(1);
  }
  const [level, tilt, naiveLevel, naiveTilt] = whole.map((value, i) =>
    fromDeletions(value, without[i] as Float64Array, rows.length),
  ) as [Measured, Measured, Measured, Measured];
  return { decomposed: { level, tilt }, naive: { level: naiveLevel, tilt: naiveTilt } };
}

function contributions(
  { lengths, values, expected }: Responses,
  law: Law,
  edges: readonly number[],
  scalesOf: (length: number) => Float64Array,
): LawParts {
  const n = lengths.length;
  const parts = { naive: 0, position: 0, covariance: 0, prompt: 0 };
  const known = new Map<number, ReturnType<typeof partsAt>>();
  lengths.forEach((length) => {
    let own = known.get(length);
    if (own === undefined) known.set(length, (own = partsAt(law, edges, length, scalesOf(length))));
    const share = 1 / (n * length);
    parts.naive += law.pooled * share;
    parts.position += (own.tokens - law.pooled) * share;
    parts.covariance += own.covariance * share;
    parts.prompt += own.prompt * share;
  });
  const total = variance(values.map((s, i) => s + expected[i]));
  const mean = variance(expected);
  const { naive, position, covariance, prompt } = parts;
  const rest = total - mean - naive - position - covariance - prompt;
  return { ...parts, mean, rest, total };
}
