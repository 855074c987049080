/** Two entropies that must not be confused: the sampled cross-entropy and the policy's Shannon entropy. */
import { useMemo } from 'react';
import type { EquivalenceResult } from '../../../src/experiments/equivalence';
import { Figure } from '../../charts/Figure';
import { useStableDomain } from '../../charts/hooks';
import { PointCloud, type Cloud } from '../../charts/PointCloud';
import { domainOf, linearScale } from '../../charts/scale';
import { counted, fixed, signed } from '../../format/numbers';
import { Prose } from '../../format/Prose';
import { useLab } from '../../state/react';
import type { FigureData } from './forms';

export function EntropyChange({ result, recorded, axesKey }: FigureData<EquivalenceResult>) {
  const lab = useLab();
  const points = useMemo(
    () =>
      result.points.flatMap((point) =>
        point.shannonChange === null ? [] : [{ ...point, shannonChange: point.shannonChange }],
      ),
    [result.points],
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
    useMemo(() => domainOf(cloud.x), [cloud]),
    axesKey,
  );
  const [yLow, yHigh] = useStableDomain(
    useMemo(() => domainOf(cloud.y), [cloud]),
    axesKey,
  );
  const x = useMemo(() => linearScale([xLow, xHigh], 5), [xLow, xHigh]);
  const y = useMemo(() => linearScale([yLow, yHigh], 4), [yLow, yHigh]);
  const correlation = result.shannonCorrelation;

  return (
    <Figure
      title="Not the Shannon entropy"
      recorded={recorded}
      table={() => ({
        columns: ['response', 'tokens', 'cross-entropy change', 'Shannon-entropy change'],
        rows: points
          .slice(0, 500)
          .map((point) => [
            `#${point.sequence}`,
            String(point.length),
            signed(point.crossEntropyChange, 6),
            signed(point.shannonChange, 6),
          ]),
        ...(points.length > 500 ? { note: `The first 500 of ${points.length} points.` } : {}),
      })}
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
          x={x}
          y={y}
          xLabel={<Prose>cross-entropy change H_old − H_θ, nats per token</Prose>}
          yLabel="Shannon-entropy change, nats per token"
          height={264}
          recorded={recorded}
          diagonal
          describe={(_cloud, i) => {
            const point = points[i];
            if (point === undefined) return null;
            return (
              <>
                <div className="tooltip-head">
                  response #{point.sequence}, {counted(point.length, 'token')}
                </div>
                <div className="tooltip-row">
                  cross-entropy change <b>{signed(point.crossEntropyChange, 6)}</b>
                </div>
                <div className="tooltip-row">
                  Shannon-entropy change <b>{signed(point.shannonChange, 6)}</b>
                </div>
              </>
            );
          }}
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
