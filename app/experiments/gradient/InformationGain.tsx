/** GSPO's weight of each response against its change of cross-entropy: points on the curve exp(ΔH). */
import { useMemo } from 'react';
import type { GradientResult } from '../../../src/experiments/gradient';
import { Figure } from '../../charts/Figure';
import { useStableDomain } from '../../charts/hooks';
import { PointCloud } from '../../charts/PointCloud';
import { domainOf, linearScale } from '../../charts/scale';
import { counted, signed, significant, single } from '../../format/numbers';
import { Prose } from '../../format/Prose';
import { useLab } from '../../state/react';
import { bySign } from './signs';
import { SignLegend } from './SignLegend';

const CURVE_STEPS = 60;

export function InformationGain({ result, axesKey }: { result: GradientResult; axesKey: string }) {
  const lab = useLab();
  const { points } = result;
  // The experiment counts H_theta - H_old; the paper's dH is what was gained.
  const clouds = useMemo(
    () =>
      bySign(
        points,
        (point) => -point.crossEntropyChange,
        (point) => point.weight,
      ),
    [points],
  );
  const [xLow, xHigh] = useStableDomain(
    useMemo(() => domainOf(points.map((point) => -point.crossEntropyChange)), [points]),
    axesKey,
  );
  const [yLow, yHigh] = useStableDomain(
    useMemo(() => domainOf(points.map(({ weight }) => weight)), [points]),
    axesKey,
  );
  const x = useMemo(() => linearScale([xLow, xHigh], 5), [xLow, xHigh]);
  const y = useMemo(() => linearScale([yLow, yHigh], 5), [yLow, yHigh]);
  return (
    <Figure
      title="Weight against information gain"
      recorded={false}
      table={() => ({
        columns: ['response', 'tokens', 'A', 'ΔH, nats per token', 's'],
        rows: points
          .slice(0, 500)
          .map((point) => [
            `#${point.sequence}`,
            String(point.length),
            signed(point.advantage, 3),
            signed(-point.crossEntropyChange, 6),
            single(point.weight),
          ]),
        ...(points.length > 500 ? { note: `The first 500 of ${points.length} points.` } : {}),
      })}
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
        describe={(cloud, i) => {
          const point = clouds[cloud]?.points[i];
          if (point === undefined) return null;
          return (
            <>
              <div className="tooltip-head">
                response #{point.sequence}, {counted(point.length, 'token')}
              </div>
              <div className="tooltip-row">
                ΔH <b>{signed(-point.crossEntropyChange, 6)}</b>
              </div>
              <div className="tooltip-row">
                s <b>{single(point.weight)}</b>
              </div>
              <div className="tooltip-row">
                A <b>{significant(point.advantage, 3)}</b>
              </div>
            </>
          );
        }}
        pick={(i, cloud) => {
          const sequence = clouds[cloud]?.points[i]?.sequence;
          if (sequence === undefined) return;
          lab.inspect({ low: -Infinity, high: Infinity, title: 'all responses', sequence });
        }}
      />
    </Figure>
  );
}
