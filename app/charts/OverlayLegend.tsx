/** Overlaid runs by their marks, the same in every chart and list; which marks of a figure are whose. */
import { Prose } from '../format/Prose';
import { type Overlaid, type OverlayLook, markPath } from './shapes';

/** A run's mark on its dash. */
export function OverlayGlyph({ look: { colour, shape, dash } }: { look: OverlayLook }) {
  return (
    <svg className="overlay-glyph" width="26" height="14" aria-hidden="true">
      <g style={{ color: `var(${colour})` }}>
        <path className="overlay-line" d="M0 7H26" strokeDasharray={dash} />
        <path
          className="overlay-mark"
          transform="translate(13,7)"
          d={markPath(shape, 4)}
          fill="none"
        />
      </g>
    </svg>
  );
}

export function OverlayLegend({ overlays }: { overlays: readonly Overlaid<unknown>[] }) {
  if (overlays.length === 0) return null;
  return (
    <ul className="overlay-legend" aria-label="Runs laid over">
      {overlays.map(({ id, label, look }) => (
        <li key={id}>
          <OverlayGlyph look={look} />
          <span>
            <Prose>{label}</Prose>
          </span>
        </li>
      ))}
    </ul>
  );
}
