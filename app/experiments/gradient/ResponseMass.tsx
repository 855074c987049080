/** How much gradient each response gets under one objective, against length, advantage or entropy. */
import { useMemo } from 'react';
import type { GradientPoint, GradientResult } from '../../../src/experiments/gradient';
import { Figure } from '../../charts/Figure';
import { useStableDomain } from '../../charts/hooks';
import { PointCloud } from '../../charts/PointCloud';
import { domainOf, linearScale, logScale } from '../../charts/scale';
import { counted, signed, significant } from '../../format/numbers';
import { useLab } from '../../state/react';
import { GRADIENT_OBJECTIVES } from '../../../src/link/pages';
import { usePageSetting } from '../../state/address-react';
import { Choice } from '../Choice';
import { objectiveView } from '../objective-views';
import { bySign } from './signs';
import { SignLegend } from './SignLegend';

type Axis = 'length' | 'advantage' | 'entropy';

const AXES: Record<Axis, { name: string; label: string; of: (p: GradientPoint) => number }> = {
  length: { name: 'length', label: 'response tokens, L', of: (p) => p.length },
  advantage: { name: 'A', label: 'advantage, A', of: (p) => p.advantage },
  entropy: {
    name: 'entropy',
    label: 'mean Shannon entropy under π_old, nats',
    of: (p) => p.entropy ?? Number.NaN,
  },
};

export function ResponseMass({ result, axesKey }: { result: GradientResult; axesKey: string }) {
  const lab = useLab();
  const [wanted, setWanted] = usePageSetting('gradient', 'responses');
  const [axis, setAxis] = usePageSetting('gradient', 'against');
  const found = result.objectives.findIndex(({ id }) => id === wanted);
  const index = Math.max(0, found);
  const objective = result.objectives[index];
  const { points, sequences } = result;
  const { of, label } = AXES[axis];
  // Mass of an average response = 1, so that the size of the batch does not show.
  const scale = sequences / Math.max(objective?.mass ?? 0, Number.MIN_VALUE);
  const clouds = useMemo(
    () => bySign(points, of, (point) => (point.mass[index] as number) * scale),
    [points, of, index, scale],
  );
  const key = `${axesKey} ${axis}`;
  const [xLow, xHigh] = useStableDomain(
    useMemo(() => domainOf(points.map(of)), [points, of]),
    key,
  );
  const [, yHigh] = useStableDomain(
    useMemo(() => domainOf(clouds.flatMap(({ cloud }) => [...cloud.y, 0])), [clouds]),
    `${key} ${wanted}`,
  );
  const x = useMemo(
    () =>
      axis === 'length' ? logScale([Math.max(0.9, xLow), xHigh], 6) : linearScale([xLow, xHigh], 5),
    [axis, xLow, xHigh],
  );
  const y = useMemo(() => linearScale([-0.03 * yHigh, yHigh], 5), [yHigh]);
  if (objective === undefined) return null;
  const { name } = objectiveView(objective.id);
  const none = axis === 'entropy' && points.every(({ entropy }) => entropy === null);
  return (
    <Figure
      title="Gradient of each response"
      recorded={false}
      controls={
        <>
          <select
            aria-label="Objective"
            className="select-small"
            value={objective.id}
            onChange={(event) => {
              const next = GRADIENT_OBJECTIVES.find((id) => id === event.target.value);
              if (next !== undefined) setWanted(next);
            }}
          >
            {result.objectives.map(({ id }) => (
              <option key={id} value={id}>
                {objectiveView(id).name}
              </option>
            ))}
          </select>
          <Choice<Axis>
            label="Horizontal axis"
            value={axis}
            choices={(['length', 'advantage', 'entropy'] as const).map((value) => ({
              value,
              name: AXES[value].name,
            }))}
            onChoose={setAxis}
          />
        </>
      }
      table={() => ({
        columns: ['response', 'tokens', 'A', 'entropy', `gradient, ${name}`],
        rows: points
          .slice(0, 500)
          .map((point) => [
            `#${point.sequence}`,
            String(point.length),
            signed(point.advantage, 3),
            point.entropy === null ? '' : significant(point.entropy, 4),
            significant((point.mass[index] as number) * scale, 4),
          ]),
        ...(points.length > 500 ? { note: `The first 500 of ${points.length} points.` } : {}),
      })}
      caption={
        <>
          Sum of |∂loss/∂log π| over the response under {name}, in units of an average response. At
          0: clipped, or A = 0.
        </>
      }
    >
      <SignLegend />
      {none ? (
        <div className="plot-empty" style={{ height: 264 }}>
          no Shannon entropies in this source
        </div>
      ) : (
        <PointCloud
          label={`Gradient of each response under ${name} against ${label}`}
          clouds={clouds.map(({ cloud }) => cloud)}
          x={x}
          y={y}
          xLabel={label}
          yLabel="gradient, average = 1"
          height={264}
          recorded={false}
          describe={(cloud, i) => {
            const point = clouds[cloud]?.points[i];
            if (point === undefined) return null;
            return (
              <>
                <div className="tooltip-head">
                  response #{point.sequence}, {counted(point.length, 'token')}
                </div>
                <div className="tooltip-row">
                  A <b>{signed(point.advantage, 3)}</b>
                </div>
                <div className="tooltip-row">
                  gradient <b>{significant((point.mass[index] as number) * scale, 4)}</b>
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
      )}
    </Figure>
  );
}
