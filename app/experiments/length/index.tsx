/**
 * Experiment page `length`: a perplexity is an exponentiated mean of few or many tokens. What a short
 * response does to it, and whether that cancels in s, the ratio of two perplexities.
 */
import { useState } from 'react';
import { useExperiment } from '../../state/react';
import { ExperimentPage, overall, VerdictChip } from '../ExperimentPage';
import { BinsSwitch, CurveSwitch } from '../statistics/Controls';
import '../statistics/statistics.css';
import { axesKeyOf, curveSettings, type CurveKind } from '../statistics/views';
import { EmptyFigures, Refusal } from '../statistics/Waiting';
import { Gaps } from './Gaps';
import { Perplexities } from './Perplexities';
import { Positions } from './Positions';
import { Ratio } from './Ratio';
import { Words } from './Words';

export default function Length() {
  const [bins, setBins] = useState(10);
  const [kind, setKind] = useState<CurveKind>('prefix');
  const { result, run, refusal } = useExperiment('length', curveSettings(bins));
  const figure =
    result === null
      ? null
      : { result, kind, axesKey: axesKeyOf(run, kind, bins, result[kind].points.length) };
  return (
    <ExperimentPage
      question="Does a short response bias its perplexity, and does the bias cancel in s?"
      lead={
        <>
          Perplexity is the exponential of a mean. Over few tokens the mean is noisy, and the
          exponential turns noise into an upward bias; early tokens may also be harder than late
          ones. s is a ratio of two perplexities of the same tokens, so most of both should cancel.
        </>
      }
      verdict={<VerdictChip verdict={overall(result?.claims ?? [])} />}
      figures={
        <>
          <Refusal refusal={refusal} />
          {figure === null ? (
            <EmptyFigures what="perplexity is drawn against the length" />
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
              <Perplexities {...figure} />
              <Ratio {...figure} />
              <div className="figure-pair">
                <Gaps {...figure} />
                <Positions {...figure} />
              </div>
            </>
          )}
        </>
      }
      words={<Words result={result} />}
    />
  );
}
