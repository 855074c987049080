/** What went wrong, what was kept, and the one thing to press. */
import { Trans } from '@lingui/react/macro';
import { plural, t } from '@lingui/core/macro';
import { keptOf, type Failure, type Lab, type Run } from '../state/lab';
import { useLab, useLabState } from '../state/react';

export function Banner() {
  const lab = useLab();
  const opening = useLabState((state) => state.opening);
  const run = useLabState((state) => state.run);
  const notice = useLabState((state) => state.notice);

  if (opening.status === 'failed') {
    return (
      <div className="banner banner-bad" role="alert" data-testid="banner">
        <p>
          <Trans>
            <b>The engine did not start.</b> {opening.message} Nothing was lost.
          </Trans>
        </p>
        <button type="button" className="button" onClick={() => void lab.open(true)}>
          {t`Retry`}
        </button>
      </div>
    );
  }
  if (run?.failure) return <Interrupted run={run} failure={run.failure} />;
  if (notice !== null) {
    return (
      <div className="banner" role="status" data-testid="banner">
        <p>{notice}</p>
        <button type="button" className="button-quiet" onClick={() => lab.dismissNotice()}>
          {t`Dismiss`}
        </button>
      </div>
    );
  }
  return null;
}

/** What is left of an interrupted run, and the press that goes on from there. */
function Interrupted({ run, failure }: { run: Run; failure: Failure }) {
  const lab = useLab();
  const { kept, press, act } = wayOn(run, failure, lab);
  return (
    <div className="banner banner-bad" role="alert" data-testid="banner">
      <p>
        <b>{t`The run was interrupted.`}</b> {failure.message} {kept}
      </p>
      <button type="button" className="button button-main" onClick={act}>
        {press}
      </button>
    </div>
  );
}

function wayOn(run: Run, { canResume }: Failure, lab: Lab) {
  const { sequences } = run.progress;
  const begun = plural(sequences, { one: '# response', other: '# responses' });
  if (canResume) {
    const kept =
      sequences > 0
        ? t`${begun} of finished batches are kept and stay readable.`
        : t`No batch had been finished.`;
    return { kept, press: t`Resume`, act: () => lab.resume() };
  }
  const again = { press: t`Start again`, act: () => void lab.start() };
  if (sequences === 0) return { kept: t`No batch had been finished.`, ...again };
  if (run.imported) {
    const kept = t`What was read of the files went with it; the files can be read again.`;
    return { kept, press: t`Read them again`, act: () => void lab.recover() };
  }
  if (keptOf(run) === null) {
    const kept = t`Its ${begun} were kept nowhere else: the figures stay, their data are gone.`;
    return { kept, ...again };
  }
  const stored = run.keeping?.status === 'off' ? 0 : (run.keeping?.sequences ?? sequences);
  const kept = t`${plural(stored, { one: '# response', other: '# responses' })} of it are kept in this browser.`;
  return { kept, press: t`Go on from there`, act: () => void lab.recover() };
}
