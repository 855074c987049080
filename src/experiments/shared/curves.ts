/**
 * Curves over response length: what `variance`, `dependence`, `weights` and `length` share. A curve is
 * a list of points; a point is a set of responses (a bin of natural lengths) or of prefixes (the first k
 * tokens of the same responses), with the mean of d_t over the tokens that count.
 *
 * Natural bins compare different responses; the prefixes of one cohort compare the same responses at
 * different lengths, so nothing but the length differs. The cohort is every response with at least as
 * many tokens as the longest prefix.
 *
 * Contract: points ascend in length and hold every response (natural) or every response of the cohort (prefixes); a point
 * of few prompts has no interval; values are centered on the token mean, so that squares may be summed.
 */
import { addToCluster, newClusterSums, type ClusterSums } from '../../math/stats/clusters';
import { quantileSorted } from '../../math/stats/quantiles';
import { mean } from '../../math/summation';
import { promptClusters } from '../../rollouts/clusters';
import { tokenCount, type Rollouts } from '../../rollouts/rollouts';
import { ExperimentInputError, logRatios, responseLengths } from './input';
import { geometricLengthBins } from './length-bins';

/** Fewer points than this have no slope worth an interval. */
export const MIN_SLOPE_POINTS = 3;

export interface CurvePoint {
  minLength: number;
  maxLength: number;
  /** harmonic mean of the lengths: sigma^2 / length is the prediction for the bin */
  length: number;
  sequences: number;
  prompts: number;
  /** [sequences] indices into the rollouts */
  members: Uint32Array;
  /** [sequences] tokens that count: the whole response, or the prefix */
  lengths: Uint32Array;
  /** [sequences] mean of (d_t - center) over those tokens */
  values: Float64Array;
}

export interface Curve {
  kind: 'natural' | 'prefix';
  points: CurvePoint[];
  /** tokens that the points rest on, each counted once: per prompt (count, sum, sum of squares) */
  tokens: ClusterSums;
}

export interface Prepared {
  rollouts: Rollouts;
  /** [n] prompt of each response: the clusters of every interval */
  cluster: Uint32Array;
  /** distinct prompts, with or without responses */
  prompts: number;
  lengths: Uint32Array;
  /** [tokens] d_t - center */
  centered: Float64Array;
  /** mean of d_t over all tokens, nats */
  center: number;
}

/** @throws ExperimentInputError where a log-ratio is not finite: no variance exists then */
export function prepare(rollouts: Rollouts): Prepared {
  const centered = logRatios(rollouts);
  let bad = 0;
  while (bad < centered.length && Number.isFinite(centered[bad])) bad++;
  if (bad < centered.length) {
    const sequence = rollouts.offsets.findIndex((end) => end > bad) - 1;
    throw new ExperimentInputError(
      `Response ${sequence} has a log-ratio that is not finite (log pi_old ` +
        `${rollouts.logpOld[bad]}, log pi_theta ${rollouts.logpNew[bad]} at token ` +
        `${bad - rollouts.offsets[sequence]}). Leave that response out.`,
    );
  }
  const center = tokenCount(rollouts) > 0 ? mean(centered) : 0;
  for (let t = 0; t < centered.length; t++) centered[t] = centered[t] - center;
  const { cluster, clusters } = promptClusters(rollouts);
  return {
    rollouts,
    cluster,
    prompts: clusters,
    lengths: responseLengths(rollouts),
    centered,
    center,
  };
}

function promptsOf(members: Uint32Array, cluster: Uint32Array): number {
  const seen = new Set<number>();
  for (const i of members) seen.add(cluster[i]);
  return seen.size;
}

/** Whole responses in bins of equal steps of log length. */
export function naturalCurve(data: Prepared, bins: number): Curve {
  const { rollouts, cluster, lengths, centered } = data;
  const points = geometricLengthBins(lengths, bins).flatMap(({ minLength, maxLength, members }) => {
    const prompts = promptsOf(members, cluster);
    // one response has no variance; the slopes and levels count it all the same
    if (members.length < 2) return [];
    const own = Uint32Array.from(members, (i) => lengths[i]);
    return [
      {
        minLength,
        maxLength,
        length: members.length / own.reduce((sum, length) => sum + 1 / length, 0),
        sequences: members.length,
        prompts,
        members,
        lengths: own,
        values: Float64Array.from(members, (i) =>
          meanOf(centered, rollouts.offsets[i], lengths[i]),
        ),
      },
    ];
  });
  const all = Uint32Array.from(lengths.keys());
  return { kind: 'natural', points, tokens: tokenSums(data, all, Infinity) };
}

