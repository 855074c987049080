/**
 * How coarsely a column is written, and what that does to a response: the grid that its values lie on, and how likely
 * rounding has put it on the other side of the sequence band. Contract: adds to the column's counts and the prompt's
 * sums.
 */
import { normalCdf } from '../../../math/stats/distributions';
import type { Band } from '../../../math/objectives/types';
import type { FloatArray, Rollouts } from '../../rollouts';
import { COLUMN_AT, DECIMALS, LOWEST_LOG_PROB, S, type Column } from './names';
import { bump, type StepTally } from './step-tally';

const DECIMAL_NAMES = DECIMALS.map((k) => `dec${k}` as const);
/** values of a response that are looked at for a grid */
const GRID_VALUES = 64;
/** Nearer to 0 than this, eight decimals no longer tell bfloat16 from other numbers. */
const GRID_LEAST = 0.03;
/** Share of a response's values on a grid that gives it away. */
export const ON_GRID = 0.99;

/** Distance of two neighbours of x on a grid of so many binary digits behind the first. */
function spacing(x: number, digits: number): number {
  return 2 ** (Math.floor(Math.log2(Math.abs(x))) - digits);
}

/** Whether x is nearer to the grid than one in a thousand numbers is. */
function isOn(x: number, step: number): boolean {
  const at = x / step;
  return Math.abs(at - Math.round(at)) < 1e-3;
}

const BF16_DIGITS = 7;
const FP16_DIGITS = 10;
type Grid = (x: number) => number;
const BF16: Grid = (x) => spacing(x, BF16_DIGITS);
const FP16: Grid = (x) => spacing(x, FP16_DIGITS);

/** Counts the values on each grid, and returns the coarsest that holds all of the response's values looked at. */
function gridOf(
  { counts }: StepTally,
  name: Column,
  values: FloatArray,
  from: number,
  to: number,
): Grid | null {
  const at = COLUMN_AT[name];
  let looked = 0;
  let bf16 = 0;
  let fp16 = 0;
  const decimals = DECIMALS.map(() => 0);
  for (let t = from; t < to && looked < GRID_VALUES; t++) {
    const x = values[t];
    if (x > -GRID_LEAST || x < LOWEST_LOG_PROB) continue;
    looked++;
    if (isOn(x, BF16(x))) bf16++;
    if (isOn(x, FP16(x))) fp16++;
    DECIMALS.forEach((digits, k) => {
      const scaled = x * 10 ** digits;
      if (Math.abs(scaled - Math.round(scaled)) < 1e-6) decimals[k] = decimals[k] + 1;
    });
  }
  bump(counts, at.grid, looked);
  bump(counts, at.bf16, bf16);
  bump(counts, at.fp16, fp16);
  DECIMAL_NAMES.forEach((digits, k) => bump(counts, at[digits], decimals[k]));
  if (looked < 2) return null;
  const enough = (hits: number) => hits >= ON_GRID * looked;
  const k = decimals.findIndex(enough);
  if (k >= 0) return () => 10 ** -(DECIMALS[k] as number);
  return enough(bf16) ? BF16 : enough(fp16) ? FP16 : null;
}

/**
 * How likely rounding has put the response on the other side of the sequence band: log s is off by the mean of
 * the tokens' rounding errors, each uniform over one step of the grid.
 */
export function measureRounding(
  tally: StepTally,
  sums: Float64Array,
  name: Column,
  values: FloatArray,
  { rollouts: { logpOld, logpNew }, from, to }: { rollouts: Rollouts; from: number; to: number },
  band: Band,
): void {
  const grid = gridOf(tally, name, values, from, to);
  if (grid === null) return;
  bump(tally.counts, COLUMN_AT[name].coarse);
  if (name === 'sampler') return;
  let variance = 0;
  let sum = 0;
  for (let t = from; t < to; t++) {
    const x = values[t];
    if (x !== 0) variance += grid(x) ** 2 / 12;
    sum += logpNew[t] - logpOld[t];
  }
  const sd = Math.sqrt(variance) / (to - from);
  if (sd === 0) return;
  const logS = sum / (to - from);
  const inside =
    normalCdf((Math.log1p(band.high) - logS) / sd) - normalCdf((Math.log1p(-band.low) - logS) / sd);
  const isInside = logS >= Math.log1p(-band.low) && logS <= Math.log1p(band.high);
  const moved = isInside ? 1 - inside : inside;
  const [at, spread] =
    name === 'old' ? [S.movedOld, S.movedOldVariance] : [S.movedNew, S.movedNewVariance];
  bump(sums, at, moved);
  bump(sums, spread, moved * (1 - moved));
}
