/**
 * What every page shows around its figures: why there is no answer, or that one is on its way. Contract:
 * keeps the room of the figures free, so that nothing jumps when the first batch comes.
 */
import { Trans } from '@lingui/react/macro';
import { t } from '@lingui/core/macro';
import type { ReactNode } from 'react';
import { useOverlaysKey } from '../runs/useOverlays';
import { useLabState, useShowsRecording } from '../state/react';

interface LiveProps<Result> {
  answer: { result: Result | null; run: number | null; refusal: string | null };
  /** what grows here, for the empty page; a sentence */
  promise: string;
  /** @param axesKey axes start afresh when it changes */
  children: (result: Result, axesKey: string) => ReactNode;
}

export function Live<Result>({ answer, promise, children }: LiveProps<Result>) {
  const { result, run, refusal } = answer;
  const laid = useOverlaysKey();
  const recorded = useShowsRecording();
  return (
    <>
      {refusal !== null && (
        <p className="notice notice-bad" role="alert">
          <Trans>The experiment gave no answer: {refusal}</Trans>
        </p>
      )}
      {result !== null ? (
        children(result, recorded ? 'recorded' : `run ${run} ${laid}`)
      ) : (
        <EmptyFigures promise={promise} />
      )}
    </>
  );
}

function EmptyFigures({ promise }: { promise: string }) {
  const running = useLabState((state) => state.run !== null);
  return (
    <div className="empty-figures" data-testid="empty">
      <svg viewBox="0 0 400 150" aria-hidden="true">
        <path d="M30 10V130H390" className="empty-axis" />
        <path d="M40 20C90 90 170 116 385 124" className="empty-axis" />
      </svg>
      <p>
        {promise}{' '}
        {running
          ? t`It comes with the first batch.`
          : t`Press Start, or open your own file on the Data page.`}
      </p>
    </div>
  );
}
