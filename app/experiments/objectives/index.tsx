/**
 * Experiment page `objectives`: what each objective makes of the same rollouts, in TRL's convention and in
 * verl's, and the divergences that trainers log beside it.
 */
import { useState } from 'react';
import type { ObjectivesResult } from '../../../src/experiments/objectives';
import '../../charts/practice.css';
import { useExperiment, useLabState } from '../../state/react';
import { ExperimentPage, overall, VerdictChip } from '../ExperimentPage';
import { Live } from '../Live';
import { BandFields, type Band } from './BandFields';
import { Diagnostics } from './Diagnostics';
import { Example } from './Example';
import './objectives.css';
import { Shares } from './Shares';
import { ObjectiveTable } from './ObjectiveTable';
import { Words } from './Words';

export default function Objectives() {
  const [band, setBand] = useState<Band>({ low: null, high: null });
  const length = useLabState((state) => state.run?.imported?.report.maxCompletionLength ?? null);
  const answer = useExperiment('objectives', { ...band, length });
  const { result } = answer;
  return (
    <ExperimentPage
      question="What does each objective make of the same rollouts, in TRL and in verl?"
      lead={
        <>
          A loss with one name is not one number. The libraries average differently, cap differently
          and count clipping differently. Here every objective is computed on the rollouts at hand,
          exactly as each library computes it.
        </>
      }
      verdict={<VerdictChip verdict={overall(result?.claims ?? [])} />}
      figures={
        <>
          <BandFields onChange={setBand} />
          <Live<ObjectivesResult>
            answer={answer}
            promise="Loss and clip share of every objective appear here."
          >
            {(now) => (
              <>
                <Example result={now} />
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
