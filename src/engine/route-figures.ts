/**
 * What a study of routes says, from rollouts and their routes: pure, with intervals over prompts. Contract: `route-study.ts`
 * runs it.
 */
import { evaluateObjective } from '../math/objectives/evaluate';
import { recommended } from '../math/objectives/registry';
import { addToCluster, newClusterSums, type ClusterSums } from '../math/stats/clusters';
import { PromptIntervals, transformed, type Estimate } from '../math/stats/intervals';
import { logKurtosis } from '../math/stats/statistics';
import { mean, variance } from '../math/summation';
import type { Weights } from '../policy/graph/lift';
import { promptClusters } from '../rollouts/clusters';
import type { Rollouts } from '../rollouts/rollouts';

/** Share of the way; 1 is the new policy. */
export const ALPHAS = [1 / 16, 1 / 8, 1 / 4, 1 / 2, 1, 2] as const;
/** Between these the growth of the flips is judged. */
export const GROWTH = { from: 1 / 8, to: 1 } as const;

export interface FlipPoint {
  /** share of the way, or steps of training */
  at: number;
  /** of (token, layer), whose set of experts changed */
  share: Estimate;
  /** of the straight line between the policies' routers; of checkpoints: in proportion to how far the weights moved */
  predicted: number;
}

/** One policy's pair at the spread that both have. */
export interface DenseOrExperts {
  policy: string;
  old: string;
  new: string;
  /** share of the way from old to new */
  alpha: number;
  /** Var[d_t], nats^2 */
  variance: Estimate;
  /** of d_t about its mean; 3 for a normal */
  kurtosis: Estimate;
  /** of the sum of squares of d_t about its mean, what the largest hundredth of the tokens bring */
  largest: Estimate;
  /** Var[log s] over Var[d_t] mean(1/L): 1 where tokens are independent */
  level: Estimate;
  /** tokens behind a closed gate at published bands */
  clipped: { gspo: Estimate; grpo: Estimate };
}

export interface RouteStudy {
  policy: string;
  old: string;
  new: string;
  sequences: number;
  tokens: number;
  layers: number;
  alphas: FlipPoint[];
  /** slope of log share over log alpha between GROWTH's ends; 1: in proportion */
  growth: Estimate;
  /** from where training by reinforcement began; empty where nothing is known of it */
  training: { start: string; series: { name: string; points: FlipPoint[] }[] };
  /** null: no dense policy of the same task is there */
  sides: { experts: DenseOrExperts; dense: DenseOrExperts } | null;
}

export interface StudyProgress {
  doing: string;
  /** 0 to 1 */
  fraction: number;
}

const ratios = ({ logpOld, logpNew }: Rollouts): Float64Array =>
  Float64Array.from(logpOld, (x, t) => (logpNew[t] as number) - x);

export const spreadOf = (rollouts: Rollouts): number => variance(ratios(rollouts));

/** Root of the summed squares of all differences over that of the start. */
export function distance(a: Weights, b: Weights): number {
  let sum = 0;
  for (const [name, { values }] of a) {
    const other = b.get(name)?.values;
    if (other === undefined) continue;
    for (let i = 0; i < values.length; i++) {
      sum += ((other[i] as number) - (values[i] as number)) ** 2;
    }
  }
  return Math.sqrt(sum);
}

/** Sums by prompt. @param terms of response i, tokens from..to */
function sumsOf(
  rollouts: Rollouts,
  columns: number,
  terms: (i: number, from: number, to: number) => readonly number[],
): ClusterSums {
  const { cluster, clusters } = promptClusters(rollouts);
  const sums = newClusterSums(clusters, columns);
  for (let i = 0; i + 1 < rollouts.offsets.length; i++) {
    const [from, to] = [rollouts.offsets[i], rollouts.offsets[i + 1]] as [number, number];
    addToCluster(sums, cluster[i] as number, terms(i, from, to));
  }
  return sums;
}

