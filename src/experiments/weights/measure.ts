/** Spread, effective sample size and tail of each weight over length, and the kurtosis of the log weight. */
import { ClusterBootstrap, transformed, type Estimate } from '../../math/stats/clusters';
import { logKurtosis } from '../../math/stats/statistics';
import { sequenceCount, type Rollouts } from '../../rollouts/rollouts';
import type { ExperimentContext } from '../experiment';
import type { CurveSettings } from '../shared/curve-settings';
import { prepare, type Prepared } from '../shared/curves';
import { sequenceMeans, stage } from '../shared/input';
import { measureWeightCurves, powerSums, type MeasuredWeightCurves } from '../shared/weight-curve';

export interface MeasuredWeights extends MeasuredWeightCurves {
  sequences: number;
  /** excess kurtosis of sqrt(L) (log s - mean) over all responses */
  excessKurtosis: Estimate;
}

export async function measureWeights(
  rollouts: Rollouts,
  settings: CurveSettings,
  context: ExperimentContext,
): Promise<MeasuredWeights> {
  const data = prepare(rollouts);
  const bootstrap = new ClusterBootstrap(context);
  const curves = await measureWeightCurves(data, settings, bootstrap, context);
  const excessKurtosis = standardisedKurtosis(data, bootstrap);
  await stage(context, 1);
  return { sequences: sequenceCount(rollouts), ...curves, excessKurtosis };
}

/** Of sqrt(L) (log s - mean): under the law all lengths then have one variance. */
function standardisedKurtosis(data: Prepared, bootstrap: ClusterBootstrap): Estimate {
  const values = sequenceMeans(data.centered, data.rollouts.offsets).map(
    (x, i) => x * Math.sqrt(data.lengths[i] as number),
  );
  const all = Uint32Array.from(data.lengths.keys());
  return transformed(
    bootstrap.estimate(powerSums(data, all, values), logKurtosis),
    (log) => Math.exp(log) - 3,
  );
}
