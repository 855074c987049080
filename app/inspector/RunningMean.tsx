/** d_t as points, its running mean as a line that ends at log s; the position read is the inspector's token. */
import { t as say } from '@lingui/core/macro';
import { useMemo } from 'react';
import type { SequenceDetail } from '../../src/engine/lab/protocol';
import { Curves, type Curve } from '../charts/Curves';
import { domainOf, linearScale } from '../charts/scale';
import { signed } from '../format/numbers';

interface RunningMeanProps {
  sequence: SequenceDetail;
  at: number;
  onMove: (t: number) => void;
}

const showX = (t: number) => `token ${t}`;
const showY = (value: number) => signed(value, 5);

export default function RunningMean({ sequence, at, onMove }: RunningMeanProps) {
  const { tokens, logWeight } = sequence;
  const x = useMemo(() => linearScale([0.5, tokens.length + 0.5], 6), [tokens.length]);
  const [curves, y] = useMemo(() => {
    const t = tokens.map((_, i) => i + 1);
    const own: Curve[] = [
      {
        name: say`log-ratio d`,
        colour: '--ink-faint',
        kind: 'points',
        r: 1.8,
        x: t,
        y: tokens.map(({ logRatio }) => logRatio),
      },
      {
        name: say`mean so far`,
        colour: '--form-geometric',
        kind: 'line',
        x: t,
        y: tokens.map(({ runningMean }) => runningMean),
      },
    ];
    const values = own.flatMap((curve) => Array.from(curve.y));
    return [own, linearScale(domainOf([0, ...values], 0.08), 4)];
  }, [tokens]);
  const marks = useMemo(() => [{ value: at + 1, label: '', colour: '--ink' }], [at]);
  return (
    <Curves
      label={say`Running mean of the log-ratio over ${tokens.length} tokens, ending at ${signed(logWeight, 5)}`}
      curves={curves}
      x={x}
      y={y}
      xLabel={say`token t`}
      yLabel="nats"
      height={170}
      left={56}
      level={0}
      marks={marks}
      showX={showX}
      showY={showY}
      moved={onMove}
    />
  );
}
