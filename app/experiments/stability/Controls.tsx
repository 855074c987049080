/** How large a study is trained here; start, pause, stop; how far and how long still. */
import { liveSize, racesOf, ARM_IDS } from '../../../src/experiments/stability';
import { pageSettings, type PageSettings } from '../../../src/link/pages';
import { readTyped, type Setting } from '../../../src/settings/setting';
import { BackendWords } from '../../format/Backend';
import { count, counted, duration } from '../../format/numbers';
import { SettingField } from '../../setup/SettingsForm';
import { usePageSetting, usePageSettings, useTypedText } from '../../state/address-react';
import type { StudyState } from './session';

interface ControlsProps {
  state: StudyState;
  onStart: () => void;
  onPause: () => void;
  onResume: () => void;
  onStop: () => void;
}

export function Controls({ state, ...on }: ControlsProps) {
  const { status, seconds } = state;
  const { studySeeds, studySteps, studyRate } = usePageSettings('stability');
  const busy = status === 'running' || status === 'paused';
  const unfinished = status === 'stopped' || status === 'failed';
  const size = liveSize(studySeeds, studySteps, studyRate);
  return (
    <section
      className="figure stability-controls no-print"
      data-part="setup run"
      aria-label="A study here"
    >
      <h2>Train a smaller study here</h2>
      <div className="stability-order">
        <div className="stability-fields" data-part="setup">
          {[...pageSettings('stability').values()].map((setting) => (
            <Field key={setting.key} setting={setting} />
          ))}
        </div>
        <div className="stability-buttons" data-part="run">
          {status === 'running' ? (
            <button type="button" className="button button-main" onClick={on.onPause}>
              Pause
            </button>
          ) : status === 'paused' ? (
            <button type="button" className="button button-main" onClick={on.onResume}>
              Resume
            </button>
          ) : (
            <button type="button" className="button button-main" onClick={on.onStart}>
              {state.size === null ? 'Train' : 'Train anew'}
            </button>
          )}
          {unfinished && (
            <button type="button" className="button" onClick={on.onResume}>
              Go on
            </button>
          )}
          <button type="button" className="button" disabled={!busy} onClick={on.onStop}>
            Stop
          </button>
        </div>
      </div>
      <progress
        className="standalone-progress"
        aria-label="Progress of the study"
        max={1}
        value={state.steps.all > 0 ? state.steps.done / state.steps.all : 0}
      />
      <p className="small" role="status" data-testid="study-course">
        {status === 'idle'
          ? `${counted(racesOf(size).flatMap(({ plans }) => plans).length, 'run')} of ${counted(size.steps, 'step')}: ` +
            `${ARM_IDS.length} ways of training, ${counted(studySeeds, 'seed')}. A step takes about a second on WebAssembly.`
          : status === 'failed'
            ? `It stopped: ${state.failure} Finished runs are kept.`
            : courseOf(state)}
      </p>
      {state.backend !== null && <BackendWords backend={state.backend} testId="study-backend" />}
      {busy && (
        <p className="small muted">
          It has an engine of its own; the lab’s run is paused meanwhile and keeps its data. You may
          look at other pages.
        </p>
      )}
      {status === 'finished' && (
        <p className="small muted">Trained in {duration(seconds)}, this tab.</p>
      )}
    </section>
  );
}

const WORDS: Record<StudyState['status'], string> = {
  idle: '',
  running: 'Training',
  paused: 'Paused',
  stopped: 'Stopped',
  failed: 'Failed',
  finished: 'Finished',
};

function courseOf({ status, steps, racesDone, races, etaSeconds, phase }: StudyState): string {
  const what =
    status === 'running' && phase === null
      ? 'Loading the policy and compiling its gradient'
      : WORDS[status];
  const left =
    etaSeconds === null || status !== 'running' ? '' : `, about ${duration(etaSeconds)} left`;
  return (
    `${what}, ${count(steps.done)} of ${count(steps.all)} steps; ` +
    `${count(racesDone)} of ${count(races)} groups of runs finished${left}`
  );
}

type StudyKey = keyof PageSettings<'stability'>;

function Field({ setting }: { setting: Setting }) {
  const [value, setValue] = usePageSetting('stability', setting.key as StudyKey);
  const read = (text: string) => {
    const reading = readTyped(setting, text);
    return 'value' in reading ? reading.value : undefined;
  };
  const [text, setText] = useTypedText(value, read, String);
  const reading = readTyped(setting, text);
  return (
    <SettingField
      setting={setting}
      text={text}
      issue={'issue' in reading ? reading.issue : undefined}
      slider={false}
      onChange={(typed) => {
        setText(typed);
        const meant = read(typed);
        if (meant !== undefined) setValue(meant);
      }}
    />
  );
}
