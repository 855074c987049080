/** How much gradient each response gets under one objective, against length, advantage or entropy. */
import { useMemo } from 'react';
import type { GradientPoint, GradientResult } from '../../../src/experiments/gradient';
import { Figure } from '../../figures/Figure';
import { useStableDomain } from '../../charts/hooks';
import { overlayClouds, overlayTable } from '../../charts/overlay';
import { pointReading, pointRows, pointTable } from '../../charts/table';
import { PointCloud } from '../../charts/PointCloud';
import { domainOf, linearScale, logScale } from '../../charts/scale';
import { Prose } from '../../format/Prose';
import { signed, significant } from '../../format/numbers';
import { useOverlays } from '../../runs/useOverlays';
import { useLab, useShowsRecording } from '../../state/react';
import { OBJECTIVE_IDS } from '../../../src/math/objectives/registry';
import { usePageSetting } from '../../state/address-react';
import { Choice } from '../../page/Choice';
import { objectiveView } from '../../page/objective-views';
import { bySign, SignLegend } from './signs';

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

interface Weighed extends GradientPoint {
  /** of the gradient, in units of an average response, so that the size of the batch does not show */
  share: number;
}

function weighedOf({ objectives, points, sequences }: GradientResult, wanted: string): Weighed[] {
  const index = Math.max(
    0,
    objectives.findIndex(({ id }) => id === wanted),
  );
  const mass = objectives[index]?.mass ?? 0;
  // All clipped, or VESPO's weights all underflow: nobody gets any.
  const scale = mass > 0 ? sequences / mass : 0;
  return points.map((point) => ({ ...point, share: (point.mass[index] as number) * scale }));
}

const figuresOf = (point: Weighed) => [
  signed(point.advantage, 3),
  point.entropy === null ? '' : significant(point.entropy, 4),
  significant(point.share, 4),
];

const readingOf = (point: Weighed | undefined) =>
  pointReading(point, (p) => [
    { name: 'A', value: signed(p.advantage, 3) },
    { name: 'gradient', value: significant(p.share, 4) },
  ]);

export function ResponseMass({ result, axesKey }: { result: GradientResult; axesKey: string }) {
  const lab = useLab();
  const recorded = useShowsRecording();
  const [wanted, setWanted] = usePageSetting('gradient', 'responses');
  const [axis, setAxis] = usePageSetting('gradient', 'against');
  const objective = result.objectives.find(({ id }) => id === wanted) ?? result.objectives[0];
  const { points } = result;
  const { of, label } = AXES[axis];
  const overlays = useOverlays('gradient');
  const weighed = useMemo(() => weighedOf(result, wanted), [result, wanted]);
  const bySigns = useMemo(() => bySign(weighed, of, ({ share }) => share), [weighed, of]);
  const clouds = useMemo(() => bySigns.map(({ cloud }) => cloud), [bySigns]);
  const laid = useMemo(
    () =>
      overlayClouds(overlays, (own) => {
        const theirs = weighedOf(own, wanted);
        return {
          x: theirs.map(of),
          y: theirs.map(({ share }) => share),
          describe: (i) => readingOf(theirs[i]),
        };
      }),
    [overlays, wanted, of],
  );
  const drawn = useMemo(() => [...clouds, ...laid], [clouds, laid]);
  const key = `${axesKey} ${axis}`;
  const [xLow, xHigh] = useStableDomain(
    useMemo(() => domainOf(drawn.flatMap(({ x }) => x)), [drawn]),
    key,
  );
  const [, yHigh] = useStableDomain(
    useMemo(() => domainOf(drawn.flatMap(({ y }) => [...y, 0])), [drawn]),
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
      controls={
        <>
          <select
            aria-label="Objective"
            className="select-small"
            value={objective.id}
            onChange={(event) => {
              const next = OBJECTIVE_IDS.find((id) => id === event.target.value);
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
      overlays={overlays}
      table={() =>
        overlayTable(
          overlays,
          pointTable(['A', 'entropy', `gradient, ${name}`], weighed, figuresOf),
          (own) => pointRows(weighedOf(own, wanted), figuresOf),
        )
      }
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
          clouds={clouds}
          laid={laid}
          x={x}
          y={y}
          xLabel={<Prose>{label}</Prose>}
          yLabel="gradient, average = 1"
          height={264}
          recorded={recorded}
          describe={(cloud, i) => readingOf(bySigns[cloud]?.points[i])}
          pick={(i, cloud) => {
            const sequence = bySigns[cloud]?.points[i]?.sequence;
            if (sequence === undefined) return;
            lab.inspect({ low: -Infinity, high: Infinity, title: 'all responses', sequence });
          }}
        />
      )}
    </Figure>
  );
}
