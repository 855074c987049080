/**
 * Experiment page `variance`, the heart of the lab: measured variance of the log weight against length,
 * the 1/L prediction over it, the residuals under it; beside it the unnormalised weight and the token.
 */
import type { VarianceResult } from '../../../src/experiments/variance';
import { EXPERIMENT_SETTINGS } from '../../../src/link/experiments';
import { usePageSetting } from '../../state/address-react';
import { useExperiment } from '../../state/react';
import { Term } from '../../format/Term';
import { ExperimentPage, VerdictChip } from '../../page/ExperimentPage';
import { Live } from '../../page/Live';
import '../../page/statistics/statistics.css';
import { LawFigure } from './LawFigure';
import { Others } from './Others';
import { Peeking } from './Peeking';
import { Words } from './Words';

export default function Variance() {
  const [bins, setBins] = usePageSetting('variance', 'bins');
  const answer = useExperiment('variance', EXPERIMENT_SETTINGS.variance({ bins }));
  const { result } = answer;
  return (
    <ExperimentPage
      page="variance"
      lead={
        <>
          GSPO’s <Term of="sequenceWeight">weight</Term> averages over the{' '}
          <Term of="token">tokens</Term> of a response. If their{' '}
          <Term of="logRatio">log-ratios</Term> were independent, averaging over twice as many would
          halve the variance. Here it is measured twice: over responses of different natural
          lengths, and over the same responses cut short.
        </>
      }
      verdict={<VerdictChip verdict={result?.verdict ?? 'none'} />}
      figures={
        <>
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
          <Peeking />
        </>
      }
      words={<Words result={result} />}
    />
  );
}
