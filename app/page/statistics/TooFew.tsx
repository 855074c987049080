/** What stands where a figure will while its data are too few. */

export function TooFew({ height, sequences }: { height: number; sequences: number }) {
  return (
    <div className="plot-empty" style={{ height }}>
      <p>
        A point needs two responses of about one length, its interval 20 prompts. There are{' '}
        {sequences.toLocaleString('en-US')} responses so far.
      </p>
    </div>
  );
}
