/** GSPO's weight of each response against its change of cross-entropy: points on the curve exp(ΔH). */
import { useMemo } from 'react';
import type { GradientPoint, GradientResult } from '../../../src/experiments/gradient';
import { Figure } from '../../figures/Figure';
import { useStableDomain } from '../../charts/hooks';
import { overlayClouds, overlayTable } from '../../charts/overlay';
import { pointRows, pointTable } from '../../charts/table';
import { PointCloud } from '../../charts/PointCloud';
import { domainOf, linearScale } from '../../charts/scale';
import { counted, signed, significant, single } from '../../format/numbers';
import { Prose } from '../../format/Prose';
import { useOverlays } from '../../runs/useOverlays';
import { PointTip } from '../../page/PointTip';
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

function Tip({ point }: { point: GradientPoint | undefined }) {
  return (
    <PointTip
      point={point}
      figures={(p) => [
        { name: 'ΔH', value: signed(gainOf(p), 6) },
        { name: 's', value: single(p.weight) },
        { name: 'A', value: significant(p.advantage, 3) },
      ]}
    />
  );
}

export function InformationGain({ result, axesKey }: { result: GradientResult; axesKey: string }) {
  const lab = useLab();
  const recorded = useShowsRecording();
  const { points } = result;
  const overlays = useOverlays('gradient');
  const clouds = useMemo(() => bySign(points, gainOf, ({ weight }) => weight), [points]);
  const laid = useMemo(
    () =>
      overlayClouds(overlays, ({ points: theirs }) => ({
        x: theirs.map(gainOf),
        y: theirs.map(({ weight }) => weight),
        describe: (i) => <Tip point={theirs[i]} />,
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
        clouds={clouds.map(({ cloud }) => cloud)}
        laid={laid}
        x={x}
        y={y}
        xLabel={<Prose>dH = H_old − H_theta, nats per token</Prose>}
        yLabel="s"
        height={264}
        recorded={recorded}
        overlay={(frame) => (
          <path
            className="curve overlay-curve"
            d={Array.from({ length: CURVE_STEPS + 1 }, (_, k) => {
              const gain = xLow + ((xHigh - xLow) * k) / CURVE_STEPS;
              return `${k === 0 ? 'M' : 'L'}${frame.x(gain)} ${frame.y(Math.exp(gain))}`;
            }).join('')}
          />
        )}
        describe={(cloud, i) => <Tip point={clouds[cloud]?.points[i]} />}
        pick={(i, cloud) => {
          const sequence = clouds[cloud]?.points[i]?.sequence;
          if (sequence === undefined) return;
          lab.inspect({ low: -Infinity, high: Infinity, title: 'all responses', sequence });
        }}
      />
    </Figure>
  );
}
