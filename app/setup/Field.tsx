/** One field: label, input, hint, and the sentence when its value cannot be. */
import { useId, type ReactNode } from 'react';
import { Prose, Symbol } from '../format/Prose';
import type { FieldSpec } from './fields';
import { sliderPosition, sliderText, type SliderShape } from './slider';

function Label({ id, label, symbol }: { id: string; label: string; symbol?: string | undefined }) {
  return (
    <label htmlFor={id}>
      {label}
      {symbol !== undefined && (
        <>
          {' '}
          <Symbol text={symbol} />
        </>
      )}
    </label>
  );
}

function Hint({ id, text }: { id: string; text: string }) {
  return (
    <p className="field-hint" id={id}>
      <Prose>{text}</Prose>
    </p>
  );
}

interface NumberFieldProps {
  spec: FieldSpec<string>;
  text: string;
  issue: string | undefined;
  slider?: SliderShape;
  /** where the slider has a mark, besides 0 */
  standard?: number | undefined;
  onChange: (text: string) => void;
  extra?: ReactNode;
}

export function NumberField({
  spec,
  text,
  issue,
  slider,
  standard,
  onChange,
  extra,
}: NumberFieldProps) {
  const id = useId();
  const hint = useId();
  const wrong = useId();
  const marks = useId();
  return (
    <div className="field">
      <Label id={id} label={spec.label} symbol={spec.symbol} />
      <div className="field-input">
        {slider !== undefined && (
          <>
            <input
              type="range"
              aria-label={`${spec.label}, slider`}
              aria-valuetext={text}
              min={0}
              max={1}
              step={slider === 'linear' ? 0.01 / (spec.high - spec.low) : 0.005}
              list={marks}
              value={sliderPosition(spec, slider, Number(text))}
              onChange={(event) =>
                onChange(sliderText(spec, slider, Number(event.currentTarget.value)))
              }
            />
            <datalist id={marks}>
              <option value={sliderPosition(spec, slider, 0)} />
              {standard !== undefined && <option value={sliderPosition(spec, slider, standard)} />}
            </datalist>
          </>
        )}
        <input
          id={id}
          type="text"
          inputMode={spec.whole && spec.low >= 0 ? 'numeric' : 'text'}
          autoComplete="off"
          spellCheck={false}
          className={slider === undefined ? '' : 'input-short'}
          value={text}
          aria-invalid={issue !== undefined}
          aria-describedby={issue === undefined ? hint : `${wrong} ${hint}`}
          onChange={(event) => onChange(event.currentTarget.value)}
        />
        {extra}
      </div>
      {issue !== undefined && (
        <p className="field-issue" id={wrong} role="alert">
          {issue}
        </p>
      )}
      <Hint id={hint} text={spec.hint} />
    </div>
  );
}

interface SelectFieldProps<T extends string> {
  label: string;
  symbol?: string;
  hint: string;
  value: T;
  options: readonly { value: T; label: string }[];
  onChange: (value: T) => void;
}

export function SelectField<T extends string>({
  label,
  symbol,
  hint,
  value,
  options,
  onChange,
}: SelectFieldProps<T>) {
  const id = useId();
  const hintId = useId();
  return (
    <div className="field">
      <Label id={id} label={label} symbol={symbol} />
      <select
        id={id}
        value={value}
        aria-describedby={hintId}
        onChange={(event) => {
          const chosen = options[event.currentTarget.selectedIndex];
          if (chosen !== undefined) onChange(chosen.value);
        }}
      >
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
      </select>
      <Hint id={hintId} text={hint} />
    </div>
  );
}
