/** Who races: objective, band and learning rate of each. */
import { useId } from 'react';
import { readTyped, settingsOf, type Setting } from '../../../src/settings/setting';
import {
  DEFAULT_RACER,
  MAX_RACERS,
  racerSchema,
  ROUTINGS,
  TRAINING_OBJECTIVES,
  type RacerSettings,
} from '../../../src/settings/training';
import { useTypedText } from '../../state/address-react';
import { objectiveView } from '../../page/objective-views';
import { looksOf, nextRacer, withoutBand } from './names';

const racerSettings = settingsOf(racerSchema);
const routing = racerSettings.get('routing') as Setting<RacerSettings['routing']>;

interface RacersProps {
  racers: readonly RacerSettings[];
  /** the policy has some: a racer may replay them */
  experts: boolean;
  onChange: (racers: readonly RacerSettings[]) => void;
}

export function Racers({ racers, experts, onChange }: RacersProps) {
  const looks = looksOf(racers);
  const set = (i: number, racer: RacerSettings) =>
    onChange(racers.map((other, k) => (k === i ? racer : other)));
  return (
    <div className="racers">
      {racers.map((racer, i) => (
        <fieldset key={i} className="racer" data-testid="racer">
          <legend>
            <span className="swatch" style={{ background: `var(${looks[i]?.colour})` }} />
            Racer {i + 1}
          </legend>
          <label>
            Objective
            <select
              value={racer.objective}
              onChange={(event) => {
                const chosen = TRAINING_OBJECTIVES[event.currentTarget.selectedIndex];
                // Bands differ by orders of magnitude between objectives: each comes with its own.
                if (chosen !== undefined) {
                  set(i, { ...DEFAULT_RACER[chosen], routing: racer.routing });
                }
              }}
            >
              {TRAINING_OBJECTIVES.map((objective) => (
                <option key={objective} value={objective}>
                  {objectiveView(objective).name}
                </option>
              ))}
            </select>
          </label>
          {NUMBERS.map((key) => (
            <RacerNumber
              key={key}
              setting={racerSettings.get(key) as Setting}
              value={racer[key]}
              disabled={key !== 'learningRate' && withoutBand(racer.objective)}
              onChange={(value) => set(i, { ...racer, [key]: value })}
            />
          ))}
          {(experts || racer.routing !== 'own') && (
            <label title={routing.hint}>
              {routing.label}
              <select
                value={racer.routing}
                onChange={(event) => {
                  const chosen = routing.read(event.currentTarget.value);
                  if (chosen !== undefined) set(i, { ...racer, routing: chosen });
                }}
              >
                {ROUTINGS.map((own) => (
                  <option key={own} value={own}>
                    {routing.show(own)}
                  </option>
                ))}
              </select>
            </label>
          )}
          <button
            type="button"
            className="button-quiet"
            disabled={racers.length === 1}
            aria-label={`Remove racer ${i + 1}`}
            onClick={() => onChange(racers.filter((_, k) => k !== i))}
          >
            Remove
          </button>
        </fieldset>
      ))}
      <button
        type="button"
        className="button"
        disabled={racers.length >= MAX_RACERS}
        onClick={() => onChange([...racers, nextRacer(racers)])}
      >
        Add a racer
      </button>
    </div>
  );
}

const NUMBERS = ['epsilonLow', 'epsilonHigh', 'learningRate'] as const;

interface RacerNumberProps {
  setting: Setting;
  value: number;
  disabled: boolean;
  onChange: (value: number) => void;
}

function RacerNumber({ setting, value, disabled, onChange }: RacerNumberProps) {
  const wrong = useId();
  const read = (text: string) => {
    const reading = readTyped(setting, text);
    return 'value' in reading ? reading.value : undefined;
  };
  const [text, setText] = useTypedText(value, read, String);
  const reading = readTyped(setting, text);
  const issue = 'issue' in reading ? reading.issue : null;
  return (
    <label>
      {setting.label}
      <input
        type="text"
        autoComplete="off"
        spellCheck={false}
        value={disabled ? '–' : text}
        disabled={disabled}
        aria-invalid={issue !== null}
        aria-describedby={wrong}
        onChange={(event) => {
          const typed = event.currentTarget.value;
          setText(typed);
          const number = read(typed);
          if (number !== undefined) onChange(number);
        }}
      />
      {issue !== null && (
        <span className="field-issue" id={wrong} role="alert">
          {issue}
        </span>
      )}
    </label>
  );
}
