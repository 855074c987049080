/** How far the reading is, with a way to call it off; or what was wrong, where, and what to do. */
import { bytes } from '../../format/numbers';
import { useLab, useLabState } from '../../state/react';
import { Health } from './Health';

export function ReadingStatus() {
  const lab = useLab();
  const reading = useLabState((state) => state.reading);
  if (reading === null) return null;
  const { failure, files, options, progress } = reading;
  if (failure !== null) {
    const skippable = failure.problem !== null && failure.problem.index !== null;
    return (
      <>
        <div className="notice notice-bad reading" role="alert" data-testid="unreadable">
          <p>
            <b>Not read.</b> {failure.message}
          </p>
          <div className="drop-buttons">
            {skippable && options.onBad === 'stop' && (
              <button
                type="button"
                className="button"
                onClick={() => void lab.importFiles(files, { ...options, onBad: 'skip' })}
              >
                Leave bad responses out and read again
              </button>
            )}
            <button type="button" className="button" onClick={() => lab.cancelImport()}>
              Dismiss
            </button>
          </div>
        </div>
        {failure.judged && (
          <Health
            report={failure.judged}
            title="Health report of what was not read"
            testId="judged"
          />
        )}
      </>
    );
  }
  const { loaded } = progress;
  const share =
    loaded === undefined || loaded.total === null || loaded.total === 0
      ? null
      : loaded.bytes / loaded.total;
  return (
    <div className="notice reading" role="status" data-testid="reading">
      <p>
        Reading {loaded === undefined ? 'your files' : loaded.what}
        {loaded !== undefined &&
          loaded.total !== null &&
          `, ${bytes(loaded.bytes)} of ${bytes(loaded.total)}`}
      </p>
      <progress
        aria-label="Share of the bytes read"
        max={1}
        {...(share === null ? {} : { value: share })}
      />
      <button type="button" className="button" onClick={() => lab.cancelImport()}>
        Cancel
      </button>
    </div>
  );
}
