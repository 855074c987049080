/** What stands where figures will: before the first batch, where data are too few, after a refusal. */
import { useLabState } from '../../state/react';

/** Holds the place of the figures, so that nothing jumps when the first batch arrives. */
export function EmptyFigures({ what }: { what: string }) {
  const phase = useLabState((state) => state.run?.progress.phase ?? null);
  return (
    <div className="empty-figures" data-testid="empty">
      <svg viewBox="0 0 400 150" aria-hidden="true">
        <path d="M30 10V130H390" className="empty-axis" />
        <path d="M40 20C90 90 170 116 385 124" className="empty-axis" />
      </svg>
      <p>
        {phase === null
          ? `No run yet. Press Start, and ${what} here.`
          : `With the first batch, ${what} here.`}
      </p>
    </div>
  );
}

/** Bins need this many responses and prompts before they may carry an interval (curves.ts). */
export function TooFew({ height, sequences }: { height: number; sequences: number }) {
  return (
    <div className="plot-empty" style={{ height }}>
      <p>
        A point needs 40 responses to 20 prompts of about one length. There are{' '}
        {sequences.toLocaleString('en-US')} responses so far. Fewer bins or more prompts bring it
        sooner.
      </p>
    </div>
  );
}

export function Refusal({ refusal }: { refusal: string | null }) {
  if (refusal === null) return null;
  return (
    <p className="notice notice-bad" role="alert">
      The experiment gave no answer: {refusal}
    </p>
  );
}
