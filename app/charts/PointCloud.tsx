/**
 * Clouds of points, a point for each response. Contract: every point is drawn, by recharts where there are up
 * to a few dozen, on one canvas where there are more; the nearest one is read out and leads to its response;
 * points of runs laid over stand under the others, open and in their run's look.
 */
import { memo, useMemo, type ReactNode } from 'react';
import { ReferenceLine } from 'recharts';
import { DrawnLine, type CurveLine } from './ErrorBars';
import { POINT, type Readable, type Reading } from './interaction';
import { CloudCanvas, type Cloud, type LaidPoints } from './marks/CloudCanvas';
import { Marks } from './marks/Marks';
import { Plot } from './Plot';
import type { Scale } from './scale';
import type { OverlayLook } from './shapes';

export type { Cloud };

export interface LaidCloud extends LaidPoints {
  id: string;
  label: string;
  describe(point: number): Reading | null;
}

interface PointCloudProps {
  label: string;
  clouds: readonly Cloud[];
  laid?: readonly LaidCloud[];
  x: Scale;
  y: Scale;
  xLabel: ReactNode;
  yLabel: string;
  height: number;
  left?: number;
  recorded: boolean;
  /** the predicted line y = x, over the visible part */
  diagonal?: boolean;
  /** predicted curves */
  lines?: readonly CurveLine[];
  describe: (cloud: number, point: number) => Reading | null;
  /** the cloud's number comes second: most pages have one */
  pick?: (point: number, cloud: number) => void;
}

/** points that are elements of their own; a page has several clouds, and redraws them while a run grows */
const MOST_ELEMENTS = 400;

/** in recharts' order, in which scatters have 600 */
const OVER_POINTS = 650;

const NOTHING: readonly never[] = [];

export function PointCloud({
  label,
  clouds,
  laid = NOTHING,
  x,
  y,
  xLabel,
  yLabel,
  height,
  left = 56,
  recorded,
  diagonal = false,
  lines = NOTHING,
  describe,
  pick,
}: PointCloudProps) {
  const places = useMemo(() => placesOf(clouds, laid), [clouds, laid]);
  const readable: Readable = {
    stops: places,
    reach: POINT,
    read: (index) => {
      const place = places[index];
      if (place === undefined) return null;
      const other = laid[place.cloud - clouds.length];
      if (other === undefined) return describe(place.cloud, place.point);
      const words = other.describe(place.point);
      return words && { head: `${other.label}: ${words.head}`, rows: words.rows };
    },
    // Nothing is behind a point of a recorded run, nor of one laid over.
    open:
      recorded || pick === undefined
        ? undefined
        : (index) => {
            const place = places[index];
            if (place !== undefined && !place.laid) pick(place.point, place.cloud);
          },
  };
  const low = Math.max(x.domain[0], y.domain[0]);
  const high = Math.min(x.domain[1], y.domain[1]);
  return (
    <Plot
      label={label}
      x={x}
      y={y}
      xLabel={xLabel}
      yLabel={yLabel}
      height={height}
      left={left}
      grid="both"
      readable={readable}
    >
      {places.length > MOST_ELEMENTS ? (
        <CloudCanvas clouds={clouds} laid={laid} hollow={recorded} />
      ) : (
        <>
          {laid.map((own) => (
            <Points
              key={own.id}
              cloud={own}
              colour={own.look.colour}
              shape={own.look.shape}
              hollow
              laid
            />
          ))}
          {clouds.map((cloud, i) => (
            <Points
              key={i}
              cloud={cloud}
              colour={cloud.colour}
              shape={cloud.shape}
              hollow={recorded}
              laid={false}
            />
          ))}
        </>
      )}
      {diagonal && low < high && (
        <ReferenceLine
          className="prediction-line"
          zIndex={OVER_POINTS}
          segment={[
            { x: low, y: low },
            { x: high, y: high },
          ]}
        />
      )}
      {lines.map((line) => (
        <DrawnLine key={line.id} line={line} zIndex={OVER_POINTS} />
      ))}
    </Plot>
  );
}

/** All points in the order of the keys, from left to right; those of runs laid over last. */
function placesOf(clouds: readonly Cloud[], laid: readonly LaidCloud[]) {
  const of = (cloud: Pick<Cloud, 'x' | 'y'>, k: number, isLaid: boolean) =>
    cloud.x.flatMap((x, point) => {
      const y = cloud.y[point] as number;
      return Number.isFinite(x + y) ? [{ x, y, cloud: k, point, laid: isLaid }] : [];
    });
  const own = clouds.flatMap((cloud, k) => of(cloud, k, false)).sort((a, b) => a.x - b.x);
  return [...own, ...laid.flatMap((cloud, k) => of(cloud, clouds.length + k, true))];
}

interface PointsProps {
  cloud: Pick<Cloud, 'x' | 'y'>;
  colour: string;
  shape: OverlayLook['shape'];
  hollow: boolean;
  laid: boolean;
}

const Points = memo(function Points({ cloud, colour, shape, hollow, laid }: PointsProps) {
  const data = useMemo(() => cloud.x.map((x, i) => ({ x, y: cloud.y[i] as number })), [cloud]);
  return (
    <Marks
      colour={colour}
      data={data}
      shape={shape}
      laid={laid}
      outline={laid || hollow}
      plain
      r={laid ? 2.8 : 2.5}
    />
  );
});
