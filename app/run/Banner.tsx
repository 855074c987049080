/** What went wrong, what was kept, and the one thing to press. */
import { counted } from '../format/numbers';
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
          <b>The engine did not start.</b> {opening.message} Nothing was lost.
        </p>
        <button type="button" className="button" onClick={() => void lab.open(true)}>
          Retry
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
          Dismiss
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
        <b>The run was interrupted.</b> {failure.message} {kept}
      </p>
      <button type="button" className="button button-main" onClick={act}>
        {press}
      </button>
    </div>
  );
}

function wayOn(run: Run, { canResume }: Failure, lab: Lab) {
  const { sequences } = run.progress;
  const begun = counted(sequences, 'response');
  if (canResume) {
    const kept =
      sequences > 0
        ? `${begun} of finished batches are kept and stay readable.`
        : 'No batch had been finished.';
    return { kept, press: 'Resume', act: () => lab.resume() };
  }
  const again = { press: 'Start again', act: () => void lab.start() };
  if (sequences === 0) return { kept: 'No batch had been finished.', ...again };
  if (run.imported) {
    const kept = 'What was read of the files went with it; the files can be read again.';
    return { kept, press: 'Read them again', act: () => void lab.recover() };
  }
  if (keptOf(run) === null) {
    const kept = `Its ${begun} were kept nowhere else: the figures stay, their data are gone.`;
    return { kept, ...again };
  }
  const stored = run.keeping?.status === 'off' ? 0 : (run.keeping?.sequences ?? sequences);
  const kept = `${counted(stored, 'response')} of it are kept in this browser.`;
  return { kept, press: 'Go on from there', act: () => void lab.recover() };
}
