/**
 * Two curves of Var[log s] (and of log rho, and of the token): bins of natural length (different responses,
 * as they come) and prefixes of one cohort (the same responses cut at k, so only the length differs).
 */
import type { Kernels } from '../../math/kernels';
import { PromptIntervals } from '../../math/stats/intervals';
import { sequenceCount, tokenCount, type Rollouts } from '../../rollouts/rollouts';
import type { ExperimentContext } from '../experiment';
import type { CurveSettings } from '../shared/settings';
import { prepare, type Curve, type Prepared } from '../shared/curves';
import { stage } from '../shared/input';
import {
  measureVarianceCurves,
  type MeasuredVarianceCurve,
  type VarianceInference,
} from '../shared/variance-curve';

export interface MeasuredVariance {
  sequences: number;
  tokens: number;
  prompts: number;
  natural: MeasuredVarianceCurve;
  prefix: MeasuredVarianceCurve;
  /** Var[log s] at every prefix length 1 .. limit of the cohort, from the kernels, nats^2 */
  prefixLine: Float64Array;
  /** responses of the prefix curve, those too short for it, and what share of the squared deviation these carry */
  cohort: { sequences: number; left: number; leftShare: number };
  inference: VarianceInference;
}

export async function measureVariance(
  rollouts: Rollouts,
  settings: CurveSettings,
  context: ExperimentContext,
): Promise<MeasuredVariance> {
  const data = prepare(rollouts);
  const intervals = new PromptIntervals(context);
  const curves = await measureVarianceCurves(data, settings, intervals, context);
  const { natural, prefix, cohort, inference, values } = curves;
  const prefixLine = await prefixVariances(data, cohort, context.kernels);
  await stage(context, 1);
  const inside = new Set(cohort.points.at(-1)?.members ?? []);
  let all = 0;
  let left = 0;
  values.forEach((s, i) => {
    all += s * s;
    if (!inside.has(i)) left += s * s;
  });
  return {
    sequences: sequenceCount(rollouts),
    tokens: tokenCount(rollouts),
    prompts: data.prompts,
    natural,
    prefix,
    prefixLine,
    cohort: {
      sequences: inside.size,
      left: values.length - inside.size,
      leftShare: all > 0 ? left / all : 0,
    },
    inference,
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
    const start = rollouts.offsets[i];
    ratios.set(centered.subarray(start, start + limit), row * limit);
    offsets[row + 1] = (row + 1) * limit;
  });
  const { count, m2 } = await kernels.prefixMoments(ratios, offsets, limit);
  return Float64Array.from(m2, (squares, k) => squares / (count[k] - 1));
}
