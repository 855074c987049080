/** A response as it is measured, and what is kept of it to show. */
import type { FloatArray, Rollouts } from '../../rollouts';
import { EXCERPT, offer, type Carrier, type CarrierKind } from './carriers';
import type { StepTally } from './step-tally';

export interface Place {
  step: number | null;
  group: string | number;
  sample: number;
  at: string | null;
  cutKnown: boolean;
}

export interface Response {
  rollouts: Rollouts;
  /** undefined where this response has none */
  sampler: FloatArray | undefined;
  from: number;
  to: number;
  place: Place;
}

export function total(values: FloatArray, from: number, to: number): number {
  let sum = 0;
  for (let t = from; t < to; t++) sum += values[t];
  return sum;
}

/** @param tokens positions within the response */
export function keep(
  tally: StepTally,
  kind: CarrierKind,
  score: number,
  { rollouts, sampler, from, to, place }: Response,
  tokens: [number, number] | null,
): void {
  offer(tally.carriers[kind], score, (): Carrier => {
    const middle = tokens ? Math.floor((tokens[0] + tokens[1]) / 2) : 0;
    const first = Math.max(0, Math.min(middle - (EXCERPT >> 1), to - from - EXCERPT));
    const part = (values: FloatArray) =>
      Array.from(values.subarray(from + first, Math.min(to, from + first + EXCERPT)));
    const { logpOld, logpNew } = rollouts;
    return {
      at: place.at,
      step: place.step,
      group: place.group,
      sample: place.sample,
      tokens,
      score,
      excerpt: {
        from: first,
        old: part(logpOld),
        new: part(logpNew),
        sampler: sampler ? part(sampler) : null,
      },
    };
  });
}
