/**
 * Flips of routes and the log-ratios where they happened. Contract: reads the token tables `router.old` and `router.new`
 * (`policy/graph/routes.ts`); rollouts without them have nothing to measure. Margins are pi_old's, so that bins do not
 * depend on what pi_theta did.
 */
import { routingFlips } from '../../math/routing';
import { evaluateObjective } from '../../math/objectives/evaluate';
import {
  CLIPPED_IDS,
  OBJECTIVES,
  recommended,
  type ObjectiveId,
} from '../../math/objectives/registry';
import type { Measured } from '../../math/stats/anytime';
import { PromptIntervals, transformed, type Estimate } from '../../math/stats/intervals';
import { jackknifeOf, type TotalsFunction } from '../../math/stats/jackknife';
import { quantileSorted } from '../../math/stats/quantiles';
import { meanStatistic } from '../../math/stats/statistics';
import { mean } from '../../math/summation';
import { promptClusters } from '../../rollouts/clusters';
import { REPLAYED, sequenceCount, tokenCount, type Rollouts } from '../../rollouts/rollouts';
import type { ExperimentContext } from '../experiment';
import { logRatios, stage } from '../shared/input';
import { PromptSums, withRuleOfThree } from '../shared/proportions';
import type { CurveSettings } from '../shared/settings';

export interface MeasuredMarginBin {
  /** mean margin of the bin's tokens, logits */
  at: number;
  low: number;
  high: number;
  tokens: number;
  flipped: number;
  /** mean squared deviation of d_t from its overall mean, nats^2; null where there are no such tokens */
  where: Record<'flipped' | 'kept', Estimate | null>;
}

/** Levels at which the log-ratio varies: of a token, of s (mean over the response), of rho (sum over it). */
const LEVELS = ['token', 'sequence', 'product'] as const;
export type Level = (typeof LEVELS)[number];

/** The same tokens with pi_theta on its own routes, and on those of pi_old. */
export interface MeasuredReplay {
  /** variances, nats^2 */
  variance: Record<Level, Record<'free' | 'replayed', Estimate>>;
  /** log of the variance on pi_old's routes over that on its own */
  left: Record<Level, Estimate>;
  /** how much more of it is left in log s than in d_t, on the log scale */
  apart: Measured;
  /** share outside the band: of responses by s (GSPO), of tokens by their ratio (GRPO) */
  outside: Record<'sequence' | 'token', Record<'free' | 'replayed', Estimate>>;
  /** what each objective makes of either, in TRL's convention where TRL has it, else in verl's */
  objectives: ReplayedObjective[];
  /** log of how much of GSPO's gradient replay moves, over how much of GRPO's */
  gspoAgainstGrpo: Measured;
}

export interface ReplayedObjective {
  id: ObjectiveId;
  title: string;
  /** tokens behind a closed gate, share; null where the objective has none to close */
  clipped: Record<'free' | 'replayed' | 'difference', Estimate> | null;
  /** sum over tokens of |change of the gradient by replay|, over the sum of |gradient| without replay */
  moved: Estimate;
}

export interface MeasuredExperts {
  sequences: number;
  tokens: number;
  /** null: the rollouts carry no routes */
  measure: {
    layers: number;
    /** [layers] share of tokens whose experts changed there */
    byLayer: Estimate[];
    /** tokens that flipped in some layer, share */
    flipped: Estimate;
    bins: MeasuredMarginBin[];
    /** log of Var[d_t] where flipped over that where not, at the margins of the flipped ones */
    inflation: Measured;
    /** of Var[log s], what flipped tokens bring, less their share of the tokens */
    excess: Measured;
    /** of Var[log s], what flipped tokens bring */
    share: Measured;
    /** null: the rollouts were not scored on pi_old's routes */
    replay: MeasuredReplay | null;
  } | null;
}

