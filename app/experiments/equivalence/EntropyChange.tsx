/** Two entropies that must not be confused: the sampled cross-entropy and the policy's Shannon entropy. */
import { useMemo } from 'react';
import type { EquivalencePoint, EquivalenceResult } from '../../../src/experiments/equivalence';
import { Figure } from '../../figures/Figure';
import { useStableDomain } from '../../charts/hooks';
import { overlayClouds, overlayTable } from '../../charts/overlay';
import { pointReading, pointRows, pointTable } from '../../charts/table';
import { PointCloud, type Cloud } from '../../charts/PointCloud';
import { domainOf, linearScale } from '../../charts/scale';
import { counted, fixed, signed } from '../../format/numbers';
import { Prose } from '../../format/Prose';
import { useLab } from '../../state/react';
import type { FigureData } from './forms';

type Both = EquivalencePoint & { shannonChange: number };

/** Points of which both entropies are known. */
function knownOf({ points }: EquivalenceResult): Both[] {
  return points.flatMap((point) =>
    point.shannonChange === null ? [] : [{ ...point, shannonChange: point.shannonChange }],
  );
}

const figuresOf = (point: Both) => [
  signed(point.crossEntropyChange, 6),
  signed(point.shannonChange, 6),
];

const readingOf = (point: Both | undefined) =>
  pointReading(point, (p) => [
    { name: 'cross-entropy change', value: signed(p.crossEntropyChange, 6) },
    { name: 'Shannon-entropy change', value: signed(p.shannonChange, 6) },
  ]);

export function EntropyChange({
  result,
  recorded,
  axesKey,
  overlays,
}: FigureData<EquivalenceResult>) {
  const lab = useLab();
  const points = useMemo(() => knownOf(result), [result]);
  const laid = useMemo(
    () =>
      overlayClouds(overlays, (own) => {
        const theirs = knownOf(own);
        return {
          x: theirs.map((point) => point.crossEntropyChange),
          y: theirs.map((point) => point.shannonChange),
          describe: (i) => readingOf(theirs[i]),
        };
      }),
    [overlays],
  );
  const cloud = useMemo<Cloud>(
    () => ({
      colour: '--ink-soft',
      shape: 'circle',
      x: points.map((point) => point.crossEntropyChange),
      y: points.map((point) => point.shannonChange),
    }),
    [points],
  );
  const clouds = useMemo(() => [cloud], [cloud]);
  const [xLow, xHigh] = useStableDomain(
    useMemo(() => domainOf([cloud, ...laid].flatMap((one) => one.x)), [cloud, laid]),
    axesKey,
  );
  const [yLow, yHigh] = useStableDomain(
    useMemo(() => domainOf([cloud, ...laid].flatMap((one) => one.y)), [cloud, laid]),
    axesKey,
  );
  const x = useMemo(() => linearScale([xLow, xHigh], 5), [xLow, xHigh]);
  const y = useMemo(() => linearScale([yLow, yHigh], 4), [yLow, yHigh]);
  const correlation = result.shannonCorrelation;

  return (
    <Figure
      title="Not the Shannon entropy"
      recorded={recorded}
      overlays={overlays}
      table={() =>
        overlayTable(
          overlays,
          pointTable(['cross-entropy change', 'Shannon-entropy change'], points, figuresOf),
          (own) => pointRows(knownOf(own), figuresOf),
        )
      }
      caption={
        points.length === 0 ? (
          'These rollouts carry no Shannon entropies.'
        ) : (
          <>
            ΔH in s = exp(ΔH) is a cross-entropy of sampled tokens. The policy’s own entropy changes
            by another amount{correlation !== null && <> (correlation {fixed(correlation, 2)})</>}.
            Line: where both would be equal.
          </>
        )
      }
    >
      {points.length === 0 ? (
        <div className="plot-empty" style={{ height: 264 }}>
          no Shannon entropies in this source
        </div>
      ) : (
        <PointCloud
          label={`Shannon-entropy change against cross-entropy change, ${counted(points.length, 'response')}`}
          clouds={clouds}
          laid={laid}
          x={x}
          y={y}
          xLabel={<Prose>cross-entropy change H_old − H_θ, nats per token</Prose>}
          yLabel="Shannon-entropy change, nats per token"
          height={264}
          recorded={recorded}
          diagonal
          describe={(_cloud, i) => readingOf(points[i])}
          {...(recorded
            ? {}
            : {
                pick: (i: number) => {
                  const sequence = points[i]?.sequence;
                  if (sequence === undefined) return;
                  lab.inspect({
                    low: -Infinity,
                    high: Infinity,
                    title: 'all responses',
                    sequence,
                  });
                },
              })}
        />
      )}
    </Figure>
  );
}
