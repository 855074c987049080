/** Where labels of lines across a plot go, so that none lies on another. */

export interface Span {
  /** px */
  from: number;
  to: number;
}

/** px that a letter of the small type takes on average; labels are not measured, so that exports match. */
const LETTER = 5.8;
const GAP = 4;

/** The label's extent beside its line, on the side where there is room. */
export function labelSpan(at: number, label: string, width: number): Span & { end: boolean } {
  const size = label.length * LETTER;
  const end = at + GAP + size > width;
  return end
    ? { from: at - GAP - size, to: at - GAP, end }
    : { from: at + GAP, to: at + GAP + size, end };
}

/** @returns the row of each, from 0: the first in which it is clear of all that stand there already */
export function labelRows(spans: readonly Span[]): number[] {
  const rows: Span[][] = [];
  return spans.map((span) => {
    const clear = (others: Span[]) =>
      others.every(({ from, to }) => span.to + GAP <= from || to + GAP <= span.from);
    const found = rows.findIndex(clear);
    const row = found < 0 ? rows.length : found;
    (rows[row] ??= []).push(span);
    return row;
  });
}
