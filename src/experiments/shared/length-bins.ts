/**
 * Bins of response length, in equal steps of log length. Contract: bins are disjoint, ascending,
 * inclusive on both sides, cover every length that occurs, and are never empty.
 */

export interface LengthBin {
  minLength: number;
  maxLength: number;
  /** indices of the sequences in it, ascending */
  members: Uint32Array;
}

/**
 * At most `bins` bins with edges in geometric progression from the shortest to the longest length,
 * rounded to whole tokens; empty bins are left out.
 * @param lengths [n] tokens, each >= 1
 */
export function geometricLengthBins(lengths: Uint32Array, bins: number): LengthBin[] {
  if (lengths.length === 0) return [];
  let shortest = Infinity;
  let longest = 0;
  for (const length of lengths) {
    shortest = Math.min(shortest, length);
    longest = Math.max(longest, length);
  }
  const starts: number[] = [];
  const ratio = (longest + 1) / shortest;
  for (let b = 0; b < bins; b++) {
    const start = Math.max(
      Math.round(shortest * ratio ** (b / bins)),
      b === 0 ? shortest : starts[b - 1] + 1,
    );
    if (start > longest) break;
    starts.push(start);
  }
  const binOf = new Uint32Array(longest + 1);
  let bin = 0;
  for (let length = shortest; length <= longest; length++) {
    while (bin + 1 < starts.length && length >= starts[bin + 1]) bin++;
    binOf[length] = bin;
  }
  const members: number[][] = starts.map(() => []);
  lengths.forEach((length, i) => members[binOf[length]].push(i));
  return starts.flatMap((start, b) => {
    const own = members[b];
    if (own.length === 0) return [];
    const next = starts[b + 1];
    return [
      {
        minLength: start,
        maxLength: next === undefined ? longest : next - 1,
        members: Uint32Array.from(own),
      },
    ];
  });
}
