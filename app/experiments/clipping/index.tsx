/**
 * Experiment page `clipping`: what share of the ratios each objective clips at any clip range, how much
 * gradient is left, and whether the spread of the log-ratios predicts it.
 */
import { useState } from 'react';
import type { ClippingResult } from '../../../src/experiments/clipping';
import type { ClippedObjective } from '../../../src/experiments/clipping-measure';
import '../../charts/practice.css';
import { useExperiment } from '../../state/react';
import { ExperimentPage, overall, VerdictChip } from '../ExperimentPage';
import { Choice, Toggles } from '../Choice';
import { Live } from '../Live';
import { objectiveView } from '../objective-views';
import { ClipMapFigure } from './ClipMapFigure';
import { LengthFigure } from './LengthFigure';
import { SideFigure } from './SideFigure';
import { Words } from './Words';

const OBJECTIVES: readonly ClippedObjective[] = ['gspo', 'grpo', 'gmpo', 'rloo'];

export type Quantity = 'clipped' | 'kept';

export default function Clipping() {
  const [objectives, setObjectives] = useState<ClippedObjective[]>(['gspo', 'grpo']);
  const [quantity, setQuantity] = useState<Quantity>('clipped');
  const [z, setZ] = useState(1.96);
  const answer = useExperiment('clipping', {
    objectives,
    gridPoints: 61,
    gridLow: 1e-5,
    gridHigh: 1,
    low: 3e-4,
    high: 4e-4,
    z,
    bins: 8,
  });
  const { result } = answer;
  return (
    <ExperimentPage
      question="How much does each objective clip, and does the spread of the ratios predict it?"
      lead={
        <>
          A clip range is a width, and what it clips depends on the width of what is clipped. Token
          ratios spread like σ, sequence weights like σ/√L: hence GRPO’s 0.2 beside GSPO’s 3e-4.
        </>
      }
      verdict={<VerdictChip verdict={overall(result?.claims ?? [])} />}
      figures={
        <>
          <div className="page-controls">
            <Toggles
              label="Objectives shown"
              chosen={objectives}
              choices={OBJECTIVES.map((id) => ({ value: id, ...objectiveView(id) }))}
              onChange={setObjectives}
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
