/**
 * Rows of a buffer that may be larger than what one binding can show. Contract: every row lies whole
 * inside exactly one range, every range starts where WebGPU lets a binding start.
 */

/** Bindings start at multiples of this many bytes; the value that every adapter accepts. */
const ALIGNMENT = 256;

export interface RowRange {
  /** rows [from, to) of the list */
  from: number;
  to: number;
  /** bytes of the binding */
  offset: number;
  size: number;
}

/**
 * @param starts first element of each row, ascending; elements are 4 bytes
 * @param rowLength elements per row
 * @param limit most bytes that a binding may have
 */
export function rowRanges(starts: ArrayLike<number>, rowLength: number, limit: number): RowRange[] {
  const ranges: RowRange[] = [];
  const bytes = rowLength * 4;
  for (let row = 0; row < starts.length; row++) {
    const start = starts[row] * 4;
    const current = ranges.at(-1);
    if (current && start + bytes - current.offset <= limit) {
      current.to = row + 1;
      current.size = Math.max(current.size, start + bytes - current.offset);
      continue;
    }
    const offset = Math.floor(start / ALIGNMENT) * ALIGNMENT;
    const size = start + bytes - offset;
    if (size > limit) {
      throw new RangeError(
        `One row of ${rowLength} logits needs a binding of ${size} bytes, but this GPU allows ${limit}.`,
      );
    }
    ranges.push({ from: row, to: row + 1, offset, size });
  }
  return ranges;
}
