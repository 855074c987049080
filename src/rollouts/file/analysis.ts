/**
 * The analysis without a browser: per-sequence forms, every objective in both libraries' conventions,
 * divergences. Contract: the JSON shape of `npm run analyze -- --json`; plain data, float64, `null` where
 * a library has no such objective or the file no such column. Numbers beyond float64 become null in JSON.
 */
import { chiSquare, klTerms, mean } from '../../math/diagnostics/divergence';
import { mismatchWeights, verlEffectiveSampleSize } from '../../math/diagnostics/mismatch';
import {
  offPolicyMetrics,
  sequencePerplexities,
  type OffPolicyMetrics,
} from '../../math/diagnostics/perplexity';
import { evaluateObjective } from '../../math/objectives/evaluate';
import {
  OBJECTIVE_IDS,
  recommended,
  type ObjectiveId,
  type Overrides,
} from '../../math/objectives/registry';
import { sequenceCount, tokenCount, withSampler, type Rollouts } from '../rollouts';
import type { FileRollouts } from './read';

export interface SequenceAnalysis {
  group: string | number;
  sample: number;
  length: number;
  log_s: number;
  s: number;
  rho: number;
  ce_old: number;
  ce_new: number;
  ppl_old: number;
  ppl_new: number;
  ppl_ratio: number;
  exp_delta_h: number;
}

export interface ObjectiveAnalysis {
  trl: { loss: number; clip_low: number | null; clip_high: number | null } | null;
  verl: { loss: number; clip_fraction: number | null } | null;
}

/** verl's off-policy metrics of old against sampler, and what its truncation at 2 leaves. */
export interface MismatchAnalysis extends OffPolicyMetrics {
  eff_sample_size_token_tis_2: number;
  eff_sample_size_seq_tis_2: number;
}

export interface Analysis {
  n_sequences: number;
  n_tokens: number;
  sequences: SequenceAnalysis[];
  objectives: Record<ObjectiveId, ObjectiveAnalysis>;
  /** KL(old || theta), mean over tokens */
  kl: { k1: number; k2: number; k3: number };
  chi2: { token: number; sequence: number };
  mismatch: MismatchAnalysis | null;
}

function objectiveAnalysis(
  rollouts: Rollouts,
  id: ObjectiveId,
  overrides: Overrides,
): ObjectiveAnalysis {
  const trlSettings = recommended(id, 'trl', overrides);
  const verlSettings = recommended(id, 'verl', overrides);
  const trl = trlSettings && evaluateObjective(rollouts, trlSettings);
  const verl = verlSettings && evaluateObjective(rollouts, verlSettings);
  return {
    trl: trl && {
      loss: trl.loss,
      clip_low: trl.trl?.lowMean ?? null,
      clip_high: trl.trl?.highMean ?? null,
    },
    verl: verl && { loss: verl.loss, clip_fraction: verl.verl?.clipFraction ?? null },
  };
}

function mismatchAnalysis(rollouts: Rollouts): MismatchAnalysis | null {
  const known = withSampler(rollouts);
  if (known === null) return null;
  const { logpSampler, logpOld, offsets } = known;
  const truncated = (level: 'token' | 'sequence') =>
    verlEffectiveSampleSize(
      mismatchWeights(logpOld, logpSampler, offsets, { level, outside: 'truncate', max: 2 }),
    );
  return {
    ...offPolicyMetrics(logpSampler, logpOld, offsets),
    eff_sample_size_token_tis_2: truncated('token'),
    eff_sample_size_seq_tis_2: truncated('sequence'),
  };
}

/** @param band replaces the clip band of ratio-clipping objectives; left out = each library's own */
export function analyse(
  data: Pick<FileRollouts, 'rollouts' | 'groupIds' | 'maxCompletionLength'> & {
    sample: ArrayLike<number>;
  },
  band: { low?: number; high?: number } = {},
): Analysis {
  const { rollouts, groupIds, sample, maxCompletionLength } = data;
  const { offsets, logpOld, logpNew } = rollouts;
  const forms = sequencePerplexities(logpOld, logpNew, offsets);
  const overrides: Overrides = {
    ...band,
    ...(maxCompletionLength === null ? {} : { length: maxCompletionLength }),
  };
  const at = (values: ArrayLike<number>, i: number) => values[i] as number;
  const terms = klTerms(logpOld, logpNew);
  const entries = OBJECTIVE_IDS.map(
    (id) => [id, objectiveAnalysis(rollouts, id, overrides)] as const,
  );
  return {
    n_sequences: sequenceCount(rollouts),
    n_tokens: tokenCount(rollouts),
    sequences: Array.from({ length: sequenceCount(rollouts) }, (_, i) => ({
      group: groupIds[at(rollouts.group, i)] as string | number,
      sample: at(sample, i),
      length: at(offsets, i + 1) - at(offsets, i),
      log_s: at(forms.logWeight, i),
      s: Math.exp(at(forms.logWeight, i)),
      rho: Math.exp(at(forms.logRho, i)),
      ce_old: at(forms.crossEntropyOld, i),
      ce_new: at(forms.crossEntropyNew, i),
      ppl_old: at(forms.pplOld, i),
      ppl_new: at(forms.pplNew, i),
      ppl_ratio: at(forms.pplRatio, i),
      exp_delta_h: at(forms.expDeltaH, i),
    })),
    objectives: Object.fromEntries(entries) as Record<ObjectiveId, ObjectiveAnalysis>,
    kl: { k1: mean(terms.k1), k2: mean(terms.k2), k3: mean(terms.k3) },
    chi2: { token: chiSquare(terms.k1.map((x) => -x)), sequence: chiSquare(forms.logRho) },
    mismatch: mismatchAnalysis(rollouts),
  };
}
