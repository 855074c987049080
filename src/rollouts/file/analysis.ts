/**
 * The analysis without a browser: per-sequence forms, every objective in both libraries' conventions,
 * divergences. Contract: the JSON shape of `npm run analyze -- --json`; plain data, float64, `null` where
 * a library has no such objective or the file no such column. Numbers beyond float64 become null in JSON.
 */
import { sequencePerplexities } from '../../math/diagnostics/perplexity';
import { FigureTally, type Clip, type Figures } from './figures';
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

export interface Analysis extends Figures {
  sequences: SequenceAnalysis[];
}

/** What an analysis takes of an import. */
export type AnalysisData = Pick<FileRollouts, 'rollouts' | 'groupIds' | 'maxCompletionLength'> & {
  sample: ArrayLike<number>;
};

/** One response after the other: millions of them do not fit into memory as objects. */
export function* sequenceAnalyses({
  rollouts,
  groupIds,
  sample,
}: AnalysisData): Generator<SequenceAnalysis> {
  const { offsets, group, logpOld, logpNew } = rollouts;
  const forms = sequencePerplexities(logpOld, logpNew, offsets);
  const at = (values: ArrayLike<number>, i: number) => values[i];
  for (let i = 0; i + 1 < offsets.length; i++) {
    yield {
      group: groupIds[at(group, i)],
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
    };
  }
}

/** @param clip replaces the clip band of ratio-clipping objectives; left out = each library's own */
export function analyse(data: AnalysisData, clip: Clip = {}): Analysis {
  const tally = new FigureTally(clip);
  tally.add(data.rollouts, data.maxCompletionLength);
  const { n_sequences, n_tokens, ...figures } = tally.figures();
  return { n_sequences, n_tokens, sequences: [...sequenceAnalyses(data)], ...figures };
}
