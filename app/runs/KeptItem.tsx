/** One kept run in the list: what it is, how it differs from the one in view, and what can be done. */
import { t } from '@lingui/core/macro';
import { useState } from 'react';
import type { ListedRun } from '../../src/engine/lab/protocol';
import { MAX_OVERLAYS } from '../state/lab-overlays';
import { useLab, useLabState } from '../state/react';
import { overlayLook } from '../charts/shapes';
import { OverlayGlyph } from '../charts/OverlayLegend';
import { RunFiles } from './RunFiles';
import { dateWords, differenceWords, differsBy, sizeWords, sourceWords, stateWords } from './words';

export function KeptItem({ kept, inView }: { kept: ListedRun; inView: boolean }) {
  const lab = useLab();
  const settings = useLabState((state) => state.run?.settings ?? null);
  const overlays = useLabState((state) => state.overlays);
  const [renaming, setRenaming] = useState(false);
  const overlay = overlays.find(({ id }) => id === kept.id);
  const title = kept.name ?? sourceWords(kept);
  const found = inView ? null : differsBy(settings, kept);
  return (
    <li className="kept" data-testid="kept">
      <div className="kept-head">
        {renaming ? <RenameForm kept={kept} onDone={() => setRenaming(false)} /> : <h3>{title}</h3>}
        <span className={`kept-state kept-${kept.state}`}>
          {inView ? t`in view` : stateWords(kept)}
        </span>
      </div>
      <p className="kept-facts">
        {dateWords(kept.createdAt)}
        {kept.name !== null && ` · ${sourceWords(kept)}`} · {sizeWords(kept)}
      </p>
      {found !== null && (
        <p className="kept-differences" data-testid="differences">
          {found.length === 0 ? t`same settings as the run in view` : differenceWords(found, 5)}
        </p>
      )}
      <div className="kept-actions">
        <button
          type="button"
          className="button"
          disabled={inView || kept.live === 'elsewhere'}
          onClick={() => void lab.openKept(kept.id)}
        >
          {kept.sequences < kept.totalSequences && kept.settings !== null
            ? t`Open to resume`
            : t`Open`}
        </button>
        <button
          type="button"
          className="button kept-overlay"
          aria-pressed={overlay !== undefined}
          disabled={inView || (overlay === undefined && overlays.length >= MAX_OVERLAYS)}
          title={
            overlay === undefined && overlays.length >= MAX_OVERLAYS
              ? t`${MAX_OVERLAYS} runs are laid over already`
              : t`Draw this run in the same charts`
          }
          onClick={() => lab.toggleOverlay(kept.id)}
        >
          {overlay !== undefined && <OverlayGlyph look={overlayLook(overlay.slot)} />}
          {t`Overlay`}
        </button>
        <button type="button" className="button-quiet" onClick={() => setRenaming(!renaming)}>
          {t`Rename`}
        </button>
        <button
          type="button"
          className="button-quiet"
          disabled={kept.live !== null}
          title={kept.live === null ? '' : t`A run that is under way cannot be deleted`}
          onClick={() => void lab.removeKept([kept.id], `“${title}” is deleted.`)}
        >
          {t`Delete`}
        </button>
        <details className="kept-files">
          <summary>{t`Download`}</summary>
          <RunFiles run={kept.id} settings={kept.settings} />
        </details>
      </div>
    </li>
  );
}

function RenameForm({ kept, onDone }: { kept: ListedRun; onDone: () => void }) {
  const lab = useLab();
  const [name, setName] = useState(kept.name ?? '');
  return (
    <form
      className="kept-rename"
      onSubmit={(event) => {
        event.preventDefault();
        void lab.renameKept(kept.id, name);
        onDone();
      }}
    >
      <input
        aria-label={t`Name of the run`}
        autoFocus
        maxLength={120}
        value={name}
        placeholder={sourceWords(kept)}
        onChange={(event) => setName(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Escape') return;
          // The drawer stays open.
          event.preventDefault();
          onDone();
        }}
      />
      <button type="submit" className="button">
        {t`Save`}
      </button>
    </form>
  );
}
