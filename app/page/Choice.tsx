/** Switches of a page: one of several, or any set of them. */
interface ChoiceProps<T extends string | number> {
  label: string;
  value: T;
  choices: readonly { value: T; name: string }[];
  onChoose: (value: T) => void;
  disabled?: boolean;
}

export function Choice<T extends string | number>({
  label,
  value,
  choices,
  onChoose,
  disabled = false,
}: ChoiceProps<T>) {
  return (
    <div className="segmented" role="group" aria-label={label}>
      {choices.map((choice) => (
        <button
          key={choice.value}
          type="button"
          aria-pressed={choice.value === value}
          disabled={disabled}
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
