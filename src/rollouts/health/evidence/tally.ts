/**
 * The evidence of the health report: counts, sums per prompt, histograms, and the responses that stand out, by
 * training step. Contract: `add` takes rollouts batch by batch and keeps none of them; `merge` of tallies of
 * parts equals one tally of all, to the last digit where no prompt is split over parts, and to rounding where
 * one is. `toJSON` / `tallyFrom` cross processes and threads. Memory: about 900 bytes per prompt and step, 30 kB per step.
 */
import * as v from 'valibot';
import type { Rollouts } from '../../rollouts';
import { addColumn, IMPOSSIBLE_KINDS, type ImpossibleColumn } from '../../file/impossible';
import { TRAINER_IDS, type TrainerId } from '../../file/trainer-names';
import { CARRIER_KINDS, type Carrier } from './carriers';
import { DEFAULT_BANDS, measure, type Bands } from './measure';
import type { Place } from './response';
import { StepTally } from './step-tally';
import { C, COUNTS, HISTOGRAMS, SUMS, type HistogramName } from './names';
import { LogWeights } from './log-weights';
import { Copies } from './copies';

/** What an import knows of its responses; see `ImportFacts`. */
export interface HealthFacts {
  /** [n] 1 = the source says whether the response was cut */
  endKnown?: ArrayLike<number>;
  /** names of the files; [n] which of them; [n] line, item or row, counted from 1 */
  files?: readonly string[];
  file?: ArrayLike<number>;
  place?: ArrayLike<number>;
  /** `mismatch`: logpOld is the sampler's and logpNew the trainer's, there is no update */
  compares?: 'update' | 'mismatch' | 'mixed';
  /** who wrote the files */
  trainer?: TrainerId | null;
  /** columns with values that no log-prob has; their responses are none of the rollouts */
  impossible?: readonly ImpossibleColumn[];
  /** groups of which the text of the prompt is known, and how many different texts those are */
  prompts?: { groups: number; texts: number };
}

/** Sampler against trainer as the rules about that pair want it. */
function asMismatch(rollouts: Rollouts): Rollouts {
  const { logpOld, logpNew } = rollouts;
  return { ...rollouts, logpSampler: logpOld, logpOld: logpNew };
}

/** A batch of responses with what files say of them. */
export interface HealthBatch {
  rollouts: Rollouts;
  /** [groups] as written; by number where left out */
  groupIds?: readonly (string | number)[];
  /** [n] within the group */
  sample?: ArrayLike<number>;
  /** [n] training step, -1 where not known; left out = not known */
  step?: ArrayLike<number>;
  /** left out = every response's end is known, none has a place in a file, and columns are two policies */
  facts?: HealthFacts;
}

export class HealthTally {
  readonly steps = new Map<number | null, StepTally>();
  readonly copies = new Copies();
  /** columns with values that no log-prob has, by their names in the files */
  readonly impossible = new Map<string, ImpossibleColumn>();
  /** whom the names of columns tell; several where parts differ */
  readonly trainers = new Set<TrainerId | null>();

  constructor(readonly bands: Bands = DEFAULT_BANDS) {}

  /** Who wrote all of it; null where nothing tells, or parts are of different ones. */
  get trainer(): TrainerId | null {
    const [first, ...others] = this.trainers;
    return others.length === 0 ? (first ?? null) : null;
  }

