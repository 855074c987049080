/**
 * What a control of "Break it" is: rollouts that keep or break a page's prediction, and what it promises of the page's
 * claims. Contract: data and pure functions. A promise is about a run that has ended, on any seed: it comes out on the
 * default seed and on 19 of 20 others (`engine/lab/breaks.test.ts`).
 */
import type { Verdict } from '../experiments/experiment';
import {
  DEFAULT_POLICIES,
  DEFAULT_SYNTHETIC,
  type PoliciesSource,
  type RunSettings,
  type SyntheticSource,
} from '../settings/run';
import type { Sampler } from './samplers';

/** `breaks`: fails or departs; `spared`: does neither, though it may stay undecided */
export type Promised = 'holds' | 'breaks' | 'spared';

export const PROMISES: Record<Promised, string> = {
  holds: 'must hold',
  breaks: 'breaks',
  spared: 'must not break',
};

export function isKept(promised: Promised, verdict: Verdict): boolean {
  const broken = verdict === 'fails' || verdict === 'departs';
  return promised === 'holds' ? verdict === 'holds' : broken === (promised === 'breaks');
}

/** Settings of the source that differ from the defaults; the example with another sampler (null: with its own). */
export type Change =
  | { kind: 'synthetic'; change: Partial<Omit<SyntheticSource, 'kind' | 'seed'>> }
  | {
      kind: 'policies';
      change: Partial<Omit<PoliciesSource, 'kind' | 'seed' | keyof Pair>>;
      /** left out: as the person chose it */
      pair?: Pair;
    }
  | { kind: 'example'; sampler: Sampler | null };

export type Pair = Pick<PoliciesSource, 'policy' | 'old' | 'new'>;

export interface Break {
  title: string;
  /** what it does to the rollouts, and what follows */
  why: string;
  /** heading of the figure in which to see it */
  watch: string;
  rollouts: Change;
  /** by id of a claim of the page; none where nobody knows beforehand */
  promises: Readonly<Record<string, Promised>>;
}

export interface PageBreaks {
  /** what the prediction rests on */
  lead: string;
  breaks: readonly Break[];
}

/** The example's file under another name, so that it is told apart. */
export const EXAMPLE_FILE = 'example-rollouts.jsonl';
export const fileOf = (sampler: Sampler | null): string => sampler?.file ?? EXAMPLE_FILE;

/** The source that a control asks for, on the default seed; null where it is a file. */
export function sourceOf(
  { rollouts }: Break,
  pair: Pair = DEFAULT_POLICIES,
): RunSettings['source'] | null {
  switch (rollouts.kind) {
    case 'synthetic':
      return { ...DEFAULT_SYNTHETIC, ...rollouts.change };
    case 'policies': {
      const { policy, old, new: theta } = rollouts.pair ?? pair;
      return { ...DEFAULT_POLICIES, ...rollouts.change, policy, old, new: theta };
    }
    case 'example':
      return null;
  }
}

/** Whether a run is the control's, on whatever seed and pair. */
export function isOf(own: Break, source: RunSettings['source']): boolean {
  const asked = sourceOf(own, source.kind === 'policies' ? source : undefined);
  if (asked === null || asked.kind !== source.kind) return false;
  const of = (settings: object) =>
    Object.entries({ ...settings, seed: 0 })
      .map(([key, value]) => `${key} ${value}`)
      .sort()
      .join();
  return of(asked) === of(source);
}
