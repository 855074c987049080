/**
 * A sum taken apart: bars below one another, each from where the one before ends, joined by a thread. Contract:
 * rows have the height that they are given, the name above its bar; a run laid over has a dashed line below
 * each bar from where its part begins to where it ends, with the run's mark there.
 */
import { Drawn, type Frame } from '../frame';
import { markPath, type OverlayLook } from '../shapes';

export interface WaterfallStep {
  name: string;
  /** beside the name */
  share: string;
  from: number;
  to: number;
  className: string;
  laid: readonly { id: string; look: OverlayLook; from: number; to: number }[];
}

const BAR = 16;
/** px of a part's name above its bar */
const NAME = 22;
/** px between a part's bar and those of each run laid over */
const LANE = 8;

/** px of one part */
export const waterfallRow = (laid: number) => NAME + BAR + 4 + LANE * laid;

export function Waterfall({ steps }: { steps: readonly WaterfallStep[] }) {
  return (
    <Drawn>
      {(frame) => {
        const row = frame.height / steps.length;
        return steps.map((step, i) => (
          <g key={step.name} transform={`translate(0,${i * row})`}>
            <text className="row-name row-name-clear" x={2} y={NAME - 5}>
              {step.name}
              <tspan className="part-share" dx={8}>
                {step.share}
              </tspan>
            </text>
            <Bar step={step} frame={frame} />
            {i < steps.length - 1 && (
              <line
                className="part-link"
                x1={frame.x(step.to)}
                x2={frame.x(step.to)}
                y1={NAME + BAR}
                y2={row + NAME}
              />
            )}
          </g>
        ));
      }}
    </Drawn>
  );
}

function Bar({
  step: { from, to, className, laid },
  frame,
}: {
  step: WaterfallStep;
  frame: Frame;
}) {
  const [start, end] = [frame.x(from), frame.x(to)];
  return (
    <>
      <rect
        className={`part-bar ${className}`}
        x={Math.min(start, end)}
        width={Math.max(1, Math.abs(end - start))}
        y={NAME}
        height={BAR}
      />
      {laid.map(({ id, look, ...other }, lane) => {
        const below = NAME + BAR + (lane + 0.75) * LANE;
        const tip = frame.x(other.to);
        const stroke = { stroke: `var(${look.colour})`, strokeWidth: 1.5, fill: 'none' };
        return (
          <g key={id}>
            <line
              {...stroke}
              className="overlay-series"
              strokeDasharray={look.dash}
              x1={frame.x(other.from)}
              x2={tip}
              y1={below}
              y2={below}
            />
            <path
              {...stroke}
              transform={`translate(${tip.toFixed(1)},${below})`}
              d={markPath(look.shape, 3)}
            />
          </g>
        );
      })}
    </>
  );
}
