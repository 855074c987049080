/** Above the figures: which kept runs are laid over them, by the differences that matter, and away with them. */
import { t } from '@lingui/core/macro';
import { useLab, useLabState } from '../state/react';
import { overlayLook } from '../charts/shapes';
import { Prose } from '../format/Prose';
import { OverlayGlyph } from '../charts/OverlayLegend';
import { useOverlayLabels } from './useOverlays';

export function OverlayStrip() {
  const lab = useLab();
  const overlays = useLabState((state) => state.overlays);
  const labels = useOverlayLabels();
  if (overlays.length === 0) return null;
  return (
    <ul className="overlay-strip" aria-label={t`Runs laid over the charts`}>
      {overlays.map(({ id, slot }) => (
        <li key={id}>
          <OverlayGlyph look={overlayLook(slot)} />
          <span>
            <Prose>{labels.get(id) ?? ''}</Prose>
          </span>
          <button
            type="button"
            className="button-quiet"
            aria-label={t`Take away ${labels.get(id) ?? ''}`}
            onClick={() => lab.toggleOverlay(id)}
          >
            ×
          </button>
        </li>
      ))}
    </ul>
  );
}
