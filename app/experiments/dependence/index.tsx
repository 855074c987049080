/**
 * Experiment page `dependence`: what the 1/L law takes for granted. Autocorrelation within a response,
 * correlation between responses to one prompt, the corrected law over the naive one, and the variance
 * of log s taken apart into parts that add up.
 */
import type { DependenceResult } from '../../../src/experiments/dependence';
import { EXPERIMENT_SETTINGS } from '../../../src/link/experiments';
import { useExperiment } from '../../state/react';
import { Term } from '../../format/Term';
import { ExperimentPage, VerdictChip } from '../../page/ExperimentPage';
import { Live } from '../../page/Live';
import '../../page/statistics/statistics.css';
import { Autocorrelation } from './Autocorrelation';
import { Correlations } from './Correlations';
import { Decomposition } from './Decomposition';
import { Laws } from './Laws';
import { Words } from './Words';

const SETTINGS = EXPERIMENT_SETTINGS.dependence();

export default function Dependence() {
  const answer = useExperiment('dependence', SETTINGS);
  const { result } = answer;
  return (
    <ExperimentPage
      page="dependence"
      lead={
        <>
          The law σ²/L needs independent <Term of="token">tokens</Term>, responses that share
          nothing of their <Term of="prompt">prompt</Term>, one variance for all positions and a
          mean that does not move with the length. Each is measured by itself; the law made of these
          parts is drawn over the naive one.
        </>
      }
      verdict={<VerdictChip verdict={result?.verdict ?? 'none'} />}
      figures={
        <Live<DependenceResult>
          answer={answer}
          promise="The autocorrelation of the token log-ratios grows here."
        >
          {(now, axesKey) => (
            <>
              <Autocorrelation result={now} axesKey={axesKey} />
              <Laws result={now} axesKey={axesKey} />
              <div className="figure-pair">
                <Decomposition result={now} axesKey={axesKey} />
                <Correlations result={now} axesKey={axesKey} />
              </div>
            </>
          )}
        </Live>
      }
      words={<Words result={result} />}
    />
  );
}
