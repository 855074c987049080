/**
 * Experiment page `objectives`: what each objective makes of the same rollouts, in TRL's convention and in
 * verl's, and the divergences that trainers log beside it.
 */
import type { ObjectivesResult } from '../../../src/experiments/objectives';
import { EXPERIMENT_SETTINGS } from '../../../src/link/experiments';
import '../../charts/practice.css';
import { usePageSettings } from '../../state/address-react';
import { useExperiment, useLabState } from '../../state/react';
import { Term } from '../../format/Term';
import { ExperimentPage, VerdictChip } from '../../page/ExperimentPage';
import { Correction } from '../../page/Correction';
import { Live } from '../../page/Live';
import { BandFields } from './BandFields';
import { Diagnostics } from './Diagnostics';
import { Example } from './Example';
import './objectives.css';
import { Shares } from './Shares';
import { ObjectiveTable } from './ObjectiveTable';
import { WhatIfFigure } from './WhatIfFigure';
import { Words } from './Words';

export default function Objectives() {
  const chosen = usePageSettings('objectives');
  const length = useLabState((state) => state.run?.imported?.report.maxCompletionLength ?? null);
  const answer = useExperiment('objectives', EXPERIMENT_SETTINGS.objectives(chosen, length));
  const { result } = answer;
  return (
    <ExperimentPage
      page="objectives"
      lead={
        <>
          A loss with one name is not one number. The libraries average differently, cap differently
          and count <Term of="clip">clipping</Term> differently. Here every{' '}
          <Term of="objective">objective</Term> is computed on the{' '}
          <Term of="rollout">rollouts</Term> at hand, exactly as each library computes it.
        </>
      }
      verdict={<VerdictChip verdict={result?.verdict ?? 'none'} />}
      figures={
        <>
          <BandFields />
          <Correction page="objectives" report={result?.correction ?? null} />
          <Live<ObjectivesResult>
            answer={answer}
            promise="Loss and clip share of every objective appear here."
          >
            {(now, axesKey) => (
              <>
                <Example result={now} />
                {now.whatIf !== null && <WhatIfFigure result={now.whatIf} axesKey={axesKey} />}
                <Shares result={now} />
                <ObjectiveTable result={now} />
                <Diagnostics result={now} />
              </>
            )}
          </Live>
        </>
      }
      words={<Words result={result} />}
    />
  );
}