  add({ rollouts: given, groupIds, sample, step, facts = {} }: HealthBatch): void {
    this.trainers.add(facts.trainer ?? null);
    for (const column of facts.impossible ?? []) addColumn(this.impossible, column);
    const twoEngines = facts.compares === 'mismatch';
    const rollouts = twoEngines ? asMismatch(given) : given;
    const { endKnown, files, file, place: line } = facts;
    const counted = new Map<number, number>();
    let first: StepTally | null = null;
    for (let i = 0; i < rollouts.group.length; i++) {
      const number = step?.[i] ?? -1;
      const of = number < 0 ? null : number;
      let tally = this.steps.get(of);
      if (!tally) this.steps.set(of, (tally = new StepTally()));
      first ??= tally;
      const g = rollouts.group[i];
      const nth = counted.get(g) ?? 0;
      counted.set(g, nth + 1);
      const place: Place = {
        step: of,
        group: groupIds?.[g] ?? g,
        sample: sample?.[i] ?? nth,
        at: files && file && line ? `${files[file[i] ?? 0] ?? ''}, number ${line[i] ?? 0}` : null,
        cutKnown: endKnown === undefined || endKnown[i] === 1,
      };
      if (twoEngines) tally.counts[C.withoutUpdate] = tally.counts[C.withoutUpdate] + 1;
      measure(tally, this.copies, rollouts, i, place, this.bands);
    }
    if (first === null || !facts.prompts) return;
    first.counts[C.promptGroups] = first.counts[C.promptGroups] + facts.prompts.groups;
    first.counts[C.promptTexts] = first.counts[C.promptTexts] + facts.prompts.texts;
  }

  /** @throws RangeError where the two were told different clip ranges */
  merge(other: HealthTally): void {
    if (JSON.stringify(other.bands) !== JSON.stringify(this.bands)) {
      throw new RangeError(
        'These parts were analysed with different clip ranges (--eps-low, --eps-high); analyse them with the same.',
      );
    }
    for (const [step, tally] of other.steps) {
      let own = this.steps.get(step);
      if (!own) this.steps.set(step, (own = new StepTally()));
      own.merge(tally);
    }
    this.copies.merge(other.copies);
    for (const column of other.impossible.values()) addColumn(this.impossible, column);
    for (const trainer of other.trainers) this.trainers.add(trainer);
  }

  toJSON(): TallyJson {
    return {
      bands: this.bands,
      trainers: [...this.trainers],
      copies: this.copies.toJSON(),
      impossible: [...this.impossible.values()],
      steps: [...this.steps].map(([step, tally]) => ({
        step,
        counts: [...tally.counts],
        histograms: Object.fromEntries(
          Object.entries(tally.histograms).map(([name, bins]) => [name, [...bins]]),
        ),
        lengthSquares: [...tally.lengthSquares],
        lengthLeast: Array.from(tally.lengthLeast, (x) => (Number.isFinite(x) ? x : null)),
        lengthMost: [...tally.lengthMost],
        largest: tally.largest,
        lowest: tally.lowest,
        rewards: tally.rewards[0] > tally.rewards[1] ? null : tally.rewards,
        weights: {
          rho: tally.weights.rho.toJSON(),
          s: tally.weights.s.toJSON(),
          mismatch: tally.weights.mismatch.toJSON(),
        },
        groups: [...tally.groups].map(([group, sums]) => [group, [...sums]] as const),
        carriers: tally.carriers,
      })),
    };
  }
}

const finite = v.pipe(v.number(), v.finite());
const numbers = (length: number) => v.pipe(v.array(finite), v.length(length));
const name = v.union([v.string(), finite]);
const excerptSchema = v.object({
  from: finite,
  old: v.array(finite),
  new: v.array(finite),
  sampler: v.nullable(v.array(finite)),
});
const carrierSchema = v.object({
  at: v.nullable(v.string()),
  step: v.nullable(finite),
  group: name,
  sample: v.nullable(finite),
  tokens: v.nullable(v.tuple([finite, finite])),
  score: finite,
  excerpt: v.nullable(excerptSchema),
});
const bandSchema = v.object({ low: finite, high: finite });
const lowestSchema = v.object({ value: finite, tokens: finite, ends: finite });
const weightsSchema = v.nullable(
  v.object({ largest: finite, n: finite, sum: finite, squares: finite }),
);

const count = v.pipe(finite, v.minValue(0));
const impossibleSchema = v.object({
  name: v.string(),
  responses: count,
  bad: count,
  range: v.object({ n: count, sum: finite, least: finite, most: finite }),
  kinds: v.object(
    Object.fromEntries(IMPOSSIBLE_KINDS.map((kind) => [kind, count])) as Record<
      (typeof IMPOSSIBLE_KINDS)[number],
      typeof count
    >,
  ),
  first: v.object({
    at: v.nullable(v.string()),
    step: v.nullable(finite),
    group: name,
    token: count,
    text: v.string(),
  }),
});

