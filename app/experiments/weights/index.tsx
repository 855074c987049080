/**
 * Experiment page `weights`: outside the log domain, where the paper stops. How much of the sample is
 * left under each weight, how variable and how heavy-tailed the weights are, against the log-normal.
 */
import type { WeightsResult } from '../../../src/experiments/weights';
import { EXPERIMENT_SETTINGS } from '../../../src/link/experiments';
import { usePageSetting } from '../../state/address-react';
import { useExperiment } from '../../state/react';
import { Term } from '../../format/Term';
import { ExperimentPage, VerdictChip } from '../../page/ExperimentPage';
import { Live } from '../../page/Live';
import { BinsSwitch, CurveSwitch } from '../../page/statistics/Controls';
import '../../page/statistics/statistics.css';
import { axesKeyOf } from '../../page/statistics/views';
import { Shares } from './Shares';
import { Kurtosis, Tails, Variances } from './Tails';
import { Words } from './Words';

export default function Weights() {
  const [bins, setBins] = usePageSetting('weights', 'bins');
  const [kind, setKind] = usePageSetting('weights', 'curve');
  const answer = useExperiment('weights', EXPERIMENT_SETTINGS.weights({ bins }));
  const { result } = answer;
  return (
    <ExperimentPage
      page="weights"
      lead={
        <>
          <Term of="objective">Objectives</Term> multiply by <Term of="sequenceWeight">s</Term> and
          by <Term of="unnormalised">ρ</Term> themselves, not by their logarithms. Were{' '}
          <Term of="logRatio">log-ratios</Term>
          normal, both weights would be log-normal, and σ² alone would say how much of the sample is
          left. The paper leaves this to future work; here it is measured.
        </>
      }
      verdict={<VerdictChip verdict={result?.verdict ?? 'none'} />}
      figures={
        <Live<WeightsResult>
          answer={answer}
          promise="The effective sample size falls against the length here."
        >
          {(now, axesKey) => {
            const figure = {
              result: now,
              kind,
              axesKey: axesKeyOf(axesKey, kind, bins, now[kind].points.length),
            };
            return (
              <>
                <div className="page-switches" data-part="controls">
                  <CurveSwitch
                    value={kind}
                    onChoose={(chosen) => {
                      if (chosen !== 'both') setKind(chosen);
                    }}
                  />
                  <BinsSwitch value={bins} onChoose={setBins} />
                </div>
                <Shares {...figure} />
                <Variances {...figure} />
                <div className="figure-pair">
                  <Tails {...figure} />
                  <Kurtosis {...figure} />
                </div>
              </>
            );
          }}
        </Live>
      }
      words={<Words result={result} />}
    />
  );
}
