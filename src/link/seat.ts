/**
 * Seats of a class: one link for all, and each seat runs prompts of its own. Contract: pure; two seats of one class
 * never have the same seed, because a seat's seed is a permutation of 32-bit words (four Feistel rounds of Philox, keyed
 * by the class's seed) at the seat's number. Streams of different seeds share no prompts.
 */
import { philox4x32, STREAM } from '../math/philox';
import { whole } from '../settings/setting';

export const MOST_SEATS = 999;

export const seatNumber = whole(1, MOST_SEATS, 1, {
  label: 'Seat',
  hint: 'each seat of a class has prompts of its own',
});

export interface Seat {
  /** 1 .. MOST_SEATS */
  number: number;
  /** seed of the class, from which the run's own is made */
  of: number;
}

/** @returns seed of the run at that seat, 32 bits */
export function seatSeed({ number, of }: Seat): number {
  let left = number >>> 16;
  let right = number & 0xffff;
  for (let round = 0; round < 4; round++) {
    const [word] = philox4x32(of, STREAM.seats, right, round, 0, 0);
    [left, right] = [right, (left ^ word) & 0xffff];
  }
  return ((left << 16) | right) >>> 0;
}
