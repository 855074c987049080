/**
 * Caches of rows that come and go, put together for the next run of the decoding loop: each row's positions end at
 * the right edge. Contract: what stands left of a row's own positions is old numbers, finite and hidden by the
 * mask; a block stays as it is until another has been kept in its place.
 */
import type { CacheLayout } from './graph/ports';

export type CacheArray = Float32Array | Uint16Array;

/** One array per cache, each [batch, outer, positions, inner]. */
export interface CacheBlock {
  values: readonly CacheArray[];
  positions: number;
}

/** Positions `from` to `to` of one row of a block. */
export interface CachePiece {
  block: CacheBlock;
  row: number;
  from: number;
  to: number;
}

export const lengthOf = (pieces: readonly CachePiece[]): number =>
  pieces.reduce((sum, { from, to }) => sum + to - from, 0);

export class CacheJoiner {
  /** of the block in use, and of the next one, per cache; they only grow */
  private buffers: [(CacheArray | undefined)[], (CacheArray | undefined)[]] = [[], []];

  constructor(private readonly layouts: readonly CacheLayout[]) {}

  /** @param rows the pieces of each, which follow one another */
  join(rows: readonly (readonly CachePiece[])[]): CacheBlock {
    const lengths = rows.map(lengthOf);
    const positions = Math.max(...lengths);
    const values = this.layouts.map(({ outer, inner }, cache) => {
      const like = rows[0]?.[0]?.block.values[cache];
      const into = this.buffer(cache, rows.length * outer * positions * inner, like);
      rows.forEach((pieces, row) => {
        let at = positions - lengths[row];
        for (const { block, row: source, from, to } of pieces) {
          const read = block.values[cache];
          for (let o = 0; o < outer; o++) {
            const start = (source * outer + o) * block.positions;
            const part = read.subarray((start + from) * inner, (start + to) * inner);
            into.set(part, ((row * outer + o) * positions + at) * inner);
          }
          at += to - from;
        }
      });
      return into;
    });
    return { values, positions };
  }

  /** The block that was joined last is in use from now on; the next one is written over the one before it. */
  keep(): void {
    this.buffers.reverse();
  }

  private buffer(cache: number, size: number, like: CacheArray): CacheArray {
    const spare = this.buffers[1];
    let buffer = spare[cache];
    if (!buffer || buffer.length < size) {
      const capacity = Math.ceil(size * 1.25);
      // Half precision is another kind of array where the browser has one.
      buffer = new (like.constructor as new (length: number) => CacheArray)(capacity);
      spare[cache] = buffer;
    }
    return buffer.subarray(0, size);
  }
}
