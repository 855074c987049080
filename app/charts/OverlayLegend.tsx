/** Which marks of a figure are those of which kept run. */
import { Prose } from '../format/Prose';
import { OverlayGlyph } from './OverlayGlyph';
import type { Overlaid } from './overlay-look';

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
