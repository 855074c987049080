/**
 * Experiment page `variance`, the heart of the lab: measured variance of the log weight against length,
 * the 1/L prediction over it, the residuals under it; beside it the unnormalised weight and the token.
 */
import type { VarianceResult } from '../../../src/experiments/variance';
import { EXPERIMENT_SETTINGS } from '../../../src/link/experiments';
import { usePageSetting } from '../../state/address-react';
import { useExperiment } from '../../state/react';
import { ExperimentPage, overall, VerdictChip } from '../ExperimentPage';
import { Live } from '../Live';
import '../statistics/statistics.css';
import { LawFigure } from './LawFigure';
import { Others } from './Others';
import { Words } from './Words';

/** The question is about log s; the unnormalised weight and the token stand beside it in the ledger. */
const DECIDING = new Set([
  'variance.slope',
  'variance.level',
  'variance.prefix-slope',
  'variance.prefix-level',
]);

export default function Variance() {
  const [bins, setBins] = usePageSetting('variance', 'bins');
  const answer = useExperiment('variance', EXPERIMENT_SETTINGS.variance({ bins }));
  const { result } = answer;
  return (
    <ExperimentPage
      question="Does the variance of the log weight fall like one over the length?"
      lead={
        <>
          GSPO’s weight averages over the tokens of a response. If their log-ratios were
          independent, averaging over twice as many would halve the variance. Here it is measured
          twice: over responses of different natural lengths, and over the same responses cut short.
        </>
      }
      verdict={<VerdictChip verdict={overall(deciding(result))} />}
      figures={
        <Live<VarianceResult>
          answer={answer}
          promise="The variance of log s grows against the length here."
        >
          {(now, axesKey) => (
            <>
              <LawFigure result={now} axesKey={axesKey} bins={bins} onBins={setBins} />
              <Others result={now} axesKey={axesKey} />
            </>
          )}
        </Live>
      }
      words={<Words result={result} />}
    />
  );
}

function deciding(result: VarianceResult | null): VarianceResult['claims'] {
  return result?.claims.filter(({ id }) => DECIDING.has(id)) ?? [];
}
