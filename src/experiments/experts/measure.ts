/**
 * Flips of routes and the log-ratios where they happened. Contract: reads the token tables `router.old` and `router.new`
 * (`policy/graph/routes.ts`); rollouts without them have nothing to measure. Margins are pi_old's, so that bins do not
 * depend on what pi_theta did.
 */
import { routingFlips } from '../../math/routing';
import type { Measured } from '../../math/stats/anytime';
import { PromptIntervals, type Estimate } from '../../math/stats/intervals';
import { jackknifeOf, type TotalsFunction } from '../../math/stats/jackknife';
import { quantileSorted } from '../../math/stats/quantiles';
import { meanStatistic } from '../../math/stats/statistics';
import { mean } from '../../math/summation';
import { promptClusters } from '../../rollouts/clusters';
import { sequenceCount, tokenCount, type Rollouts } from '../../rollouts/rollouts';
import type { ExperimentContext } from '../experiment';
import { logRatios, stage } from '../shared/input';
import { PromptSums } from '../shared/proportions';
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
    },
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
