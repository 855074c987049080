/** GSPO's weight of each response against its change of cross-entropy: points on the curve exp(ΔH). */
import { useMemo } from 'react';
import type { GradientPoint, GradientResult } from '../../../src/experiments/gradient';
import { Figure } from '../../figures/Figure';
import { sampled } from '../../charts/axes';
import { useStableDomain } from '../../charts/hooks';
import { overlayClouds, overlayTable } from '../../charts/overlay';
import { pointReading, pointRows, pointTable } from '../../charts/table';
import { PointCloud } from '../../charts/PointCloud';
import { domainOf, linearScale } from '../../charts/scale';
import { counted, signed, significant, single } from '../../format/numbers';
import { Prose } from '../../format/Prose';
import { useOverlays } from '../../runs/useOverlays';
import { useLab, useShowsRecording } from '../../state/react';
import { bySign, SignLegend } from './signs';

const CURVE_STEPS = 60;

// The experiment counts H_theta - H_old; the paper's dH is what was gained.
const gainOf = (point: GradientPoint) => -point.crossEntropyChange;

const figuresOf = (point: GradientPoint) => [
  signed(point.advantage, 3),
  signed(gainOf(point), 6),
  single(point.weight),
];

const readingOf = (point: GradientPoint | undefined) =>
  pointReading(point, (p) => [
    { name: 'ΔH', value: signed(gainOf(p), 6) },
    { name: 's', value: single(p.weight) },
    { name: 'A', value: significant(p.advantage, 3) },
  ]);

export function InformationGain({ result, axesKey }: { result: GradientResult; axesKey: string }) {
  const lab = useLab();
  const recorded = useShowsRecording();
  const { points } = result;
  const overlays = useOverlays('gradient');
  const bySigns = useMemo(() => bySign(points, gainOf, ({ weight }) => weight), [points]);
  const clouds = useMemo(() => bySigns.map(({ cloud }) => cloud), [bySigns]);
  const laid = useMemo(
    () =>
      overlayClouds(overlays, ({ points: theirs }) => ({
        x: theirs.map(gainOf),
        y: theirs.map(({ weight }) => weight),
        describe: (i) => readingOf(theirs[i]),
      })),
    [overlays],
  );
  const everyone = useMemo(
    () => [points, ...overlays.map(({ result: own }) => own.points)].flat(),
    [points, overlays],
  );
  const [xLow, xHigh] = useStableDomain(
    useMemo(() => domainOf(everyone.map(gainOf)), [everyone]),
    axesKey,
  );
  const [yLow, yHigh] = useStableDomain(
    useMemo(() => domainOf(everyone.map(({ weight }) => weight)), [everyone]),
    axesKey,
  );
  const x = useMemo(() => linearScale([xLow, xHigh], 5), [xLow, xHigh]);
  const y = useMemo(() => linearScale([yLow, yHigh], 5), [yLow, yHigh]);
  const lines = useMemo(
    () => [
      {
        id: 'prediction',
        kind: 'prediction' as const,
        points: sampled([xLow, xHigh], 'linear', Math.exp, CURVE_STEPS),
      },
    ],
    [xLow, xHigh],
  );
  return (
    <Figure
      title="Weight against information gain"
      overlays={overlays}
      table={() =>
        overlayTable(
          overlays,
          pointTable(['A', 'ΔH, nats per token', 's'], points, figuresOf),
          (own) => pointRows(own.points, figuresOf),
        )
      }
      caption={
        <Prose>
          GSPO’s weight of a response is exp(dH), dH = H_old − H_theta: more weight where the new
          policy finds the response less surprising. Line: the prediction.
        </Prose>
      }
    >
      <SignLegend />
      <PointCloud
        label={`GSPO's weight against the change of cross-entropy, ${counted(points.length, 'response')}`}
        clouds={clouds}
        laid={laid}
        x={x}
        y={y}
        xLabel={<Prose>dH = H_old − H_theta, nats per token</Prose>}
        yLabel="s"
        height={264}
        recorded={recorded}
        lines={lines}
        describe={(cloud, i) => readingOf(bySigns[cloud]?.points[i])}
        pick={(i, cloud) => {
          const sequence = bySigns[cloud]?.points[i]?.sequence;
          if (sequence === undefined) return;
          lab.inspect({ low: -Infinity, high: Infinity, title: 'all responses', sequence });
        }}
      />
    </Figure>
  );
}
