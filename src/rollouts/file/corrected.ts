/**
 * What needs all rollouts at once: every objective under a mismatch correction, and what TRL and verl log of the
 * sampler. Contract: pure float64; plain data for the JSON of `npm run analyze`.
 */
import {
  CORRECTIONS,
  correctionWeights,
  type Bounds,
  type CorrectionId,
} from '../../math/diagnostics/corrections';
import { REJECTION_IDS } from '../../math/diagnostics/rejection';
import {
  trlSamplingMetrics,
  verlIsMetrics,
  verlRsMetrics,
  type TrlSamplingMetrics,
  type VerlIsMetrics,
  type VerlRsMetrics,
} from '../../math/diagnostics/sampling-metrics';
import { evaluateObjective } from '../../math/objectives/evaluate';
import { RESPONSE_IDS, recommended, type Overrides } from '../../math/objectives/registry';
import { weighingOf } from '../correction';
import { withSampler, type Rollouts } from '../rollouts';
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

export interface SamplingMetrics {
  /** TRL at its default, `sequence_mask` at 3 */
  trl: TrlSamplingMetrics;
  /** verl with weights truncated at 2, of tokens and of responses */
  verl_token: VerlIsMetrics;
  verl_sequence: VerlIsMetrics;
  /** every option of verl's `rollout_rs` by itself, at the bounds of `CORRECTIONS` */
  verl_rs: VerlRsMetrics;
}

/** Over the responses whose sampler is known; null without any. */
export function samplingMetrics(rollouts: Rollouts): SamplingMetrics | null {
  const known = withSampler(rollouts);
  if (known === null) return null;
  const { logpSampler, logpOld, offsets } = known;
  const verl = (level: 'token' | 'sequence') =>
    verlIsMetrics(logpOld, logpSampler, offsets, level, { low: null, high: 2 });
  return {
    trl: trlSamplingMetrics(
      logpOld,
      logpSampler,
      offsets,
      correctionWeights(known, 'sequence-mask'),
      'sequence',
    ),
    verl_token: verl('token'),
    verl_sequence: verl('sequence'),
    verl_rs: Object.assign(
      {},
      ...REJECTION_IDS.map((id) =>
        verlRsMetrics(logpOld, logpSampler, offsets, id, CORRECTIONS[id]),
      ),
    ) as VerlRsMetrics,
  };
}
