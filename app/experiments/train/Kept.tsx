/** Races kept in this browser: what they are, how they differ from the chosen one, and what can be done. */
import type { KeptRace } from '../../../src/engine/trainer/protocol';
import type { TrainingSettings } from '../../../src/settings/training';
import { counted, percent } from '../../format/numbers';
import { dateWords } from '../../runs/words';
import { differencesInWords } from './differences';
import { looksOf } from './names';
import { MAX_OVERLAID, type SessionState } from './session';

interface KeptProps {
  state: SessionState;
  chosen: TrainingSettings | string;
  onOverlay: (race: KeptRace) => void;
  onChoose: (race: KeptRace) => void;
  onResume: (race: KeptRace) => void;
  onRemove: (race: KeptRace) => void;
}

export function Kept({ state, chosen, ...on }: KeptProps) {
  const { kept, keptTrouble } = state;
  return (
    <section aria-label="Kept races">
      <h2>Kept races</h2>
      {keptTrouble !== null && <p className="small muted">{keptTrouble}</p>}
      {kept === null || kept.length === 0 ? (
        <p className="small muted">Races are kept in this browser as they go; none is yet.</p>
      ) : (
        <ul className="kept-races">
          {kept.map((race) => (
            <KeptItem key={race.id} race={race} state={state} chosen={chosen} {...on} />
          ))}
        </ul>
      )}
    </section>
  );
}

const stepsOf = ({ reports }: KeptRace) =>
  Math.min(...reports.map((own) => own.at(-1)?.step ?? 0), Infinity);

function lastAccuracy(race: KeptRace, racer: number): string {
  const found = race.reports[racer]?.findLast(({ heldOut }) => heldOut !== null)?.heldOut;
  return found ? `, ${percent(found.correct / found.prompts)} held-out` : '';
}

function KeptItem({
  race,
  state,
  chosen,
  onOverlay,
  onChoose,
  onResume,
  onRemove,
}: { race: KeptRace } & KeptProps) {
  const { settings } = race;
  const steps = stepsOf(race);
  const present = state.race?.kept === race.id;
  const overlaid = state.overlaid.includes(race.id);
  const differs = typeof chosen === 'string' ? [] : differencesInWords(chosen, settings);
  return (
    <li data-testid="kept-race">
      <p>
        <b>
          {looksOf(settings.racers)
            .map(({ name }) => name)
            .join(' against ')}
        </b>{' '}
        {present && <span className="chip">in view</span>}
      </p>
      <p className="small">
        {dateWords(race.createdAt)} · {steps} of {counted(settings.steps, 'step')}
        {lastAccuracy(race, 0)}
      </p>
      <p className="small muted">
        {differs.length === 0
          ? 'the settings chosen above'
          : differs.slice(0, 4).join('; ') +
            (differs.length > 4 ? `; and ${differs.length - 4} more` : '')}
      </p>
      <div className="kept-race-actions">
        <button
          type="button"
          className="button-quiet"
          aria-pressed={overlaid}
          disabled={present || (!overlaid && state.overlaid.length >= MAX_OVERLAID)}
          onClick={() => onOverlay(race)}
        >
          Overlay
        </button>
        <button type="button" className="button-quiet" onClick={() => onChoose(race)}>
          Use its settings
        </button>
        {!present && (
          <button type="button" className="button-quiet" onClick={() => onResume(race)}>
            {steps < settings.steps ? 'Resume' : 'Open'}
          </button>
        )}
        <button
          type="button"
          className="button-quiet"
          disabled={present}
          onClick={() => onRemove(race)}
        >
          Delete
        </button>
      </div>
    </li>
  );
}
