/** The sign of an overlaid run, the same in every chart and list: its mark on its dash. */
import type { OverlayLook } from './overlay-look';
import { markPath } from './shapes';

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
