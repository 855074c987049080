/** The drawer of kept runs: this run as files, the list, storage, and the paper. Does not block the page. */
import { Trans } from '@lingui/react/macro';
import { plural, t } from '@lingui/core/macro';
import { type ReactNode, useRef, useState } from 'react';
import type { ListedRun } from '../../src/engine/lab/protocol';
import { bytes } from '../format/numbers';
import { useDrawer } from '../inspector/drawer';
import { useLab, useLabState } from '../state/react';
import { KeptItem } from './KeptItem';
import { Undo } from './KeepingLine';
import { Ledgers } from './Ledgers';
import { RunFiles } from './RunFiles';
import { sourceWords } from './words';
import './runs.css';

export default function RunsDrawer() {
  const lab = useLab();
  const ref = useRef<HTMLDivElement>(null);
  useDrawer(ref, () => lab.showRuns(false));
  return (
    <div className="inspector runs" role="dialog" aria-label={t`Runs`} ref={ref} tabIndex={-1}>
      <div className="inspector-head">
        <h2>{t`Runs`}</h2>
        <button
          type="button"
          className="button-quiet inspector-close"
          aria-label={t`Close the runs`}
          onClick={() => lab.showRuns(false)}
        >
          <Trans>
            Close <kbd>Esc</kbd>
          </Trans>
        </button>
      </div>
      <div className="inspector-body runs-body">
        <Undo />
        <InView />
        <Kept />
        <Ledgers />
        <Cite />
      </div>
    </div>
  );
}

function InView() {
  const lab = useLab();
  const run = useLabState((state) => state.run);
  const has = run !== null && run.progress.sequences > 0;
  return (
    <section aria-label={t`The run in view`}>
      <h3>{t`The run in view`}</h3>
      {has ? (
        <>
          <p className="kept-facts">
            {sourceWords({
              settings: run.settings,
              files:
                run.imported?.report.files.map(({ name }) => name) ?? run.reopened?.files ?? [],
            })}
            {' · '}
            {plural(run.progress.sequences, { one: '# response', other: '# responses' })}
          </p>
          <RunFiles run={run.id} settings={run.settings} />
          {run.imported !== null && run.keeping === null && (
            <p className="small">
              {t`Data from files are gone when you close this page.`}{' '}
              <button type="button" className="button" onClick={() => void lab.keepPresent()}>
                {t`Keep it in this browser`}
              </button>
            </p>
          )}
        </>
      ) : (
        <p className="muted">{t`There is none. Press Start, or open one below.`}</p>
      )}
    </section>
  );
}

function Kept() {
  const keptRuns = useLabState((state) => state.keptRuns);
  if (keptRuns === null) return <p className="muted">{t`Looking for kept runs…`}</p>;
  if (keptRuns.status === 'unavailable') {
    return (
      <section aria-label={t`Kept runs`}>
        <h3>{t`Kept runs`}</h3>
        <p className="notice" role="status" data-testid="unavailable">
          <Trans>
            Runs cannot be kept: {keptRuns.message} Everything else works; download what you want to
            have later.
          </Trans>
        </p>
      </section>
    );
  }
  return <List runs={keptRuns.runs} storage={keptRuns.storage} />;
}

interface ListProps {
  runs: readonly ListedRun[];
  storage: { used: number; quota: number } | null;
}

function List({ runs, storage }: ListProps) {
  const lab = useLab();
  const shown = useLabState((state) => {
    const keeping = state.run?.keeping;
    return keeping?.status === 'kept' || keeping?.status === 'full' ? keeping.id : null;
  });
  // The run in view and those of other tabs are held, and stay.
  const idle = runs.filter(({ live }) => live === null);
  const size = runs.reduce((sum, run) => sum + run.bytes, 0);
  return (
    <section aria-label={t`Kept runs`}>
      <header className="kept-list-head">
        <h3>{t`Kept in this browser`}</h3>
        <button
          type="button"
          className="button-quiet"
          disabled={idle.length === 0}
          onClick={() =>
            void lab.removeKept(
              idle.map(({ id }) => id),
              plural(idle.length, { one: '# run is deleted.', other: '# runs are deleted.' }),
            )
          }
        >
          {idle.length < runs.length ? t`Delete the others` : t`Delete all`}
        </button>
      </header>
      {runs.length === 0 ? (
        <p className="muted">
          <Trans>
            None yet. A run is kept batch by batch, so a reload or a crash loses nothing that was
            finished.
          </Trans>
        </p>
      ) : (
        <ul className="kept-list">
          {runs.map((kept) => (
            <KeptItem key={kept.id} kept={kept} inView={kept.id === shown} />
          ))}
        </ul>
      )}
      <p className="small muted">
        <Trans>
          {plural(runs.length, { one: '# run', other: '# runs' })}, {bytes(size)}
          {storage !== null &&
            t`; the browser offers about ${bytes(storage.quota - storage.used)} more`}
          . Only this browser has them; it may drop them when its disk is full.
        </Trans>
      </p>
    </section>
  );
}

function Cite() {
  const [copied, setCopied] = useState<ReactNode>(null);
  return (
    <section aria-label={t`Cite the paper`}>
      <header className="kept-list-head">
        <h3>{t`Cite the paper`}</h3>
        <button
          type="button"
          className="button-quiet"
          onClick={() =>
            void navigator.clipboard.writeText(BIBTEX).then(
              () => setCopied('copied'),
              () => setCopied(t`copying is not allowed here; select the text`),
            )
          }
        >
          {t`Copy BibTeX`}
        </button>
        <span className="small" role="status">
          {copied}
        </span>
      </header>
      <pre className="bibtex" tabIndex={0} aria-label="BibTeX">
        {BIBTEX}
      </pre>
    </section>
  );
}

/** The paper, for who cites it. */
export const BIBTEX = `@misc{liu2025rethinkinggspo,
  title         = {Rethinking {GSPO}: The Perplexity-Entropy Equivalence},
  author        = {Liu, C.},
  year          = {2025},
  eprint        = {2510.23142},
  archivePrefix = {arXiv},
  url           = {https://arxiv.org/abs/2510.23142}
}
`;
