/**
 * What a page without a recorded run shows around its figures: why there is no answer, or that one is on
 * its way. Contract: keeps the room of the figures free, so that nothing jumps when the first batch comes.
 */
import type { ReactNode } from 'react';
import { useLabState } from '../state/react';

interface LiveProps<Result> {
  answer: { result: Result | null; run: number | null; refusal: string | null };
  /** what grows here, for the empty page */
  promise: string;
  /** @param axesKey axes start afresh when it changes */
  children: (result: Result, axesKey: string) => ReactNode;
}

export function Live<Result>({ answer, promise, children }: LiveProps<Result>) {
  const { result, run, refusal } = answer;
  const running = useLabState((state) => state.run !== null);
  return (
    <>
      {refusal !== null && (
        <p className="notice notice-bad" role="alert">
          The experiment gave no answer: {refusal}
        </p>
      )}
      {result !== null ? (
        children(result, `run ${run}`)
      ) : (
        <div className="empty-figures" data-testid="empty">
          <p>
            {promise}{' '}
            {running
              ? 'It comes with the first batch.'
              : 'Press Start, or open your own file on the Data page.'}
          </p>
        </div>
      )}
    </>
  );
}

interface ChoiceProps<T extends string | number> {
  label: string;
  value: T;
  choices: readonly { value: T; name: string }[];
  onChoose: (value: T) => void;
}

export function Choice<T extends string | number>({
  label,
  value,
  choices,
  onChoose,
}: ChoiceProps<T>) {
  return (
    <div className="segmented" role="group" aria-label={label}>
      {choices.map((choice) => (
        <button
          key={choice.value}
          type="button"
          aria-pressed={choice.value === value}
          onClick={() => onChoose(choice.value)}
        >
          {choice.name}
        </button>
      ))}
    </div>
  );
}

interface TogglesProps<T extends string> {
  label: string;
  chosen: readonly T[];
  choices: readonly { value: T; name: string; colour: string }[];
  onChange: (chosen: T[]) => void;
}

/** Any set of the choices but the empty one. */
export function Toggles<T extends string>({ label, chosen, choices, onChange }: TogglesProps<T>) {
  return (
    <div className="toggles" role="group" aria-label={label}>
      {choices.map(({ value, name, colour }) => {
        const pressed = chosen.includes(value);
        return (
          <button
            key={value}
            type="button"
            aria-pressed={pressed}
            onClick={() => {
              const next = choices
                .map((choice) => choice.value)
                .filter((id) => (id === value ? !pressed : chosen.includes(id)));
              if (next.length > 0) onChange(next);
            }}
          >
            <span className="swatch" style={{ background: `var(${colour})` }} />
            {name}
          </button>
        );
      })}
    </div>
  );
}
