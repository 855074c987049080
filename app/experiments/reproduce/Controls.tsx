/** How large, where, with which seed; start and cancel; how far and how long still. */
import { pairsOf, type ReproduceOptions } from '../../../src/engine/headless/reproduce';
import { pageSettings } from '../../../src/link/pages';
import { BACKENDS } from '../../../src/settings/run';
import { readTyped, type Setting } from '../../../src/settings/setting';
import { duration } from '../../format/numbers';
import { usePageSetting, useTypedText } from '../../state/address-react';
import { useLabState } from '../../state/react';
import { VERSION } from '../../version';
import { Choice } from '../../page/Choice';
import type { SessionState } from './session';

/** what a link says where every pair is wanted */
const ALL = 'all';

const settings = pageSettings('reproduce');
const SEED = settings.get('ledgerSeed') as Setting;
const BACKEND = settings.get('on') as Setting;

function seedOf(text: string): number | undefined {
  const reading = readTyped(SEED, text);
  return 'value' in reading ? reading.value : undefined;
}

interface ControlsProps {
  state: SessionState;
  onStart: (options: ReproduceOptions) => void;
  onCancel: () => void;
}

export function Controls({ state: { status, progress }, onStart, onCancel }: ControlsProps) {
  const [quick, setQuick] = usePageSetting('reproduce', 'quick');
  const [backend, setBackend] = usePageSetting('reproduce', 'on');
  const [seedValue, setSeed] = usePageSetting('reproduce', 'ledgerSeed');
  const [seedText, setSeedText] = useTypedText(seedValue, seedOf, String);
  const seed = readTyped(SEED, seedText);
  const [pair, setPair] = usePageSetting('reproduce', 'pair');
  const opening = useLabState((lab) => lab.opening);
  const pairs = opening.status === 'open' ? pairsOf(opening.policies) : [];
  const running = status.is === 'running';
  const left =
    progress.etaSeconds !== null && Number.isFinite(progress.etaSeconds)
      ? `about ${duration(progress.etaSeconds)} left`
      : 'time left not known yet';
  return (
    <section
      className="figure reproduce-controls no-print"
      data-part="setup run"
      aria-label="Reproduction"
    >
      <div className="reproduce-order">
        {running ? (
          <button type="button" className="button button-main" data-part="run" onClick={onCancel}>
            Cancel
          </button>
        ) : (
          <button
            type="button"
            className="button button-main"
            data-part="run"
            disabled={'issue' in seed}
            onClick={() => {
              if ('issue' in seed) return;
              const only = pair === ALL ? null : pair;
              onStart({ app: VERSION, seed: seed.value, backend, quick, pair: only });
            }}
          >
            {status.is === 'idle' ? 'Reproduce' : 'Reproduce again'}
          </button>
        )}
        <div className="page-switches" data-part="setup">
          <Choice
            label="Size"
            value={quick ? 'quick' : 'full'}
            disabled={running}
            onChoose={(size) => setQuick(size === 'quick')}
            choices={[
              { value: 'quick', name: 'quick' },
              { value: 'full', name: 'full' },
            ]}
          />
          <Choice
            label="Backend"
            value={backend}
            disabled={running}
            onChoose={setBackend}
            choices={BACKENDS.map((value) => ({ value, name: BACKEND.show(value) }))}
          />
          <select
            aria-label="Policy pairs"
            className="select-small"
            value={pair}
            disabled={running}
            onChange={(event) => setPair(event.currentTarget.value)}
          >
            <option value={ALL}>
              {pairs.length === 0 ? 'all pairs' : `all ${pairs.length} pairs`}
            </option>
            {pairs.map(({ id, title }) => (
              <option key={id} value={id}>
                {title}
              </option>
            ))}
            {pair !== ALL && !pairs.some(({ id }) => id === pair) && (
              <option value={pair}>{pair}</option>
            )}
          </select>
          <label className="reproduce-seed">
            Seed{' '}
            <input
              type="text"
              inputMode="numeric"
              autoComplete="off"
              value={seedText}
              disabled={running}
              aria-invalid={'issue' in seed}
              onChange={(event) => {
                const text = event.currentTarget.value;
                setSeedText(text);
                const value = seedOf(text);
                if (value !== undefined) setSeed(value);
              }}
            />
          </label>
        </div>
      </div>
      {'issue' in seed && (
        <p className="field-issue" role="alert">
          {seed.issue}
        </p>
      )}
      <div className="reproduce-progress" data-part="run">
        <progress
          className="standalone-progress"
          aria-label="Progress of the reproduction"
          max={1}
          value={fractionOf(progress.fraction)}
        />
        <p className="small" role="status">
          {running
            ? `${progress.what}; ${left}`
            : status.is === 'failed'
              ? `It stopped: ${status.message} What was measured before is kept below.`
              : quick
                ? 'Quick: about ten seconds a pair on two free cores without a GPU.'
                : 'Full: sixteen times as many responses, some minutes a pair on two free cores: narrower intervals and fewer claims left undecided.'}
        </p>
        {running && (
          <p className="small muted">
            It has an engine of its own; the lab’s run is paused meanwhile and keeps its data. You
            may look at other pages.
          </p>
        )}
      </div>
    </section>
  );
}

const fractionOf = (fraction: number) =>
  Number.isFinite(fraction) ? Math.min(1, Math.max(0, fraction)) : 0;
