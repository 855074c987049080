/** What a race gives to the rest of the lab: a step's rollouts in every experiment, weights as files. */
import { useState } from 'react';
import { DEFAULT_IMPORT } from '../../state/imports';
import { useAddress, usePageHash } from '../../state/address-react';
import { useLab } from '../../state/react';
import { Prose } from '../../format/Prose';
import { download } from '../../runs/download';
import { Choice } from '../../page/Choice';
import { goneUpTo } from './series';
import type { RacerLook } from './names';
import { session, type PresentRace } from './session';
import { message } from '../../../src/message';

interface OpenProps {
  race: PresentRace;
  looks: readonly RacerLook[];
}

export function Open({ race, looks }: OpenProps) {
  const [racer, setRacer] = useState(0);
  const chosen = Math.min(racer, looks.length - 1);
  const steps = race.reports[chosen]?.length ?? 0;
  return (
    <section aria-label="Into the lab">
      <h2>Into the lab</h2>
      {looks.length > 1 && (
        <Choice
          label="Racer"
          value={chosen}
          choices={looks.map(({ name }, value) => ({ value, name }))}
          onChoose={setRacer}
        />
      )}
      <StepRollouts key={chosen} race={race} racer={chosen} />
      <Weights race={race} racer={chosen} disabled={steps === 0} />
    </section>
  );
}

function StepRollouts({ race, racer }: { race: PresentRace; racer: number }) {
  const lab = useLab();
  const address = useAddress();
  const link = usePageHash('train');
  const [wanted, setWanted] = useState<number | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const held = race.held[racer] ?? [];
  const gone = goneUpTo(race.reports[racer] ?? [], held);
  const step = wanted !== null && held.includes(wanted) ? wanted : (held.at(-1) ?? null);
  const open = async () => {
    if (step === null) return;
    setProblem(null);
    try {
      const table = await session.rollouts(racer, step, link);
      await lab.importFiles([table], DEFAULT_IMPORT);
      address.go('equivalence');
      scrollTo(0, 0);
    } catch (error) {
      setProblem(message(error));
    }
  };
  return (
    <div className="race-open">
      <label className="small">
        Rollouts of step{' '}
        <select
          className="select-small"
          value={step ?? ''}
          disabled={step === null}
          onChange={(event) => setWanted(Number(event.currentTarget.value))}
        >
          {step === null && <option value="">–</option>}
          {held.map((one) => (
            <option key={one} value={one}>
              {one}
            </option>
          ))}
        </select>
      </label>
      <button type="button" className="button" disabled={step === null} onClick={() => void open()}>
        Open in every experiment
      </button>
      <p className="small muted">
        <Prose>
          π_old sampled them, π_θ is the policy after the step’s updates. They take the place of the
          run in view.
        </Prose>
      </p>
      {gone > 0 && (
        <p className="small muted">
          Rollouts are held in this tab only, and not kept with the race: those of{' '}
          {gone === 1 ? 'step 1 are' : `steps 1 to ${gone} are`} gone; later steps can be opened.
        </p>
      )}
      {problem !== null && (
        <p className="field-issue" role="alert">
          {problem}
        </p>
      )}
    </div>
  );
}

interface WeightsProps {
  race: PresentRace;
  racer: number;
  disabled: boolean;
}

function Weights({ race, racer, disabled }: WeightsProps) {
  const lab = useLab();
  const address = useAddress();
  const [said, setSaid] = useState<{ words: string; bad: boolean } | null>(null);
  const take = async (then: (file: { name: string; blob: Blob }) => Promise<string>) => {
    setSaid(null);
    try {
      setSaid({ words: await then(await session.checkpoint(racer)), bad: false });
    } catch (error) {
      setSaid({ words: message(error), bad: true });
    }
  };
  const { policy, start } = race.settings;
  return (
    <div className="race-open">
      <button
        type="button"
        className="button"
        disabled={disabled}
        onClick={() =>
          void take(async ({ name, blob }) => {
            download(name, blob);
            return `${name} holds the weights, and the settings that made them.`;
          })
        }
      >
        Download the checkpoint
      </button>
      <button
        type="button"
        className="button"
        disabled={disabled}
        onClick={() =>
          void take(async ({ name, blob }) => {
            const id = await lab.adopt(policy, name, blob);
            lab.edit((draft) => ({
              ...draft,
              kind: 'policies',
              policies: { ...draft.policies, policy, old: start, new: id },
            }));
            void lab.start();
            address.go('variance');
            scrollTo(0, 0);
            return `${id} is π_θ now.`;
          })
        }
      >
        Compare with the start
      </button>
      <p className="small muted">
        <Prose>
          The second runs the lab on the start as π_old and these weights as π_θ; from then on they
          are among the checkpoints of every page.
        </Prose>
      </p>
      {said !== null && (
        <p className={said.bad ? 'field-issue' : 'small'} role={said.bad ? 'alert' : 'status'}>
          {said.words}
        </p>
      )}
    </div>
  );
}
