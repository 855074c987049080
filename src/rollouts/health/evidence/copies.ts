/**
 * Responses that occur twice, in one group or in two. Contract: only those are looked at whose own log-probs rule out that a sampler
 * wrote them twice by chance (below CHANCE nats in sum: 1e-13), so that one copy is a fact. Exact up to MOST
 * responses; beyond that a sample of them, by hash, which merges like the whole.
 */
import type { FloatArray } from '../../rollouts';

/** nats */
export const CHANCE = -30;
/** hashes kept */
const MOST = 2 ** 18;
const RANGE = 2 ** 53;

const real = new Float64Array(1);
const halves = new Uint32Array(real.buffer);

export class Copies {
  /** hashes below are kept */
  private limit = RANGE;
  private seen = new Map<number, number>();

  /** @returns whether it has been seen before */
  add(columns: readonly FloatArray[], from: number, to: number): boolean {
    const hash = hashOf(columns, from, to);
    if (hash >= this.limit) return false;
    const before = this.seen.get(hash) ?? 0;
    this.seen.set(hash, before + 1);
    this.prune();
    return before > 0;
  }

  merge(other: Copies): void {
    this.limit = Math.min(this.limit, other.limit);
    for (const [hash, n] of other.seen) this.seen.set(hash, (this.seen.get(hash) ?? 0) + n);
    if (this.limit < RANGE) this.drop();
    this.prune();
  }

  /** Responses that were looked at, and how many of them are copies of an earlier one. */
  count(): { looked: number; copies: number; sampled: boolean } {
    let looked = 0;
    for (const n of this.seen.values()) looked += n;
    return { looked, copies: looked - this.seen.size, sampled: this.limit < RANGE };
  }

  toJSON(): { limit: number; seen: [number, number][] } {
    return { limit: this.limit, seen: [...this.seen].sort(([a], [b]) => a - b) };
  }

  static from({ limit, seen }: { limit: number; seen: readonly [number, number][] }): Copies {
    const out = new Copies();
    out.limit = limit;
    out.seen = new Map(seen);
    return out;
  }

  private prune(): void {
    while (this.seen.size > MOST) {
      this.limit /= 2;
      this.drop();
    }
  }

  private drop(): void {
    for (const hash of this.seen.keys()) if (hash >= this.limit) this.seen.delete(hash);
  }
}

/** 53 bits from two 32-bit multiplicative hashes over the bits of all values. */
function hashOf(columns: readonly FloatArray[], from: number, to: number): number {
  let a = 0x811c9dc5;
  let b = 0x9e3779b1;
  const mix = (x: number) => {
    a = Math.imul(a ^ x, 0x01000193);
    a ^= a >>> 15;
    b = Math.imul(b ^ x, 0x85ebca6b);
    b ^= b >>> 13;
  };
  for (const column of columns) {
    for (let t = from; t < to; t++) {
      real[0] = column[t];
      mix(halves[0]);
      mix(halves[1]);
    }
  }
  a = Math.imul(a ^ (a >>> 16), 0x7feb352d) >>> 0;
  b = Math.imul(b ^ (b >>> 16), 0x846ca68b) >>> 0;
  return (a & 0x1fffff) * 2 ** 32 + b;
}
