/**
 * What needs all rollouts at once: every objective under a mismatch correction. Contract: pure float64; plain data
 * for the JSON of `npm run analyze`.
 */
import type { Bounds, CorrectionId } from '../../math/diagnostics/corrections';
import { evaluateObjective } from '../../math/objectives/evaluate';
import { RESPONSE_IDS, recommended, type Overrides } from '../../math/objectives/registry';
import { weighingOf } from '../correction';
import type { Rollouts } from '../rollouts';
import type { Figures, ObjectiveAnalysis } from './figures';

/** @param overrides a person's own band, and the files' constant length */
export function correctedObjectives(
  rollouts: Rollouts,
  overrides: Overrides,
  { id: correction, ...bounds }: Bounds & { id: CorrectionId },
): Figures['objectives'] {
  const { weights, kept } = weighingOf(rollouts, correction, bounds);
  const evaluated = (id: (typeof RESPONSE_IDS)[number], library: 'trl' | 'verl') => {
    const settings = recommended(id, library, overrides);
    return (
      settings && evaluateObjective(rollouts, settings, weights ?? undefined, kept ?? undefined)
    );
  };
  const rows = RESPONSE_IDS.map((id): [string, ObjectiveAnalysis] => {
    const [trl, verl] = [evaluated(id, 'trl'), evaluated(id, 'verl')];
    return [
      id,
      {
        trl: trl && {
          loss: trl.loss,
          clip_low: trl.trl?.lowMean ?? null,
          clip_high: trl.trl?.highMean ?? null,
        },
        verl: verl && { loss: verl.loss, clip_fraction: verl.verl?.clipFraction ?? null },
      },
    ];
  });
  return Object.fromEntries(rows) as Figures['objectives'];
}
