/**
 * Counter-based random numbers: Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy
 * as 1, 2, 3"). Contract: a pure function of (key, counter), the same bits as `src/gpu/philox.wgsl`,
 * so a draw never depends on which backend made it or on what was drawn before.
 */

const M0 = 0xd2511f53;
const M1 = 0xcd9e8d57;
const W0 = 0x9e3779b9;
const W1 = 0xbb67ae85;

export type Words4 = [number, number, number, number];

/** High 32 bits of the unsigned 64-bit product a * b, without BigInt (16-bit limbs). */
function mulHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const low = aLow * bLow;
  const middle1 = aHigh * bLow + (low >>> 16);
  const middle2 = aLow * bHigh + (middle1 & 0xffff);
  return (aHigh * bHigh + Math.floor(middle1 / 0x10000) + (middle2 >>> 16)) >>> 0;
}

/**
 * One Philox4x32-10 block.
 * @param key two 32-bit words (seed, stream)
 * @param counter four 32-bit words
 * @returns four 32-bit words, as unsigned integers
 */
export function philox4x32(
  key0: number,
  key1: number,
  c0: number,
  c1: number,
  c2: number,
  c3: number,
): Words4 {
  let k0 = key0 >>> 0;
  let k1 = key1 >>> 0;
  let x0 = c0 >>> 0;
  let x1 = c1 >>> 0;
  let x2 = c2 >>> 0;
  let x3 = c3 >>> 0;
  for (let round = 0; round < 10; round++) {
    const high0 = mulHigh(M0, x0);
    const low0 = Math.imul(M0, x0) >>> 0;
    const high1 = mulHigh(M1, x2);
    const low1 = Math.imul(M1, x2) >>> 0;
    x0 = (high1 ^ x1 ^ k0) >>> 0;
    x1 = low1;
    x2 = (high0 ^ x3 ^ k1) >>> 0;
    x3 = low0;
    k0 = (k0 + W0) >>> 0;
    k1 = (k1 + W1) >>> 0;
  }
  return [x0, x1, x2, x3];
}

/**
 * 32 random bits to a float32 in the open interval (0, 1): the top 23 bits plus a half, exact in
 * float32, so TypeScript and WGSL produce the same float.
 */
export function unitInterval(bits: number): number {
  return ((bits >>> 9) + 0.5) * 2 ** -23;
}

/** Streams are separate on purpose: drawing more prompts never changes what is sampled. */
export const STREAM = {
  prompts: 1,
  sampling: 2,
  bootstrap: 3,
  display: 4,
  synthetic: 5,
  training: 6,
  init: 7,
  /** prompts of training rollouts, and the order of their minibatches */
  rollouts: 8,
  minibatches: 9,
  /** seeds of a class's seats */
  seats: 10,
} as const;

export type Stream = (typeof STREAM)[keyof typeof STREAM];

/** A sequential reader of one counter stream, for code that wants "the next number". */
export class Random {
  private block: Words4 = [0, 0, 0, 0];
  private used = 4;
  private counter = 0;
  private spareNormal: number | undefined;

  /**
   * @param seed 32-bit seed
   * @param stream which of the separate streams
   * @param substream selects an independent sequence within the stream (prompt index, replication, ...)
   */
  constructor(
    private readonly seed: number,
    private readonly stream: Stream,
    private readonly substream = 0,
  ) {}

  /** Next 32 random bits, unsigned. */
  bits(): number {
    if (this.used === 4) {
      const high = Math.floor(this.counter / 2 ** 32);
      this.block = philox4x32(this.seed, this.stream, this.counter, high, this.substream, 0);
      this.counter++;
      this.used = 0;
    }
    return this.block[this.used++];
  }

  /** Uniform on (0, 1) with 52 random bits. */
  uniform(): number {
    const high = this.bits() >>> 6;
    const low = this.bits() >>> 6;
    return (high * 2 ** 26 + low + 0.5) * 2 ** -52;
  }

  /** Uniform integer in [0, n), without modulo bias to within 2^-52. */
  integer(n: number): number {
    return Math.floor(this.uniform() * n);
  }

  /** Standard normal (Box-Muller). */
  normal(): number {
    if (this.spareNormal !== undefined) {
      const spare = this.spareNormal;
      this.spareNormal = undefined;
      return spare;
    }
    const radius = Math.sqrt(-2 * Math.log(this.uniform()));
    const angle = 2 * Math.PI * this.uniform();
    this.spareNormal = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }
}
