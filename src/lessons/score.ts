/**
 * A prediction beside a measurement. Contract: pure; what is right follows from the measured value and its interval,
 * never from the lesson alone.
 */
import type { Option } from './lesson';

export interface MeasuredValue {
  measured: number;
  /** null: an identity, which has none */
  interval: readonly [number, number] | null;
}

export interface NumberScore {
  /** measured less predicted */
  difference: number;
  /** whether the measured value lies within the error that the student named */
  covered: boolean;
  /**
   * Distance from the measured value to the prediction, in half-widths of the interval on that side: up to 1 the
   * prediction is inside. null: no interval, or one without width.
   */
  intervals: number | null;
}

/** @param error how far off the student thinks to be at most, not negative */
export function scoreNumber(
  prediction: number,
  error: number,
  { measured, interval }: MeasuredValue,
): NumberScore {
  const difference = measured - prediction;
  const covered = Math.abs(difference) <= error;
  if (interval === null) return { difference, covered, intervals: null };
  const half = prediction > measured ? interval[1] - measured : measured - interval[0];
  return { difference, covered, intervals: half > 0 ? Math.abs(difference) / half : null };
}

const inside = ({ from = -Infinity, to = Infinity }: Option, x: number) => x >= from && x < to;

export interface ChoiceScore {
  /** the option in whose range the measured value lies; -1: in none */
  right: number;
  /** whether the whole interval lies in that option's range */
  sure: boolean;
}

export function scoreChoice(
  options: readonly Option[],
  { measured, interval }: MeasuredValue,
): ChoiceScore {
  const ranged = (option: Option) => option.from !== undefined || option.to !== undefined;
  const right = options.findIndex((option) => ranged(option) && inside(option, measured));
  const option = options[right];
  const sure =
    option !== undefined && (interval === null || interval.every((end) => inside(option, end)));
  return { right, sure };
}
