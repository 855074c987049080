/**
 * Experiment page `weights`: outside the log domain, where the paper stops. How much of the sample is
 * left under each weight, how variable and how heavy-tailed the weights are, against the log-normal.
 */
import { useState } from 'react';
import { useExperiment } from '../../state/react';
import { ExperimentPage, overall, VerdictChip } from '../ExperimentPage';
import { BinsSwitch, CurveSwitch } from '../statistics/Controls';
import '../statistics/statistics.css';
import { axesKeyOf, curveSettings, type CurveKind } from '../statistics/views';
import { EmptyFigures, Refusal } from '../statistics/Waiting';
import { Shares } from './Shares';
import { Kurtosis, Tails, Variances } from './Tails';
import { Words } from './Words';

export default function Weights() {
  const [bins, setBins] = useState(10);
  const [kind, setKind] = useState<CurveKind>('prefix');
  const { result, run, refusal } = useExperiment('weights', curveSettings(bins));
  const figure =
    result === null
      ? null
      : { result, kind, axesKey: axesKeyOf(run, kind, bins, result[kind].points.length) };
  return (
    <ExperimentPage
      question="How heavy are the tails of the weights, and when is each usable?"
      lead={
        <>
          Objectives multiply by s and by ρ themselves, not by their logarithms. Were log-ratios
          normal, both weights would be log-normal, and σ² alone would say how much of the sample is
          left. The paper leaves this to future work; here it is measured.
        </>
      }
      verdict={<VerdictChip verdict={overall(result?.claims ?? [])} />}
      figures={
        <>
          <Refusal refusal={refusal} />
          {figure === null ? (
            <EmptyFigures what="the effective sample size falls against the length" />
          ) : (
            <>
              <div className="page-switches">
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
          )}
        </>
      }
      words={<Words result={result} />}
    />
  );
}
