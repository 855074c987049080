/** What stands where a figure will while its data are too few. */

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
