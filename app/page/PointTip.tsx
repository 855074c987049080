/** What is said about one response of a cloud: which one, and the figures that place it. */
import { counted } from '../format/numbers';

interface TipFigure {
  name: string;
  value: string;
  /** CSS custom property of its swatch */
  colour?: string;
}

interface PointTipProps<Point> {
  /** undefined: there is no such point any more */
  point: Point | undefined;
  figures: (point: Point) => readonly TipFigure[];
}

export function PointTip<Point extends { sequence: number; length: number }>({
  point,
  figures,
}: PointTipProps<Point>) {
  if (point === undefined) return null;
  return (
    <>
      <div className="tooltip-head">
        response #{point.sequence}, {counted(point.length, 'token')}
      </div>
      {figures(point).map(({ name, value, colour }) => (
        <div key={name} className="tooltip-row">
          {colour !== undefined && (
            <span className="swatch" style={{ background: `var(${colour})` }} />
          )}
          {name} <b>{value}</b>
        </div>
      ))}
    </>
  );
}
