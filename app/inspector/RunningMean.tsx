/** d_t as points, its running mean as a line that ends at log s. */
import { useMemo } from 'react';
import type { SequenceDetail } from '../../src/engine/lab/protocol';
import { Plot } from '../charts/Plot';
import { domainOf, linearScale } from '../charts/scale';
import { signed } from '../format/numbers';

export function RunningMean({
  sequence,
  at,
  onMove,
}: {
  sequence: SequenceDetail;
  at: number;
  onMove: (t: number) => void;
}) {
  const { tokens, logWeight } = sequence;
  const x = useMemo(() => linearScale([0.5, tokens.length + 0.5], 6), [tokens.length]);
  const y = useMemo(
    () =>
      linearScale(
        domainOf([0, ...tokens.flatMap((token) => [token.logRatio, token.runningMean])], 0.08),
        4,
      ),
    [tokens],
  );
  return (
    <Plot
      label={`Running mean of the log-ratio over ${tokens.length} tokens, ending at ${signed(logWeight, 5)}`}
      x={x}
      y={y}
      xLabel="token t"
      height={170}
      left={56}
    >
      {(frame) => {
        const line = tokens
          .map(
            (token, t) => `${t === 0 ? 'M' : 'L'}${frame.x(t + 1)},${frame.y(token.runningMean)}`,
          )
          .join('');
        return (
          <>
            <line className="reference-line" x2={frame.width} y1={frame.y(0)} y2={frame.y(0)} />
            {tokens.map((token, t) => (
              <circle
                key={t}
                className="token-dot"
                cx={frame.x(t + 1)}
                cy={frame.y(token.logRatio)}
                r={1.8}
              />
            ))}
            <path className="mean-line" d={line} />
            <line
              className="cursor-line"
              x1={frame.x(at + 1)}
              x2={frame.x(at + 1)}
              y2={frame.height}
            />
            <rect
              className="plot-hit"
              width={frame.width}
              height={frame.height}
              onPointerMove={(event) => {
                const box = event.currentTarget.getBoundingClientRect();
                const share = (event.clientX - box.left) / box.width;
                const t = Math.round(frame.xScale.invert(share)) - 1;
                onMove(Math.min(tokens.length - 1, Math.max(0, t)));
              }}
            />
          </>
        );
      }}
    </Plot>
  );
}
