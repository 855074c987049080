/** Switches that the pages over response length share. */
import { LENGTH_BINS, type LengthBins } from '../../../src/link/pages';
import type { AxisMode } from '../../charts/axes';
import { Choice } from '../Choice';
import type { CurveChoice } from './views';

export function AxisSwitch({
  value,
  onChoose,
}: {
  value: AxisMode;
  onChoose: (mode: AxisMode) => void;
}) {
  return (
    <Choice
      label="Axes"
      value={value}
      onChoose={onChoose}
      choices={[
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
    <Choice
      label="Responses compared"
      value={value}
      onChoose={onChoose}
      choices={[
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
  value: LengthBins;
  onChoose: (bins: LengthBins) => void;
}) {
  return (
    <Choice
      label="Bins of natural length"
      value={value}
      onChoose={onChoose}
      choices={LENGTH_BINS.map((bins, i) => ({
        value: bins,
        name: i === 0 ? `${bins} bins` : String(bins),
      }))}
    />
  );
}

/** What stands where a figure will while its data are too few. */

export function TooFew({ height, sequences }: { height: number; sequences: number }) {
  return (
    <div className="plot-empty" style={{ height }}>
      <p>
        A point needs two responses of about one length, its interval 20 prompts. There are{' '}
        {sequences.toLocaleString('en-US')} responses so far.
      </p>
    </div>
  );
}
