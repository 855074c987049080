/** What went wrong, what was kept, and the one thing to press. */
import { counted } from '../format/numbers';
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
  if (run?.failure) {
    const kept = run.progress.sequences;
    return (
      <div className="banner banner-bad" role="alert" data-testid="banner">
        <p>
          <b>The run was interrupted.</b> {run.failure.message}{' '}
          {kept > 0
            ? `${counted(kept, 'response')} of finished batches are kept and stay readable.`
            : 'No batch had been finished.'}
        </p>
        {run.failure.canResume ? (
          <button type="button" className="button button-main" onClick={() => lab.resume()}>
            Resume
          </button>
        ) : (
          <button type="button" className="button" onClick={() => void lab.start()}>
            Start again
          </button>
        )}
      </div>
    );
  }
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
