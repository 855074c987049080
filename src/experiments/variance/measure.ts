/**
 * Two curves of Var[log s] (and of log rho, and of the token): bins of natural length (different responses,
 * as they come) and prefixes of one cohort (the same responses cut at k, so only the length differs).
 */
import type { Kernels } from '../../math/kernels';
import { ClusterBootstrap } from '../../math/stats/clusters';
import { sequenceCount, tokenCount, type Rollouts } from '../../rollouts/rollouts';
import type { ExperimentContext } from '../experiment';
import type { CurveSettings } from '../shared/curve-settings';
import { prepare, type Curve, type Prepared } from '../shared/curves';
import { stage } from '../shared/input';
import { measureVarianceCurves, type MeasuredVarianceCurve } from '../shared/variance-curve';

export interface MeasuredVariance {
  sequences: number;
  tokens: number;
  prompts: number;
  natural: MeasuredVarianceCurve;
  prefix: MeasuredVarianceCurve;
  /** Var[log s] at every prefix length 1 .. limit of the cohort, from the kernels, nats^2 */
  prefixLine: Float64Array;
}

export async function measureVariance(
  rollouts: Rollouts,
  settings: CurveSettings,
  context: ExperimentContext,
): Promise<MeasuredVariance> {
  const data = prepare(rollouts);
  const bootstrap = new ClusterBootstrap(context);
  const { natural, prefix, cohort } = await measureVarianceCurves(
    data,
    settings,
    bootstrap,
    context,
  );
  const prefixLine = await prefixVariances(data, cohort, context.kernels);
  await stage(context, 1);
  return {
    sequences: sequenceCount(rollouts),
    tokens: tokenCount(rollouts),
    prompts: data.prompts,
    natural,
    prefix,
    prefixLine,
  };
}

/** The whole prefix curve, one value per token, by the kernels; empty without a cohort. */
async function prefixVariances(
  { rollouts, centered }: Prepared,
  curve: Curve,
  kernels: Kernels,
): Promise<Float64Array> {
  const last = curve.points.at(-1);
  if (!last) return new Float64Array(0);
  const limit = last.maxLength;
  const offsets = new Uint32Array(last.members.length + 1);
  const ratios = new Float64Array(last.members.length * limit);
  last.members.forEach((i, row) => {
    const start = rollouts.offsets[i] as number;
    ratios.set(centered.subarray(start, start + limit), row * limit);
    offsets[row + 1] = (row + 1) * limit;
  });
  const { count, m2 } = await kernels.prefixMoments(ratios, offsets, limit);
  return Float64Array.from(m2, (squares, k) => squares / ((count[k] as number) - 1));
}
