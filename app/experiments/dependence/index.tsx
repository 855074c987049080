/**
 * Experiment page `dependence`: what the 1/L law takes for granted. Autocorrelation within a response,
 * correlation between responses to one prompt, the corrected law over the naive one, and the variance
 * of log s taken apart into parts that add up.
 */
import type { DependenceResult } from '../../../src/experiments/dependence';
import type { ExperimentVerdict } from '../../../src/experiments/experiment';
import { useExperiment } from '../../state/react';
import { ExperimentPage, VerdictChip } from '../ExperimentPage';
import '../statistics/statistics.css';
import { curveSettings } from '../statistics/views';
import { EmptyFigures, Refusal } from '../statistics/Waiting';
import { Autocorrelation } from './Autocorrelation';
import { Correlations } from './Correlations';
import { Decomposition } from './Decomposition';
import { Laws } from './Laws';
import { Words } from './Words';

const SETTINGS = { ...curveSettings(10), maxLag: 48 };

export default function Dependence() {
  const { result, run, refusal } = useExperiment('dependence', SETTINGS);
  const figure = result === null ? null : { result, axesKey: `run ${run}` };
  return (
    <ExperimentPage
      question="Are token log-ratios independent, within a response and between responses?"
      lead={
        <>
          The law σ²/L needs tokens that know nothing of each other. Neighbours may move together,
          and all responses to one prompt may share its difficulty. Both are measured here; the law
          corrected for them is drawn over the naive one.
        </>
      }
      verdict={<VerdictChip verdict={independenceOf(result)} />}
      figures={
        <>
          <Refusal refusal={refusal} />
          {figure === null ? (
            <EmptyFigures what="the autocorrelation of the token log-ratios grows" />
          ) : (
            <>
              <Autocorrelation {...figure} />
              <Laws {...figure} />
              <div className="figure-pair">
                <Decomposition {...figure} />
                <Correlations {...figure} />
              </div>
            </>
          )}
        </>
      }
      words={<Words result={result} />}
    />
  );
}

/** The question is independence; which law follows from the answer is told beside it. */
function independenceOf(result: DependenceResult | null): ExperimentVerdict | 'none' {
  return result?.independence ?? 'none';
}
