/**
 * Experiment page `length`: a perplexity is an exponentiated mean of few or many tokens. What a short
 * response does to it, and whether that cancels in s, the ratio of two perplexities.
 */
import type { LengthResult } from '../../../src/experiments/length';
import { EXPERIMENT_SETTINGS } from '../../../src/link/experiments';
import { usePageSetting } from '../../state/address-react';
import { useExperiment } from '../../state/react';
import { Term } from '../../format/Term';
import { ExperimentPage, VerdictChip } from '../../page/ExperimentPage';
import { Live } from '../../page/Live';
import { BinsSwitch, CurveSwitch } from '../../page/statistics/Controls';
import '../../page/statistics/statistics.css';
import { axesKeyOf } from '../../page/statistics/views';
import { Gaps } from './Gaps';
import { Perplexities } from './Perplexities';
import { Positions } from './Positions';
import { Ratio } from './Ratio';
import { Words } from './Words';

export default function Length() {
  const [bins, setBins] = usePageSetting('length', 'bins');
  const [kind, setKind] = usePageSetting('length', 'curve');
  const answer = useExperiment('length', EXPERIMENT_SETTINGS.length({ bins }));
  const { result } = answer;
  return (
    <ExperimentPage
      page="length"
      lead={
        <>
          <Term of="perplexity">Perplexity</Term> is the exponential of a mean. Over few tokens the
          mean is noisy, and the exponential turns noise into an upward bias; early tokens may also
          be harder than late ones. <Term of="sequenceWeight">s</Term> is a ratio of two
          perplexities of the same tokens, so most of both should cancel.
        </>
      }
      verdict={<VerdictChip verdict={result?.verdict ?? 'none'} />}
      figures={
        <Live<LengthResult> answer={answer} promise="Perplexity is drawn against the length here.">
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
                <Perplexities {...figure} />
                <Ratio {...figure} />
                <div className="figure-pair">
                  <Gaps {...figure} />
                  <Positions {...figure} />
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
