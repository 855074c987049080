/** One form against another, response by response; the prediction is the diagonal. */
import { useMemo, useState } from 'react';
import type { EquivalencePoint, EquivalenceResult } from '../../../src/experiments/equivalence';
import { Figure } from '../../figures/Figure';
import { useStableDomain } from '../../charts/hooks';
import { overlayClouds, overlayTable } from '../../charts/overlay';
import { pointReading, pointRows, pointTable } from '../../charts/table';
import { PointCloud, type Cloud } from '../../charts/PointCloud';
import { domainOf, linearScale } from '../../charts/scale';
import { counted, significant, single } from '../../format/numbers';
import { useLab } from '../../state/react';
import { FORM_VIEWS, type FigureData } from './forms';

const OTHERS = FORM_VIEWS.slice(1);

const figuresOf = (point: EquivalencePoint) => FORM_VIEWS.map(({ form }) => single(point[form]));

const readingOf = (point: EquivalencePoint | undefined) =>
  pointReading(point, (p) =>
    FORM_VIEWS.map(({ form, name, colour }) => ({
      name,
      value: significant(p[form], 8),
      colour,
    })),
  );

export function FormAgainstForm({
  result,
  recorded,
  axesKey,
  overlays,
}: FigureData<EquivalenceResult>) {
  const lab = useLab();
  const [shown, setShown] = useState(0);
  const { points } = result;
  const other = OTHERS[shown] ?? (OTHERS[0] as (typeof OTHERS)[number]);

  const now = useMemo(
    () =>
      domainOf(
        [points, ...overlays.map((own) => own.result.points)].flatMap((all) =>
          all.flatMap((point) => [point.geometric, point.perplexity, point.entropy]),
        ),
      ),
    [points, overlays],
  );
  const laid = useMemo(
    () =>
      overlayClouds(overlays, ({ points: theirs }) => ({
        x: theirs.map((point) => point.geometric),
        y: theirs.map((point) => point[other.form]),
        describe: (i) => readingOf(theirs[i]),
      })),
    [overlays, other],
  );
  const [low, high] = useStableDomain(now, axesKey);
  const scale = useMemo(() => linearScale([low, high], 5), [low, high]);
  const clouds = useMemo<Cloud[]>(
    () => [
      {
        colour: other.colour,
        shape: other.shape,
        x: points.map((point) => point.geometric),
        y: points.map((point) => point[other.form]),
      },
    ],
    [points, other],
  );

  return (
    <Figure
      title="One form against another"
      recorded={recorded}
      controls={
        <div className="segmented" role="group" aria-label="Form on the vertical axis">
          {OTHERS.map(({ form, name }, i) => (
            <button key={form} type="button" aria-pressed={i === shown} onClick={() => setShown(i)}>
              {name}
            </button>
          ))}
        </div>
      }
      overlays={overlays}
      table={() =>
        overlayTable(
          overlays,
          pointTable(
            FORM_VIEWS.map(({ name }) => name),
            points,
            figuresOf,
          ),
          (own) => pointRows(own.points, figuresOf),
        )
      }
      caption={`${counted(points.length, 'response')}. Line: the prediction, equality. How far from it, in the next figure.`}
    >
      <PointCloud
        label={`${other.name} against geometric mean: ${counted(points.length, 'response')} and the diagonal`}
        clouds={clouds}
        laid={laid}
        x={scale}
        y={scale}
        xLabel="s by geometric mean"
        yLabel={`s by ${other.name.toLowerCase()}`}
        height={264}
        recorded={recorded}
        diagonal
        describe={(_cloud, i) => readingOf(points[i])}
        {...(recorded
          ? {}
          : {
              pick: (i: number) => {
                const point = points[i];
                if (point === undefined) return;
                const { sequence, geometric } = point;
                const reach = Math.abs(geometric) * 1e-4;
                lab.inspect({
                  low: geometric - reach,
                  high: geometric + reach,
                  title: `s near ${significant(geometric, 6)}`,
                  sequence,
                });
              },
            })}
      />
    </Figure>
  );
}