export async function measureExperts(
  rollouts: Rollouts,
  { bins: count }: CurveSettings,
  context: ExperimentContext,
): Promise<MeasuredExperts> {
  const sequences = sequenceCount(rollouts);
  const tokens = tokenCount(rollouts);
  const before = rollouts.tables?.['router.old'];
  const after = rollouts.tables?.['router.new'];
  if (!before || !after || tokens === 0) return { sequences, tokens, measure: null };
  const { layers, flips, margin } = routingFlips(before, after);
  const d = logRatios(rollouts);
  const center = mean(d);
  const squares = d.map((x) => (x - center) ** 2);
  const { offsets } = rollouts;
  const { cluster } = promptClusters(rollouts);
  const intervals = new PromptIntervals(context);
  const collect = (columns: number, of: (t: number) => readonly number[] | null) => {
    const sums = new PromptSums(cluster, columns);
    for (let i = 0; i < sequences; i++) {
      for (let t = offsets[i]; t < offsets[i + 1]; t++) {
        const terms = of(t);
        if (terms !== null) sums.add(i, terms);
      }
    }
    return sums.sums;
  };
  const share = (hit: (t: number) => boolean) =>
    intervals.estimate(
      collect(2, (t) => [1, hit(t) ? 1 : 0]),
      meanStatistic,
    );
  const { width } = before;
  const byLayer = Array.from({ length: layers }, (_, layer) =>
    share((t) => {
      const at = t * width + 2 * layer;
      return before.values[at] !== after.values[at];
    }),
  );
  await stage(context, 0.3);

  const sorted = Float64Array.from(margin).sort();
  const edges = Array.from({ length: count + 1 }, (_, k) => quantileSorted(sorted, k / count));
  const binOf = margin.map((x) => {
    let k = 0;
    while (k + 1 < count && x >= edges[k + 1]) k++;
    return k;
  });
  const bins = Array.from({ length: count }, (_, k) => k).flatMap((k) => {
    const own = Array.from(binOf.keys()).filter((t) => binOf[t] === k);
    if (own.length === 0) return [];
    const among = (flipped: boolean) => {
      if (!own.some((t) => (flips[t] !== 0) === flipped)) return null;
      return intervals.estimate(
        collect(2, (t) =>
          binOf[t] === k && (flips[t] !== 0) === flipped ? [1, squares[t]] : null,
        ),
        meanStatistic,
      );
    };
    return [
      {
        at: own.reduce((sum, t) => sum + margin[t], 0) / own.length,
        low: edges[k],
        high: edges[k + 1],
        tokens: own.length,
        flipped: own.filter((t) => flips[t] !== 0).length,
        where: { flipped: among(true), kept: among(false) },
      },
    ];
  });
  await stage(context, 0.7);

  const matched = collect(4 * count, (t) => {
    const terms = new Array<number>(4 * count).fill(0);
    const at = 4 * binOf[t] + (flips[t] === 0 ? 2 : 0);
    terms[at] = 1;
    terms[at + 1] = squares[t];
    return terms;
  });
  const parts = new PromptSums(cluster, 7);
  for (let i = 0; i < sequences; i++) {
    const [from, to] = [offsets[i], offsets[i + 1]];
    let [turned, all, flippedTokens] = [0, 0, 0];
    for (let t = from; t < to; t++) {
      all += d[t] - center;
      if (flips[t] === 0) continue;
      turned += d[t] - center;
      flippedTokens++;
    }
    const [x, y] = [turned / (to - from), all / (to - from)];
    parts.add(i, [1, x, y, x * y, y * y, flippedTokens, to - from]);
  }
  const brought: TotalsFunction = (totals) => {
    const at = (k: number) => totals[k] / totals[0];
    return (at(3) - at(1) * at(2)) / (at(4) - at(2) ** 2);
  };
  return {
    sequences,
    tokens,
    measure: {
      layers,
      byLayer,
      flipped: share((t) => flips[t] !== 0),
      bins,
      inflation: jackknifeOf(matched, inflationOver(count)),
      share: jackknifeOf(parts.sums, brought),
      excess: jackknifeOf(parts.sums, (totals) => brought(totals) - totals[5] / totals[6]),
      replay: measureReplay(rollouts, d, cluster, intervals),
    },
  };
}

/** Bands of TRL's and verl's defaults, around 1. */
const BANDS = { sequence: [3e-4, 4e-4], token: [0.2, 0.2] } as const;

/** Columns of sums: how many, and sum and sum of squares on own routes and on pi_old's, and how many of each are outside. */
const COLUMNS = 7;

function measureReplay(
  rollouts: Rollouts,
  d: Float64Array,
  cluster: Uint32Array,
  intervals: PromptIntervals,
): MeasuredReplay | null {
  const { offsets, logpOld } = rollouts;
  const replayed = rollouts.tables?.[REPLAYED]?.values;
  if (replayed === undefined) return null;
  const sums = new PromptSums(cluster, COLUMNS * LEVELS.length);
  const outside = (x: number, [low, high]: readonly [number, number]) =>
    Math.exp(x) < 1 - low || Math.exp(x) > 1 + high ? 1 : 0;
  for (let i = 0; i < sequenceCount(rollouts); i++) {
    const [from, to] = [offsets[i], offsets[i + 1]];
    const terms = new Array<number>(COLUMNS * LEVELS.length).fill(0);
    const put = (level: number, x: number, y: number, band?: readonly [number, number]) => {
      const all = [
        1,
        x,
        x * x,
        y,
        y * y,
        ...(band ? [outside(x, band), outside(y, band)] : [0, 0]),
      ];
      all.forEach((term, k) => (terms[COLUMNS * level + k] += term));
    };
    let [own, other] = [0, 0];
    for (let t = from; t < to; t++) {
      const e = replayed[t] - logpOld[t];
      put(0, d[t], e, BANDS.token);
      own += d[t];
      other += e;
    }
    if (to > from) put(1, own / (to - from), other / (to - from), BANDS.sequence);
    put(2, own, other);
    sums.add(i, terms);
  }
  const variance =
    (level: number, which: 0 | 1): TotalsFunction =>
    (totals) => {
      const at = (k: number) => totals[COLUMNS * level + k] / totals[COLUMNS * level];
      return at(2 + 2 * which) - at(1 + 2 * which) ** 2;
    };
  const left =
    (level: number): TotalsFunction =>
    (totals) => {
      const [free, after] = [variance(level, 0)(totals), variance(level, 1)(totals)];
      return free > 0 && after > 0 ? Math.log(after / free) : NaN;
    };
  const share = (level: number, which: 0 | 1) =>
    intervals.estimate(
      sums.sums,
      (totals) => totals[COLUMNS * level + 5 + which] / totals[COLUMNS * level],
    );
  const both = (of: (which: 0 | 1) => Estimate) => ({ free: of(0), replayed: of(1) });
  const levels = <T>(of: (level: number) => T) =>
    Object.fromEntries(LEVELS.map((id, level) => [id, of(level)])) as Record<Level, T>;
  return {
    variance: levels((level) =>
      both((which) => {
        const logged: TotalsFunction = (totals) => Math.log(variance(level, which)(totals));
        return transformed(intervals.estimate(sums.sums, logged), Math.exp);
      }),
    ),
    left: levels((level) => intervals.estimate(sums.sums, left(level))),
    apart: jackknifeOf(sums.sums, (totals) => left(1)(totals) - left(0)(totals)),
    outside: {
      token: both((which) => share(0, which)),
      sequence: both((which) => share(1, which)),
    },
    ...measureObjectives(rollouts, replayed, cluster, intervals),
  };
}