const intervals = new PromptIntervals();

const total = (values: ArrayLike<number>, from: number, to: number): number => {
  let sum = 0;
  for (let t = from; t < to; t++) sum += values[t] as number;
  return sum;
};

export function shareOf(rollouts: Rollouts, flips: Uint8Array, layers: number): Estimate {
  return intervals.estimate(
    sumsOf(rollouts, 2, (_, from, to) => [layers * (to - from), total(flips, from, to)]),
    (totals) => (totals[1] as number) / (totals[0] as number),
  );
}

export function growthOf(rollouts: Rollouts, few: Uint8Array, many: Uint8Array): Estimate {
  const span = Math.log(GROWTH.to / GROWTH.from);
  return intervals.estimate(
    sumsOf(rollouts, 2, (_, from, to) => [total(few, from, to), total(many, from, to)]),
    (totals) => {
      const [less, more] = [totals[0] as number, totals[1] as number];
      return less > 0 && more > 0 ? Math.log(more / less) / span : NaN;
    },
  );
}

export function sideOf(
  rollouts: Rollouts,
  what: Pick<DenseOrExperts, 'policy' | 'old' | 'new' | 'alpha'>,
): DenseOrExperts {
  const d = ratios(rollouts);
  const center = mean(d);
  const size = Float64Array.from(d, (x) => Math.abs(x - center)).sort();
  const edge = size[Math.floor(0.99 * size.length)] ?? Infinity;
  const power = (from: number, to: number, k: number) => {
    let sum = 0;
    for (let t = from; t < to; t++) sum += ((d[t] as number) - center) ** k;
    return sum;
  };
  const powers = sumsOf(rollouts, 5, (_, from, to) => [
    to - from,
    ...[1, 2, 3, 4].map((k) => power(from, to, k)),
  ]);
  const closed = (id: 'gspo' | 'grpo') => {
    const settings = recommended(id, 'trl');
    if (settings === null) throw new TypeError(`TRL has ${id}.`);
    const { gate } = evaluateObjective(rollouts, settings);
    const shut = Uint8Array.from(gate, (open) => (open === 0 ? 1 : 0));
    return shareOf(rollouts, shut, 1);
  };
  const at = (totals: ArrayLike<number>, k: number) =>
    (totals[k] as number) / (totals[0] as number);
  const logVariance = (totals: ArrayLike<number>) => Math.log(at(totals, 2) - at(totals, 1) ** 2);
  // tokens, sum, squares of d; responses, sum of log s, its squares, sum of 1/L
  const levels = sumsOf(rollouts, 7, (_, from, to) => {
    const length = to - from;
    const own = length > 0 ? power(from, to, 1) / length : 0;
    const counted = length > 0 ? [1, own, own ** 2, 1 / length] : [0, 0, 0, 0];
    return [length, power(from, to, 1), power(from, to, 2), ...counted];
  });
  return {
    ...what,
    variance: transformed(intervals.estimate(powers, logVariance), Math.exp),
    kurtosis: transformed(intervals.estimate(powers, logKurtosis), Math.exp),
    largest: intervals.estimate(
      sumsOf(rollouts, 2, (_, from, to) => {
        let sum = 0;
        for (let t = from; t < to; t++) {
          const x = Math.abs((d[t] as number) - center);
          if (x >= edge) sum += x * x;
        }
        return [power(from, to, 2), sum];
      }),
      (totals) => (totals[1] as number) / (totals[0] as number),
    ),
    level: transformed(
      intervals.estimate(levels, (totals) => {
        const n = totals[3] as number;
        const one = (k: number) => (totals[k] as number) / n;
        const sequence = one(5) - one(4) ** 2;
        return Math.log(sequence / (Math.exp(logVariance(totals)) * one(6)));
      }),
      Math.exp,
    ),
    clipped: { gspo: closed('gspo'), grpo: closed('grpo') },
  };
}
