/**
 * What faults are planted in, and how: healthy data and changes of it. Contract: deterministic; healthy data is drawn
 * once per recipe and seed and never changed.
 */
import { Random, STREAM } from '../../../math/philox';
import type { Rollouts } from '../../rollouts';
import type { HealthBatch } from '../evidence/tally';
import { plant as draw, type Recipe } from '../planted';
import type { RuleId } from '../report';

/** The same data again and again: drawing it costs more than all rules together. */
const drawn = new Map<string, Batch>();
export function sound(recipe: Recipe, seed: number): Batch {
  const key = JSON.stringify([recipe, seed]);
  let batch = drawn.get(key);
  if (!batch) drawn.set(key, (batch = draw(recipe, seed)));
  return batch;
}

export const HEALTHY: Recipe = {
  prompts: 12,
  groupSize: 8,
  lengths: [20, 60],
  vocabulary: 24,
  sharpness: 4,
  update: 0.012,
  engine: 0.003,
  digits: 8,
  entropy: false,
  steps: 1,
};

export type Batch = HealthBatch & { rollouts: Rollouts };
export type Fault = (batch: Batch, seed: number) => Batch;

export const change =
  (make: (rollouts: Rollouts, random: Random) => Partial<Rollouts>): Fault =>
  (batch) => ({
    ...batch,
    rollouts: { ...batch.rollouts, ...make(batch.rollouts, new Random(9, STREAM.synthetic, 3)) },
  });

export const sampler = ({ logpSampler }: Rollouts) => logpSampler as Float64Array;

/** Values of each response by its own function of its tokens. */
export function each(
  { offsets }: Rollouts,
  values: ArrayLike<number>,
  make: (part: number[], i: number) => number[],
): Float64Array {
  const out: number[] = [];
  for (let i = 0; i + 1 < offsets.length; i++) {
    const part = Array.from({ length: (offsets[i + 1] ?? 0) - (offsets[i] ?? 0) }, (_, t) =>
      Number(values[(offsets[i] ?? 0) + t]),
    );
    out.push(...make(part, i));
  }
  return Float64Array.from(out);
}

export interface Planted {
  id: RuleId;
  what: string;
  fault: Fault;
  recipe?: Partial<Recipe>;
  /** what the finding must say */
  says?: string | RegExp;
  /** findings that may stand beside it */
  beside?: RuleId[];
}

export const shift = (part: number[], by: number) =>
  part.map((_, t) => part[(t + by + part.length) % part.length]);

export const without = (rollouts: Rollouts): Rollouts => {
  const rest = { ...rollouts };
  delete rest.logpSampler;
  return rest;
};
