/** Which race, and its course: presets with their predicted times, racers, settings; run, pause, step, stop. */
import { useEffect, useMemo } from 'react';
import { predictedSeconds } from '../../../src/engine/trainer/client';
import { sameRace, type TrainingSettings } from '../../../src/settings/training';
import type { RacePhase } from '../../../src/training/race';
import { count, duration } from '../../format/numbers';
import { usePageSetting, useAddress } from '../../state/address-react';
import { useLabState } from '../../state/react';
import { BackendTrouble, BackendWords } from '../../format/Backend';
import { looksOf } from './names';
import { PRESETS, type Preset } from './presets';
import { Racers } from './Racers';
import {
  isPaused,
  isUnderWay,
  type Estimate,
  type PresentRace,
  type SessionState,
} from './session';
import { Settings } from './Settings';

interface ControlsProps {
  state: SessionState;
  /** the settings chosen, or the sentence that says why they cannot be */
  chosen: TrainingSettings | string;
  onStart: (paused: boolean) => void;
  onPause: () => void;
  onResume: () => void;
  onStep: () => void;
  onStop: () => void;
  onMeasure: () => void;
}

export function Controls({ state, chosen, ...on }: ControlsProps) {
  const [racers, setRacers] = usePageSetting('train', 'racers');
  const [backend] = usePageSetting('train', 'backend');
  const [policy] = usePageSetting('train', 'policy');
  const experts = useLabState(
    ({ opening }) =>
      opening.status === 'open' &&
      opening.policies.some((own) => own.name === policy && own.experts !== undefined),
  );
  const address = useAddress();
  const { race, estimate } = state;
  const live = isUnderWay(race);
  const paused = isPaused(race);
  const valid = typeof chosen !== 'string';
  const times = useMemo(
    () => PRESETS.map(({ settings }) => timeWords(estimate, settings)),
    [estimate],
  );
  /** Where it runs stays as it was chosen. */
  const choose = ({ settings }: Preset) => address.chooseAll('train', { ...settings, backend });
  return (
    <section className="figure race-controls" data-part="setup run" aria-label="Race">
      <div className="race-setup" data-part="setup">
        <div className="race-presets" role="group" aria-label="Presets">
          {PRESETS.map((preset, i) => (
            <button
              key={preset.id}
              type="button"
              className="race-preset"
              aria-pressed={valid && sameRace(preset.settings, chosen)}
              onClick={() => choose(preset)}
            >
              <b>{preset.name}</b>
              <span>{preset.words}</span>
              <span className="race-time" data-testid={`time-${preset.id}`}>
                {times[i]}
              </span>
            </button>
          ))}
        </div>
        <Racers racers={racers} experts={experts} onChange={(changed) => setRacers([...changed])} />
        <details>
          <summary>All settings</summary>
          <Settings />
        </details>
      </div>
      {!valid && (
        <p className="field-issue" role="alert">
          {chosen}
        </p>
      )}
      <div className="race-buttons" data-part="run">
        {live && !paused ? (
          <button type="button" className="button button-main" onClick={on.onPause}>
            Pause
          </button>
        ) : paused || race?.failure?.canResume ? (
          <button type="button" className="button button-main" onClick={on.onResume}>
            Resume
          </button>
        ) : (
          <button
            type="button"
            className="button button-main"
            disabled={!valid}
            onClick={() => on.onStart(false)}
          >
            {race === null ? 'Train' : 'Train again'}
          </button>
        )}
        <button
          type="button"
          className="button"
          title="One step of every racer, then pause"
          disabled={live ? !paused : !valid}
          onClick={() => (live ? on.onStep() : on.onStart(true))}
        >
          Step
        </button>
        <button type="button" className="button" disabled={!live} onClick={on.onStop}>
          Stop
        </button>
        {estimate?.status !== 'measuring' && !live && (
          <button
            type="button"
            className="button-quiet"
            data-part="setup"
            disabled={!valid}
            onClick={on.onMeasure}
          >
            Measure the speed here
          </button>
        )}
      </div>
      <Course race={race} estimate={estimate} />
    </section>
  );
}

function timeWords(estimate: Estimate | null, settings: TrainingSettings): string {
  if (estimate?.status === 'measuring') return 'measuring the speed…';
  if (estimate?.status !== 'here') return 'time not measured yet';
  if (estimate.settings.policy !== settings.policy) return 'time not measured for this policy';
  return `about ${duration(predictedSeconds(estimate.estimate, settings))} here`;
}

const PHASES: Record<RacePhase, string> = {
  loading: 'Loading',
  sampling: 'sampling',
  scoring: 'scoring',
  gradient: 'gradient',
  update: 'update',
  evaluation: 'evaluating',
  paused: 'Paused',
  finished: 'Finished',
  stopped: 'Stopped',
};

/** Whose step, how far, how long still; on what, and what is wrong with it. */
export function Course({
  race,
  estimate,
}: {
  race: PresentRace | null;
  estimate: Estimate | null;
}) {
  const looks = useMemo(() => looksOf(race?.settings.racers ?? []), [race?.settings.racers]);
  const progress = race?.progress ?? null;
  const total = progress?.totalSteps ?? 0;
  const left = progress?.etaSeconds;
  const resting = ['paused', 'finished', 'stopped'].includes(progress?.phase ?? '');
  return (
    <div className="race-course" data-part="run">
      <progress
        className="standalone-progress"
        aria-label="Progress of the race"
        max={1}
        value={total > 0 ? (progress?.stepsDone ?? 0) / total : 0}
      />
      <p className="small" role="status" data-testid="course">
        {race === null
          ? estimate?.status === 'refused'
            ? `The speed could not be measured: ${estimate.message}`
            : estimate?.status === 'here'
              ? 'Times are predicted from a short step of this policy, its parts measured here just now.'
              : 'Nothing has been trained yet.'
          : race.failure !== null
            ? `It stopped: ${race.failure.message}`
            : progress === null
              ? 'Loading the policy and compiling its gradient'
              : `${resting ? PHASES[progress.phase] : `${looks[progress.racer]?.name ?? ''}: ${PHASES[progress.phase]}`}, ` +
                `${count(progress.stepsDone)} of ${count(total)} steps` +
                (progress.phase === 'finished'
                  ? ` in ${duration(progress.seconds)}`
                  : left === null || left === undefined
                    ? ''
                    : `, about ${duration(left)} left`)}
      </p>
      {race !== null && race.backend !== null && (
        <>
          <BackendWords backend={race.backend} testId="race-backend" />
          <BackendTrouble trouble={race.backend.trouble} testId="race-backend-trouble" />
        </>
      )}
      {race !== null && race.keepingTrouble !== null && (
        <p className="small muted">Not kept: {race.keepingTrouble}</p>
      )}
    </div>
  );
}

/** Measures once by itself, so that the presets can say how long they take. */
export function useFirstMeasure(state: SessionState, measure: (() => void) | null): void {
  const wanted = state.estimate === null && state.race === null && measure !== null;
  useEffect(() => {
    if (wanted) measure?.();
    // Only the wish counts: `measure` is a new closure on every render.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [wanted]);
}
