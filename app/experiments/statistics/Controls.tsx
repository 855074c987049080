/** Switches that the pages over response length share. */
import type { AxisMode } from '../../charts/axes';
import { BIN_CHOICES, type CurveChoice } from './views';

interface SwitchProps<T extends string | number> {
  label: string;
  value: T;
  options: readonly { value: T; name: string }[];
  onChoose: (value: T) => void;
  disabled?: boolean;
}

export function Switch<T extends string | number>({
  label,
  value,
  options,
  onChoose,
  disabled = false,
}: SwitchProps<T>) {
  return (
    <div className="segmented" role="group" aria-label={label}>
      {options.map((option) => (
        <button
          key={option.value}
          type="button"
          aria-pressed={option.value === value}
          disabled={disabled}
          onClick={() => onChoose(option.value)}
        >
          {option.name}
        </button>
      ))}
    </div>
  );
}

export function AxisSwitch({
  value,
  onChoose,
}: {
  value: AxisMode;
  onChoose: (mode: AxisMode) => void;
}) {
  return (
    <Switch
      label="Axes"
      value={value}
      onChoose={onChoose}
      options={[
        { value: 'log', name: 'log–log' },
        { value: 'linear', name: 'linear' },
      ]}
    />
  );
}

export function CurveSwitch({
  value,
  onChoose,
  both = false,
}: {
  value: CurveChoice;
  onChoose: (curve: CurveChoice) => void;
  both?: boolean;
}) {
  return (
    <Switch
      label="Responses compared"
      value={value}
      onChoose={onChoose}
      options={[
        ...(both ? [{ value: 'both' as const, name: 'both' }] : []),
        { value: 'natural', name: 'natural lengths' },
        { value: 'prefix', name: 'prefixes' },
      ]}
    />
  );
}

export function BinsSwitch({
  value,
  onChoose,
}: {
  value: number;
  onChoose: (bins: number) => void;
}) {
  return (
    <Switch
      label="Bins of natural length"
      value={value}
      onChoose={onChoose}
      options={BIN_CHOICES.map((bins, i) => ({
        value: bins,
        name: i === 0 ? `${bins} bins` : String(bins),
      }))}
    />
  );
}
