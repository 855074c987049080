/** Intervals and estimates as text. */
import type { Estimate } from '../../../src/math/stats/intervals';
import { significant } from '../../format/numbers';

export function interval(ends: readonly [number, number] | null, digits = 3): string {
  if (ends === null) return 'none yet';
  return `[${significant(ends[0], digits)}, ${significant(ends[1], digits)}]`;
}

export function estimate(value: Estimate | null, digits = 3): string {
  if (value === null) return 'not defined here';
  const { interval: ends } = value;
  return `${significant(value.estimate, digits)}${ends === null ? '' : ` ${interval(ends, digits)}`}`;
}