/** What `HealthTally.toJSON` writes; the lists' lengths are those of `names.ts`. */
export const tallySchema = v.object({
  trainers: v.array(v.nullable(v.picklist(TRAINER_IDS))),
  bands: v.object({ token: bandSchema, sequence: bandSchema }),
  impossible: v.array(impossibleSchema),
  copies: v.object({ limit: finite, seen: v.array(v.tuple([finite, finite])) }),
  steps: v.array(
    v.object({
      step: v.nullable(finite),
      counts: numbers(COUNTS.length),
      histograms: v.object(
        Object.fromEntries(Object.entries(HISTOGRAMS).map(([key, bins]) => [key, numbers(bins)])),
      ),
      lengthSquares: numbers(HISTOGRAMS.lengths),
      lengthLeast: v.pipe(v.array(v.nullable(finite)), v.length(HISTOGRAMS.lengths)),
      lengthMost: numbers(HISTOGRAMS.lengths),
      largest: v.object({
        d: finite,
        logS: finite,
        logRho: finite,
        advantage: finite,
        lowest: finite,
      }),
      lowest: v.object({ old: lowestSchema, new: lowestSchema, sampler: lowestSchema }),
      rewards: v.nullable(v.tuple([finite, finite])),
      weights: v.object({ rho: weightsSchema, s: weightsSchema, mismatch: weightsSchema }),
      groups: v.array(v.tuple([name, numbers(SUMS.length)])),
      carriers: v.object(
        Object.fromEntries(CARRIER_KINDS.map((kind) => [kind, v.array(carrierSchema)])),
      ),
    }),
  ),
});

export interface TallyJson {
  bands: Bands;
  trainers: (TrainerId | null)[];
  impossible: ImpossibleColumn[];
  copies: ReturnType<Copies['toJSON']>;
  steps: {
    step: number | null;
    counts: number[];
    histograms: Record<string, number[]>;
    lengthSquares: number[];
    lengthLeast: (number | null)[];
    lengthMost: number[];
    largest: StepTally['largest'];
    lowest: StepTally['lowest'];
    rewards: [number, number] | null;
    weights: Record<'rho' | 's' | 'mismatch', ReturnType<LogWeights['toJSON']>>;
    groups: (readonly [string | number, number[]])[];
    carriers: Record<string, Carrier[]>;
  }[];
}

/** @throws ValiError where the value is no tally of this version */
export function tallyFrom(input: unknown): HealthTally {
  const json = v.parse(tallySchema, input);
  const tally = new HealthTally(json.bands);
  tally.copies.merge(Copies.from(json.copies));
  for (const column of json.impossible) addColumn(tally.impossible, column);
  for (const trainer of json.trainers) tally.trainers.add(trainer);
  for (const part of json.steps) {
    const step = new StepTally();
    step.counts = Float64Array.from(part.counts);
    for (const key of Object.keys(HISTOGRAMS) as HistogramName[]) {
      step.histograms[key] = Float64Array.from(part.histograms[key]);
    }
    step.lengthSquares = Float64Array.from(part.lengthSquares);
    step.lengthLeast = Float64Array.from(part.lengthLeast, (x) => x ?? Infinity);
    step.lengthMost = Float64Array.from(part.lengthMost);
    step.largest = part.largest;
    step.lowest = part.lowest;
    if (part.rewards) step.rewards = part.rewards;
    for (const key of ['rho', 's', 'mismatch'] as const) {
      step.weights[key] = LogWeights.from(part.weights[key]);
    }
    for (const [group, sums] of part.groups) step.groups.set(group, Float64Array.from(sums));
    for (const kind of CARRIER_KINDS) step.carriers[kind] = part.carriers[kind];
    tally.steps.set(part.step, step);
  }
  return tally;
}
