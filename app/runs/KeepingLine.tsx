/** Beside the run: whether it is kept, and the way to all that are. */
import { Trans } from '@lingui/react/macro';
import { plural, t } from '@lingui/core/macro';
import { useEffect } from 'react';
import type { Keeping } from '../../src/engine/lab/protocol';
import { count } from '../format/numbers';
import { useLab, useLabState } from '../state/react';

export function RunsButton() {
  const lab = useLab();
  const open = useLabState((state) => state.runsOpen);
  return (
    <button
      type="button"
      className="button"
      aria-pressed={open}
      title={t`Kept runs, overlays, downloads`}
      onClick={() => lab.showRuns(!open)}
    >
      {t`Runs`}
    </button>
  );
}

function words(keeping: Keeping, all: number): string {
  switch (keeping.status) {
    case 'kept':
      return keeping.sequences >= all ? 'kept' : `${count(keeping.sequences)} kept`;
    case 'full':
      return keeping.id === null
        ? t`not kept, storage full`
        : t`${count(keeping.sequences)} kept, storage full`;
    case 'off':
      return t`not kept`;
    default:
      return keeping satisfies never;
  }
}

export function KeepingLine() {
  const run = useLabState((state) => state.run);
  const keeping = run?.keeping ?? null;
  if (run === null || keeping === null) return null;
  const { progress } = run;
  return (
    <span
      className="keeping"
      data-testid="keeping"
      title={keeping.status === 'kept' ? t`In this browser, across reloads` : keeping.message}
    >
      {words(keeping, progress.sequences)}
    </span>
  );
}

/** The browser’s storage is full: what is kept, what is not, and how to free some. */
export function StorageFull() {
  const lab = useLab();
  const run = useLabState((state) => state.run);
  if (run?.keeping?.status !== 'full') return null;
  const { sequences } = run.keeping;
  const rest = run.progress.sequences - sequences;
  return (
    <div className="banner banner-bad" role="alert" data-testid="storage-full">
      <p>
        <Trans>
          <b>The browser’s storage is full: this run is kept no further.</b>{' '}
          {sequences > 0
            ? t`${plural(sequences, { one: '# response', other: '# responses' })} of finished batches are kept; the other ${plural(rest, { one: '# response', other: '# responses' })}`
            : t`Its responses`}{' '}
          stay until you close this page. Delete runs, or download this one.
        </Trans>
      </p>
      <button type="button" className="button" onClick={() => lab.showRuns(true)}>
        {t`Runs`}
      </button>
      <button type="button" className="button" onClick={() => void lab.purgeKept()}>
        {t`Try again`}
      </button>
    </div>
  );
}

/** What was just destroyed, and the way back. Stays until used, dismissed, or something else is destroyed. */
export function Undo() {
  const lab = useLab();
  const undo = useLabState((state) => state.undo);
  const there = undo !== null;
  useEffect(() => {
    if (!there) return;
    const undoByKeys = (event: KeyboardEvent) => {
      const { target } = event;
      // Fields have an undo of their own.
      if (target instanceof HTMLElement && target.matches('input, textarea, select')) return;
      if (event.key !== 'z' || !(event.ctrlKey || event.metaKey) || event.shiftKey) return;
      event.preventDefault();
      void lab.undo();
    };
    addEventListener('keydown', undoByKeys);
    return () => removeEventListener('keydown', undoByKeys);
  }, [lab, there]);
  return (
    <div className="undo-place" role="status">
      {undo !== null && (
        <div className="undo" data-testid="undo">
          <span>{undo.message}</span>
          <button
            type="button"
            className="button"
            title={t`Ctrl+Z, or ⌘Z`}
            onClick={() => void lab.undo()}
          >
            {t`Undo`}
          </button>
          <button
            type="button"
            className="button-quiet"
            aria-label={t`Dismiss`}
            onClick={() => lab.dismissUndo()}
          >
            ×
          </button>
        </div>
      )}
    </div>
  );
}
