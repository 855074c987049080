/**
 * What an answer may be held against besides the claims of a page: what looking again and again does, and a race that is
 * trained live. Contract: pure; a value that the data do not give is null; an interval only where one is known.
 */
import { wilson } from '../math/stats/intervals';
import type { Peeking } from '../math/stats/peeking';
import type { PageId } from '../experiments/manifest';
import type { MeasuredValue } from './curves';

const OTHER_CHECKS = {
  'variance.peeking-fixed': { page: 'variance', of: 'peeking' },
  'variance.peeking-anytime': { page: 'variance', of: 'peeking' },
  'train.clipped-times': { page: 'train', of: 'race' },
  'train.held-out': { page: 'train', of: 'race' },
} as const satisfies Record<string, { page: PageId; of: 'peeking' | 'race' }>;

export type OtherCheck = keyof typeof OTHER_CHECKS;

export const isOtherCheck = (id: string): id is OtherCheck => Object.hasOwn(OTHER_CHECKS, id);
export const otherCheck = (id: OtherCheck) => OTHER_CHECKS[id];

/** Of every hundred runs in which the law is true, those in which an interval excluded it at some look. */
export function peekingValue(id: OtherCheck, { wrong, runs }: Peeking): MeasuredValue {
  const hits = id === 'variance.peeking-anytime' ? wrong.anytime : wrong.fixed;
  const [low, high] = wilson(hits, runs);
  return { measured: (100 * hits) / runs, interval: [100 * low, 100 * high] };
}

interface HeldOut {
  correct: number;
  prompts: number;
}

/** A race as far as it is asked for here: of each racer its steps, ascending. */
export interface RaceReports {
  settings: { racers: readonly { objective: string }[] };
  reports: readonly (readonly { clip: { verl: number | null }; heldOut: HeldOut | null }[])[];
}

/**
 * GSPO against GRPO. `train.clipped-times`: mean share of clipped tokens of the one over that of the other, as verl
 * counts both; one race, so without an interval. `train.held-out`: percentage points by which the one answers more
 * held-out prompts at the end, with the 95 % interval of a difference of two independent shares.
 */
export function raceValue(
  id: OtherCheck,
  { settings, reports }: RaceReports,
): MeasuredValue | null {
  const of = (name: string) =>
    reports[settings.racers.findIndex(({ objective }) => objective === name)];
  const [gspo, grpo] = [of('gspo'), of('grpo')];
  if (gspo === undefined || grpo === undefined) return null;
  if (id === 'train.clipped-times') {
    const mean = (own: typeof gspo) =>
      own.reduce((sum, { clip }) => sum + (clip.verl ?? 0), 0) / own.length;
    const times = mean(gspo) / mean(grpo);
    return Number.isFinite(times) ? { measured: times, interval: null } : null;
  }
  const [a, b] = [gspo.at(-1)?.heldOut ?? null, grpo.at(-1)?.heldOut ?? null];
  if (a === null || b === null) return null;
  const [p, q] = [a.correct / a.prompts, b.correct / b.prompts];
  const half = 196 * Math.sqrt((p * (1 - p)) / a.prompts + (q * (1 - q)) / b.prompts);
  const measured = 100 * (p - q);
  return { measured, interval: [measured - half, measured + half] };
}