/** Columns of sums by objective: tokens, closed gates on own routes and on pi_old's, |gradient|, |its change|. */
const OBJECTIVE_COLUMNS = 5;

function measureObjectives(
  rollouts: Rollouts,
  replayed: ArrayLike<number>,
  cluster: Uint32Array,
  intervals: PromptIntervals,
): Pick<MeasuredReplay, 'objectives' | 'gspoAgainstGrpo'> {
  const { offsets } = rollouts;
  const onOld = { ...rollouts, logpNew: Float64Array.from(replayed) };
  const judged = OBJECTIVES.flatMap(({ id, title }) => {
    const settings = recommended(id, 'trl') ?? recommended(id, 'verl');
    if (settings === null) return [];
    const free = evaluateObjective(rollouts, settings);
    const other = evaluateObjective(onOld, settings);
    return [{ id, title, free, other }];
  });
  const sums = new PromptSums(cluster, OBJECTIVE_COLUMNS * judged.length);
  for (let i = 0; i < sequenceCount(rollouts); i++) {
    const terms = new Array<number>(OBJECTIVE_COLUMNS * judged.length).fill(0);
    judged.forEach(({ free, other }, k) => {
      const at = OBJECTIVE_COLUMNS * k;
      for (let t = offsets[i]; t < offsets[i + 1]; t++) {
        terms[at]++;
        terms[at + 1] += free.gate[t] === 0 ? 1 : 0;
        terms[at + 2] += other.gate[t] === 0 ? 1 : 0;
        terms[at + 3] += Math.abs(free.gradient[t]);
        terms[at + 4] += Math.abs(other.gradient[t] - free.gradient[t]);
      }
    });
    sums.add(i, terms);
  }
  const placeOf = (id: ObjectiveId) => OBJECTIVE_COLUMNS * judged.findIndex((own) => own.id === id);
  const over =
    (at: number, above: number, below: number): TotalsFunction =>
    (totals) =>
      totals[at + below] > 0 ? totals[at + above] / totals[at + below] : NaN;
  const closes = new Set<string>(CLIPPED_IDS);
  return {
    objectives: judged.map(({ id, title }): ReplayedObjective => {
      const at = placeOf(id);
      const share = (column: number) =>
        withRuleOfThree(intervals.estimate(sums.sums, over(at, column, 0)));
      return {
        id,
        title,
        clipped: closes.has(id)
          ? {
              free: share(1),
              replayed: share(2),
              difference: intervals.estimate(
                sums.sums,
                (totals) => over(at, 2, 0)(totals) - over(at, 1, 0)(totals),
              ),
            }
          : null,
        moved: intervals.estimate(sums.sums, over(at, 4, 3)),
      };
    }),
    gspoAgainstGrpo: jackknifeOf(sums.sums, (totals) => {
      const [gspo, grpo] = (['gspo', 'grpo'] as const).map((id) => over(placeOf(id), 4, 3)(totals));
      return gspo > 0 && grpo > 0 ? Math.log(gspo / grpo) : NaN;
    }),
  };
}

/** log of mean square where flipped over that of the others, these weighted by bin as the flipped ones are. */
const inflationOver =
  (bins: number): TotalsFunction =>
  (totals) => {
    let [flipped, kept] = [0, 0];
    for (let k = 0; k < bins; k++) {
      const [n, sum, others, theirs] = [0, 1, 2, 3].map((j) => totals[4 * k + j]) as [
        number,
        number,
        number,
        number,
      ];
      // Bins of one kind compare nothing.
      if (n <= 0 || others <= 0) continue;
      flipped += sum;
      kept += (n * theirs) / others;
    }
    return flipped > 0 && kept > 0 ? Math.log(flipped / kept) : NaN;
  };
