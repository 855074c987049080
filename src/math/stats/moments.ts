/**
 * Mean and variance of plain arrays, compensated. Contract: float64; too few values give NaN, never an
 * exception, because an empty bin is no error.
 */
import { CompensatedSum, compensatedSum } from '../summation';

/** Mean; NaN for no values. */
export function mean(values: ArrayLike<number>): number {
  return compensatedSum(values) / values.length;
}

/** Sample variance with n - 1, two passes (Chan, Golub & LeVeque 1983); NaN below two values. */
export function variance(values: ArrayLike<number>): number {
  const n = values.length;
  if (n < 2) return NaN;
  const center = mean(values);
  const squares = new CompensatedSum();
  const rest = new CompensatedSum();
  for (let i = 0; i < n; i++) {
    const difference = values[i] - center;
    squares.add(difference * difference);
    rest.add(difference);
  }
  return (squares.value - (rest.value * rest.value) / n) / (n - 1);
}
