/** A verdict: mark, word, and whether it is of the recorded run or of the run before. */
import { t } from '@lingui/core/macro';
import { use } from 'react';
import type { Verdict } from '../../src/experiments/experiment';
import { LagContext } from '../state/react';

const MARKS: Record<Verdict | 'none', string> = {
  holds: '✓',
  fails: '✕',
  departs: '≠',
  undecided: '…',
  'not applicable': '–',
  none: '·',
};

const sentences = (): Record<Verdict | 'none', string> => ({
  holds: t`holds`,
  fails: t`fails`,
  departs: t`departs`,
  undecided: t`undecided`,
  'not applicable': t`not applicable`,
  none: t`not measured yet`,
});

export function VerdictChip({
  verdict,
  recorded: own,
}: {
  verdict: Verdict | 'none';
  /** that of the page unless told */
  recorded?: boolean | undefined;
}) {
  const lag = use(LagContext);
  const recorded = own ?? lag?.of === 'recording';
  const before = lag?.of === 'run before' && !recorded && verdict !== 'none';
  const classes = `chip verdict chip-${verdict.replace(' ', '-')}`;
  return (
    <span className={before ? `${classes} chip-before` : classes} data-testid="verdict">
      <span aria-hidden="true">{MARKS[verdict]}</span>
      {sentences()[verdict]}
      {recorded && verdict !== 'none' && t` (recorded)`}
      {before && t` (run before)`}
    </span>
  );
}