function meanOf(values: Float64Array, start: number, count: number): number {
  let sum = 0;
  for (let t = start; t < start + count; t++) sum += values[t];
  return sum / count;
}

/** Per prompt: (count, sum, sum of squares) of d_t - center over the first `limit` tokens of `members`. */
export function tokenSums(data: Prepared, members: Uint32Array, limit: number): ClusterSums {
  const { rollouts, cluster, centered, lengths } = data;
  const sums = newClusterSums(data.prompts, 3);
  for (const i of members) {
    const start = rollouts.offsets[i];
    const count = Math.min(limit, lengths[i]);
    let sum = 0;
    let squares = 0;
    for (let t = start; t < start + count; t++) {
      const d = centered[t];
      sum += d;
      squares += d * d;
    }
    addToCluster(sums, cluster[i], [count, sum, squares]);
  }
  return sums;
}

/**
 * The longest prefix that half of the responses still reach; `requested` 0 means that, another number
 * is cut to the longest response.
 */
export function prefixLimit(lengths: Uint32Array, requested: number): number {
  if (lengths.length === 0) return 0;
  const sorted = lengths.slice().sort();
  if (requested > 0) return Math.min(requested, sorted[sorted.length - 1]);
  return Math.floor(quantileSorted(sorted, 0.5));
}

/** 1 = first, limit = last, about `count` whole numbers in geometric progression */
export function prefixGrid(limit: number, count: number): number[] {
  const grid = new Set<number>();
  for (let i = 0; i < count; i++) grid.add(Math.round(limit ** (i / Math.max(1, count - 1))));
  return [...grid].filter((k) => k >= 1 && k <= limit);
}

/** Prefixes of the responses that have at least `limit` tokens. */
export function prefixCurve(data: Prepared, limit: number, count: number): Curve {
  const { rollouts, cluster, lengths, centered } = data;
  const cohort = Uint32Array.from(
    Array.from(lengths.keys()).filter((i) => limit > 0 && lengths[i] >= limit),
  );
  const prompts = promptsOf(cohort, cluster);
  const tokens = tokenSums(data, cohort, limit);
  if (cohort.length < 2) {
    return { kind: 'prefix', points: [], tokens };
  }
  const grid = prefixGrid(limit, count);
  const values = grid.map(() => new Float64Array(cohort.length));
  cohort.forEach((i, row) => {
    let t = rollouts.offsets[i];
    let done = 0;
    let sum = 0;
    grid.forEach((k, point) => {
      for (; done < k; done++) sum += centered[t++];
      (values[point] as Float64Array)[row] = sum / k;
    });
  });
  return {
    kind: 'prefix',
    points: grid.map((k, point) => ({
      minLength: k,
      maxLength: k,
      length: k,
      sequences: cohort.length,
      prompts,
      members: cohort,
      lengths: new Uint32Array(cohort.length).fill(k),
      values: values[point],
    })),
    tokens,
  };
}

/** Per prompt: (count, sum, sum of squares) of `of(value, length)` over the point's responses. */
export function momentSums(
  data: Prepared,
  point: CurvePoint,
  of: (value: number, length: number) => number = (value) => value,
): ClusterSums {
  const { cluster } = data;
  const columns: Float64Array[] = [0, 1, 2].map(() => new Float64Array(data.prompts));
  const [count, sum, squares] = columns as [Float64Array, Float64Array, Float64Array];
  // plain loop: this runs over every response of every point
  for (let row = 0; row < point.members.length; row++) {
    const g = cluster[point.members[row]];
    const x = of(point.values[row], point.lengths[row]);
    count[g] = count[g] + 1;
    sum[g] = sum[g] + x;
    squares[g] = squares[g] + x * x;
  }
  return { clusters: data.prompts, columns };
}
