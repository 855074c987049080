/**
 * Experiment page `clipping`: what share of the ratios each objective clips at any clip range, how much
 * gradient is left, and whether the spread of the log-ratios predicts it.
 */
import type { ClippingResult } from '../../../src/experiments/clipping';
import { EXPERIMENT_SETTINGS } from '../../../src/link/experiments';
import type { Library } from '../../../src/math/objectives/types';
import { CLIPPED_IDS } from '../../../src/math/objectives/registry';
import '../../charts/practice.css';
import { usePageSetting, usePageSettings } from '../../state/address-react';
import { useExperiment } from '../../state/react';
import { Term } from '../../format/Term';
import { ExperimentPage, VerdictChip } from '../../page/ExperimentPage';
import { Choice, Toggles } from '../../page/Choice';
import { Correction } from '../../page/Correction';
import { Live } from '../../page/Live';
import { objectiveView } from '../../page/objective-views';
import { ClipMapFigure } from './ClipMapFigure';
import { DisparityFigure } from './DisparityFigure';
import { LengthFigure } from './LengthFigure';
import { SideFigure } from './SideFigure';
import type { Quantity } from './level-line';
import { Words } from './Words';

export default function Clipping() {
  const [objectives, setObjectives] = usePageSetting('clipping', 'objectives');
  const [library, setLibrary] = usePageSetting('clipping', 'library');
  const [quantity, setQuantity] = usePageSetting('clipping', 'show');
  const [z, setZ] = usePageSetting('clipping', 'z');
  const chosen = usePageSettings('clipping');
  const answer = useExperiment('clipping', EXPERIMENT_SETTINGS.clipping(chosen));
  const { result } = answer;
  return (
    <ExperimentPage
      page="clipping"
      lead={
        <>
          A <Term of="band">clip range</Term> is a width, and what it <Term of="clip">clips</Term>{' '}
          depends on the width of what is clipped. Token <Term of="ratio">ratios</Term> spread like
          σ, <Term of="sequenceWeight">sequence weights</Term> like σ/√L. That alone does not make
          GSPO’s 3e-4 of GRPO’s 0.2: it would take responses of 444,000 tokens.
        </>
      }
      verdict={<VerdictChip verdict={result?.verdict ?? 'none'} />}
      figures={
        <>
          <div className="page-controls" data-part="controls">
            <Toggles
              label="Objectives shown"
              chosen={objectives}
              choices={CLIPPED_IDS.map((id) => ({ value: id, ...objectiveView(id) }))}
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
            <Choice<Quantity>
              label="Quantity shown"
              value={quantity}
              choices={[
                { value: 'clipped', name: 'share clipped' },
                { value: 'kept', name: 'gradient mass kept' },
              ]}
              onChoose={setQuantity}
            />
          </div>
          <Correction page="clipping" report={result?.correction ?? null} />
          <Live<ClippingResult>
            answer={answer}
            promise="The share clipped at every ε grows here, predicted beside measured."
          >
            {(now, axesKey) => (
              <>
                <div className="figure-pair">
                  <SideFigure side="low" quantity={quantity} result={now} axesKey={axesKey} />
                  <SideFigure side="high" quantity={quantity} result={now} axesKey={axesKey} />
                </div>
                <ClipMapFigure quantity={quantity} result={now} />
                <DisparityFigure result={now} />
                <LengthFigure result={now} axesKey={axesKey} z={z} onZ={setZ} />
              </>
            )}
          </Live>
        </>
      }
      words={<Words result={result} />}
    />
  );
}
