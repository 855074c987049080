/** Switches that the pages over response length share. */
import { Trans } from '@lingui/react/macro';
import { t } from '@lingui/core/macro';
import { LENGTH_BINS, type LengthBins } from '../../../src/link/pages';
import type { AxisMode } from '../../charts/axes';
import { Choice } from '../Choice';
import type { CurveChoice } from './views';
import { count } from '../../format/numbers';

export function AxisSwitch({
  value,
  onChoose,
}: {
  value: AxisMode;
  onChoose: (mode: AxisMode) => void;
}) {
  return (
    <Choice
      label={t`Axes`}
      value={value}
      onChoose={onChoose}
      choices={[
        { value: 'log', name: t`log–log` },
        { value: 'linear', name: t`linear` },
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
      label={t`Responses compared`}
      value={value}
      onChoose={onChoose}
      choices={[
        ...(both ? [{ value: 'both' as const, name: t`both` }] : []),
        { value: 'natural', name: t`natural lengths` },
        { value: 'prefix', name: t`prefixes` },
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
      label={t`Bins of natural length`}
      value={value}
      onChoose={onChoose}
      choices={LENGTH_BINS.map((bins, i) => ({
        value: bins,
        name: i === 0 ? t`${bins} bins` : String(bins),
      }))}
    />
  );
}

/** What stands where a figure will while its data are too few. */

export function TooFew({ height, sequences }: { height: number; sequences: number }) {
  return (
    <div className="plot-empty" style={{ height }}>
      <p>
        <Trans>
          A point needs two responses of about one length, its interval 20 prompts. There are{' '}
          {count(sequences)} responses so far.
        </Trans>
      </p>
    </div>
  );
}
