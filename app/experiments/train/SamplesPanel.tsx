/** The same held-out prompts answered greedily by the start and by the racers as they are now. */
import { Figure } from '../../figures/Figure';
import { Choice } from '../../page/Choice';
import { useState } from 'react';
import type { Stamp } from '../../../src/export/stamp';
import type { Judged } from '../../../src/engine/trainer/protocol';
import type { RacerLook } from './names';
import { isPaused, isUnderWay, session, type PresentRace } from './session';

const COUNT = 8;

interface SamplesPanelProps {
  race: PresentRace;
  looks: readonly RacerLook[];
  stamp: () => Stamp;
}

export function SamplesPanel({ race, looks, stamp }: SamplesPanelProps) {
  const [chosen, setRacer] = useState(0);
  const racer = Math.min(chosen, looks.length - 1);
  const samples = race.samples[racer];
  const steps = race.reports[racer]?.length ?? 0;
  const busy = isUnderWay(race) && !isPaused(race);
  const pairs = samples?.status === 'here' ? samples.pairs : [];
  return (
    <Figure
      title="Responses before and after"
      caption={
        samples?.status === 'here'
          ? `The start, and ${looks[racer]?.name} after step ${samples.step}, at temperature 0.`
          : 'The most likely response of the start and of the racer as it is now.'
      }
      recorded={false}
      stamp={stamp}
      controls={
        <>
          {looks.length > 1 && (
            <Choice
              label="Racer whose responses are shown"
              value={racer}
              choices={looks.map(({ name }, value) => ({ value, name }))}
              onChoose={setRacer}
            />
          )}
          <button
            type="button"
            className="button-quiet"
            disabled={steps === 0 || busy || samples?.status === 'waiting'}
            title={busy ? 'Pause the race first' : ''}
            onClick={() => void session.sample(racer, COUNT)}
          >
            {samples?.status === 'waiting' ? 'Sampling…' : 'Sample now'}
          </button>
        </>
      }
      table={() => ({
        columns: ['prompt', 'before', 'right', 'after', 'right'],
        rows: pairs.map(({ prompt, before, after }) => [
          prompt,
          before.text,
          before.right ? 'yes' : 'no',
          after.text,
          after.right ? 'yes' : 'no',
        ]),
      })}
    >
      {samples?.status === 'refused' && (
        <p className="notice notice-bad" role="alert">
          {samples.message}
        </p>
      )}
      {pairs.length === 0 ? (
        <div className="plot-empty samples-empty">
          <p>
            {busy
              ? 'Pause the race, then sample.'
              : steps === 0
                ? 'Sample once a step has been taken.'
                : 'Press “Sample now”: what did training change?'}
          </p>
        </div>
      ) : (
        <ul className="samples" data-testid="samples">
          {pairs.map(({ prompt, before, after }) => (
            <li key={prompt}>
              <code className="samples-prompt">{prompt}</code>
              <Response name="before" judged={before} />
              <Response name="after" judged={after} />
            </li>
          ))}
        </ul>
      )}
    </Figure>
  );
}

function Response({ name, judged }: { name: string; judged: Judged }) {
  return (
    <p className="samples-response">
      <span className="muted">{name}</span>
      <span className={judged.right ? 'samples-right' : 'samples-wrong'}>
        <span aria-hidden="true">{judged.right ? '✓' : '✕'}</span>
        <span className="visually-hidden">{judged.right ? 'right' : 'wrong'}</span>
      </span>
      <code>{judged.text === '' ? '(empty)' : judged.text}</code>
    </p>
  );
}
