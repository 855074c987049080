/**
 * Experiment page `gradient`: who gets the gradient under each objective, and GSPO's weight read as an
 * information gain, s = exp(ΔH).
 */
import type { GradientResult } from '../../../src/experiments/gradient';
import { EXPERIMENT_SETTINGS } from '../../../src/link/experiments';
import { OBJECTIVE_IDS } from '../../../src/math/objectives/registry';
import type { Library } from '../../../src/math/objectives/types';
import '../../charts/practice.css';
import { usePageSetting, usePageSettings } from '../../state/address-react';
import { useExperiment } from '../../state/react';
import { Term } from '../../format/Term';
import { ExperimentPage, VerdictChip } from '../../page/ExperimentPage';
import { Choice, Toggles } from '../../page/Choice';
import { Correction } from '../../page/Correction';
import { Live } from '../../page/Live';
import { objectiveView } from '../../page/objective-views';
import { Balance } from './Balance';
import { InformationGain } from './InformationGain';
import { ResponseMass } from './ResponseMass';
import { ShareByBin } from './ShareByBin';
import { Words } from './Words';

export default function Gradient() {
  const [objectives, setObjectives] = usePageSetting('gradient', 'objectives');
  const [library, setLibrary] = usePageSetting('gradient', 'library');
  const chosen = usePageSettings('gradient');
  const answer = useExperiment('gradient', EXPERIMENT_SETTINGS.gradient(chosen));
  const { result } = answer;
  return (
    <ExperimentPage
      page="gradient"
      lead={
        <>
          <Term of="objective">Objectives</Term> differ in how much gradient they give to whom:
          weight, gate and aggregation decide how much of it long responses, surprising tokens and{' '}
          <Term of="advantage">good answers</Term> get.
        </>
      }
      verdict={<VerdictChip verdict={result?.verdict ?? 'none'} />}
      figures={
        <>
          <div className="page-controls" data-part="controls">
            <Toggles
              label="Objectives shown"
              chosen={objectives}
              choices={OBJECTIVE_IDS.map((id) => ({ value: id, ...objectiveView(id) }))}
              onChange={setObjectives}
            />
            <Choice<Library>
              label="Library whose settings are used"
              value={library}
              choices={[
                { value: 'trl', name: 'as in TRL' },
                { value: 'verl', name: 'as in verl' },
              ]}
              onChoose={setLibrary}
            />
          </div>
          <Correction page="gradient" report={result?.correction ?? null} />
          <Live<GradientResult>
            answer={answer}
            promise="The share of the gradient by length, sign and entropy grows here."
          >
            {(now, axesKey) => (
              <>
                <div className="figure-pair">
                  <InformationGain result={now} axesKey={axesKey} />
                  <ResponseMass result={now} axesKey={axesKey} />
                </div>
                <div className="figure-pair">
                  <ShareByBin result={now} axesKey={axesKey} by="length" />
                  <ShareByBin result={now} axesKey={axesKey} by="entropy" />
                </div>
                <Balance result={now} />
              </>
            )}
          </Live>
        </>
      }
      words={<Words result={result} />}
    />
  );
}
