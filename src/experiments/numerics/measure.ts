/**
 * One model in two arithmetics: bias and spread of d_t (`shared/pair-difference`), and by length how many responses leave
 * GSPO's band. Contract: the rollouts' own pair; whether it is one model is its owner's to know.
 */
import { GSPO_BAND } from '../../math/objectives/registry';
import { PromptIntervals, type Estimate } from '../../math/stats/intervals';
import { sequenceCount, tokenCount, type Rollouts } from '../../rollouts/rollouts';
import type { ExperimentContext } from '../experiment';
import { naturalCurve, prefixCurve, prefixLimit, prepare, type Prepared } from '../shared/curves';
import { stage } from '../shared/input';
import { measurePair, type MeasuredPair } from '../shared/pair-difference';
import { proportion } from '../shared/proportions';
import type { CurveSettings } from '../shared/settings';

/** GSPO's clip range as published (arXiv:2507.18071, section 5.1), as logarithms. */
export const BAND_EDGES = { low: Math.log1p(-GSPO_BAND.low), high: Math.log1p(GSPO_BAND.high) };

export interface MeasuredClipPoint {
  length: number;
  sequences: number;
  /** share of responses whose s, or rho, is outside the band */
  sequence: Estimate;
  unnormalised: Estimate;
}

export interface MeasuredNumerics {
  sequences: number;
  tokens: number;
  /** null: there are no responses */
  measure:
    (MeasuredPair & { clip: Record<'natural' | 'prefix', MeasuredClipPoint[]>; mu: number }) | null;
}

export async function measureNumerics(
  rollouts: Rollouts,
  settings: CurveSettings,
  context: ExperimentContext,
): Promise<MeasuredNumerics> {
  const sequences = sequenceCount(rollouts);
  const tokens = tokenCount(rollouts);
  if (sequences === 0) return { sequences, tokens, measure: null };
  const pair = await measurePair(rollouts, settings, context);
  const data = prepare(rollouts);
  const intervals = new PromptIntervals(context);
  const limit = prefixLimit(data.lengths, settings.prefixLength);
  const clip = {
    natural: clipPoints(data, naturalCurve(data, settings.bins).points, intervals),
    prefix: clipPoints(data, prefixCurve(data, limit, settings.prefixPoints).points, intervals),
  };
  await stage(context, 0.97);
  return { sequences, tokens, measure: { ...pair, clip, mu: data.center } };
}

function clipPoints(
  data: Prepared,
  points: ReturnType<typeof naturalCurve>['points'],
  intervals: PromptIntervals,
): MeasuredClipPoint[] {
  return points.map(({ length, sequences, members, lengths, values }) => {
    const at = new Map(Array.from(members, (i, k) => [i, k]));
    const share = (logWeight: (k: number) => number): Estimate =>
      proportion(
        data,
        members,
        (i) => {
          const log = logWeight(at.get(i) ?? 0);
          return log < BAND_EDGES.low || log > BAND_EDGES.high;
        },
        intervals,
      );
    return {
      length,
      sequences,
      sequence: share((k) => values[k] + data.center),
      unnormalised: share((k) => (values[k] + data.center) * lengths[k]),
    };
  });
}
