/** GSPO's weight of each response against its change of cross-entropy: points on the curve exp(ΔH). */
import { useMemo } from 'react';
import type { GradientPoint, GradientResult } from '../../../src/experiments/gradient';
import { Figure } from '../../charts/Figure';
import { useStableDomain } from '../../charts/hooks';
import { overlayClouds, overlayTable } from '../../charts/overlay';
import { PointCloud } from '../../charts/PointCloud';
import { domainOf, linearScale } from '../../charts/scale';
import { counted, signed, significant, single } from '../../format/numbers';
import { Prose } from '../../format/Prose';
import { useOverlays } from '../../runs/useOverlays';
import { useLab } from '../../state/react';
import { bySign } from './signs';
import { SignLegend } from './SignLegend';

const CURVE_STEPS = 60;
/** of each run in the table */
const ROWS = 500;

// The experiment counts H_theta - H_old; the paper's dH is what was gained.
const gainOf = (point: GradientPoint) => -point.crossEntropyChange;

function rowsOf({ points }: GradientResult): string[][] {
  return points
    .slice(0, ROWS)
    .map((point) => [
      `#${point.sequence}`,
      String(point.length),
      signed(point.advantage, 3),
      signed(gainOf(point), 6),
      single(point.weight),
    ]);
}

function Tip({ point }: { point: GradientPoint | undefined }) {
  if (point === undefined) return null;
  return (
    <>
      <div className="tooltip-head">
        response #{point.sequence}, {counted(point.length, 'token')}
      </div>
      <div className="tooltip-row">
        ΔH <b>{signed(gainOf(point), 6)}</b>
      </div>
      <div className="tooltip-row">
        s <b>{single(point.weight)}</b>
      </div>
      <div className="tooltip-row">
        A <b>{significant(point.advantage, 3)}</b>
      </div>
    </>
  );
}

export function InformationGain({ result, axesKey }: { result: GradientResult; axesKey: string }) {
  const lab = useLab();
  const { points } = result;
  const overlays = useOverlays('gradient');
  const clouds = useMemo(
    () =>
      bySign(
        points,
        ({ advantage }) => advantage,
        gainOf,
        ({ weight }) => weight,
      ),
    [points],
  );
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
      recorded={false}
      overlays={overlays}
      table={() =>
        overlayTable(
          overlays,
          {
            columns: ['response', 'tokens', 'A', 'ΔH, nats per token', 's'],
            rows: rowsOf(result),
            ...(points.length > ROWS
              ? { note: `The first ${ROWS} of ${points.length} points.` }
              : {}),
          },
          rowsOf,
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
        recorded={false}
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
