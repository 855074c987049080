/** A figure of the health report, from the shapes that the engine made. */
import type { Drawing } from '../../../src/rollouts/health/drawing';

export function Drawn({ drawing }: { drawing: Drawing }) {
  const { title, width, height, lines, bars, dots, texts, marked } = drawing;
  return (
    <figure className="drawn">
      <svg viewBox={`0 0 ${width} ${height}`} role="img" aria-label={title}>
        {marked && (
          <rect
            className="drawn-marked"
            x={marked[0]}
            y={marked[1]}
            width={marked[2]}
            height={marked[3]}
          />
        )}
        {bars.map(({ kind, at: [x, y, wide, high] }, i) => (
          <rect
            key={i}
            className={`drawn-bar drawn-${kind}`}
            x={x}
            y={y}
            width={wide}
            height={high}
          />
        ))}
        {lines.map(({ kind, points }, i) => (
          <polyline
            key={i}
            className={`drawn-line drawn-${kind}`}
            points={points.map((at) => at.join(',')).join(' ')}
          />
        ))}
        {dots.map(({ kind, at }, i) => (
          <circle key={i} className={`drawn-dot drawn-${kind}`} cx={at[0]} cy={at[1]} r={2.2} />
        ))}
        {texts.map(({ kind, at, text, anchor }, i) => (
          <text
            key={i}
            className={`drawn-text drawn-${kind}`}
            x={at[0]}
            y={at[1]}
            textAnchor={anchor}
          >
            {text}
          </text>
        ))}
      </svg>
      <figcaption className="small">{title}</figcaption>
    </figure>
  );
}
