/** What was just destroyed, and the way back. Stays until used, dismissed, or something else is destroyed. */
import { useLab, useLabState } from '../state/react';

export function Undo() {
  const lab = useLab();
  const undo = useLabState((state) => state.undo);
  return (
    <div className="undo-place" role="status">
      {undo !== null && (
        <div className="undo" data-testid="undo">
          <span>{undo.message}</span>
          <button type="button" className="button" onClick={() => void lab.undo()}>
            Undo
          </button>
          <button
            type="button"
            className="button-quiet"
            aria-label="Dismiss"
            onClick={() => lab.dismissUndo()}
          >
            ×
          </button>
        </div>
      )}
    </div>
  );
}
