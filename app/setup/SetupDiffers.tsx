/**
 * Where the setup is not that of the run in view: what differs, in the setup; and, in the run bar, a
 * press that runs it and one that takes it back. Contract: the same for every source.
 */
import { Trans } from '@lingui/react/macro';
import { t } from '@lingui/core/macro';
import { useMemo } from 'react';
import { runDifferences, type RunSettings, type RunDifference } from '../../src/settings/run';
import { draftOf, readDraft } from '../state/draft';
import { isLive } from '../state/lab';
import { useAddressState } from '../state/address-react';
import { useLab, useLabState } from '../state/react';
import { said } from '../language/i18n';

interface Differing {
  /** of the run in view */
  settings: RunSettings;
  changed: readonly RunDifference[];
}

/** null: no run, data from files, a setup that is no valid one yet, or the same */
function useDiffering(): Differing | null {
  const draft = useLabState((state) => state.draft);
  const settings = useLabState((state) => state.run?.settings ?? null);
  return useMemo(() => {
    const next = readDraft(draft).settings;
    const changed = settings === null || next === null ? [] : runDifferences(settings, next);
    return settings === null || changed.length === 0 ? null : { settings, changed };
  }, [draft, settings]);
}

function Change({ name, before, after }: RunDifference) {
  return (
    <>
      {said(name)} <s>{said(before)}</s> → <b>{said(after)}</b>
    </>
  );
}

/** The whole list, in the setup. */
export function SetupChanges() {
  const differing = useDiffering();
  const live = useLabState((state) => isLive(state.run));
  if (differing === null) return null;
  const { changed } = differing;
  return (
    <div className="setup-changes" data-testid="changes">
      <p>{live ? t`The run under way has other settings` : t`Changed since this run`}:</p>
      <ul>
        {changed.slice(0, 6).map((change) => (
          <li key={change.name}>
            <Change {...change} />
          </li>
        ))}
        {changed.length > 6 && (
          <li>
            <Trans>and {changed.length - 6} more</Trans>
          </li>
        )}
      </ul>
    </div>
  );
}

/** In the run bar, which stays in view however far the page is scrolled. */
export function SetupDiffers() {
  const lab = useLab();
  const differing = useDiffering();
  const offered = useAddressState((state) => state.offer !== null);
  // The offer of a link names the same differences.
  if (differing === null || offered) return null;
  const { changed, settings } = differing;
  return (
    <div className="setup-differs" role="status" data-testid="setup-differs">
      <p>
        {t`The setup is not that of the run in view:`}{' '}
        {changed.slice(0, 3).map((change, i) => (
          <span key={change.name}>
            {i > 0 && ', '}
            <Change {...change} />
          </span>
        ))}
        {changed.length > 3 && t` and ${changed.length - 3} more`}
      </p>
      <button type="button" className="button" onClick={() => void lab.start()}>
        {t`Start with these`}
      </button>
      <button
        type="button"
        className="button-quiet"
        onClick={() => lab.edit((before) => draftOf(settings, before))}
      >
        {t`Take back`}
      </button>
    </div>
  );
}
