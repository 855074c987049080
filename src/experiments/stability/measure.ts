/**
 * What the runs of a stability study say, arm by arm and arm against arm. Contract: pure; seeds are the unit of every
 * interval, because runs of one seed share prompts and random numbers, and what is compared is compared within a seed.
 */
import { studentQuantile } from '../../math/stats/distributions';
import { wilson } from '../../math/stats/intervals';
import { mean, variance } from '../../math/summation';
import { ARM_IDS, ARMS, type ArmId, type StudyRun } from './study';

/** Held-out accuracy at the end less that of the start. */
export const gainOf = ({ before, after }: StudyRun): number =>
  after.correct / after.prompts - before.correct / before.prompts;

/** The end is below the start by more than twice the standard error of the difference. */
export function lost({ before, after }: StudyRun): boolean {
  const [a, b] = [before.correct / before.prompts, after.correct / after.prompts];
  const error = Math.sqrt((a * (1 - a)) / before.prompts + (b * (1 - b)) / after.prompts);
  return b - a < -2 * error;
}

/** Standard deviation of the gradient norms of a run's updates over their mean; null where no update had any. */
export function spreadOf({ gradientNorms }: StudyRun): number | null {
  if (gradientNorms.length < 2) return null;
  const level = mean(gradientNorms);
  return level > 0 ? Math.sqrt(variance(gradientNorms)) / level : null;
}

/** Of one value a seed. */
export interface OverSeeds {
  estimate: number;
  /** 95 %, Student's t over the seeds; null with fewer than two */
  interval: [number, number] | null;
  /** by seed */
  values: number[];
}

/** @param values one a seed; null where there are none */
export function overSeeds(values: readonly number[], alpha = 0.05): OverSeeds | null {
  const n = values.length;
  if (n === 0) return null;
  const estimate = mean(values);
  if (n < 2) return { estimate, interval: null, values: [...values] };
  const half = studentQuantile(1 - alpha / 2, n - 1) * Math.sqrt(variance(values) / n);
  return { estimate, interval: [estimate - half, estimate + half], values: [...values] };
}

/** One arm at one learning rate. */
export interface ArmAtRate {
  arm: ArmId;
  learningRate: number;
  runs: StudyRun[];
  gain: OverSeeds;
  /** log of the spread of the gradient norm */
  logSpread: OverSeeds | null;
  clip: OverSeeds;
  lost: { hits: number; of: number; interval: [number, number] };
}

export interface StabilityMeasure {
  runs: readonly StudyRun[];
  arms: ArmAtRate[];
  /** seeds that have every arm at every learning rate */
  seeds: number[];
  /** within a seed, mean over the learning rates; null without such a seed */
  contrasts: Record<ContrastId, OverSeeds | null>;
  /**
   * Change of accuracy with experts less that without, under GRPO and under GSPO: looked for once the runs were there, so
   * that no claim is made of it
   */
  costOfExperts: Record<'grpo' | 'gspo', OverSeeds | null>;
}

export const CONTRAST_IDS = ['spread', 'experts', 'accuracy', 'replay'] as const;
export type ContrastId = (typeof CONTRAST_IDS)[number];

export function measureStability(runs: readonly StudyRun[]): StabilityMeasure {
  const rates = [...new Set(runs.map(({ learningRate }) => learningRate))].sort((a, b) => a - b);
  const arms = ARM_IDS.flatMap((arm) =>
    rates.flatMap((learningRate): ArmAtRate[] => {
      const own = runs.filter((run) => run.arm === arm && run.learningRate === learningRate);
      const gain = overSeeds(own.map(gainOf));
      const clip = overSeeds(own.map((run) => run.clip));
      if (gain === null || clip === null) return [];
      const hits = own.filter(lost).length;
      const spreads = own.map(spreadOf).filter((x) => x !== null && x > 0) as number[];
      return [
        {
          arm,
          learningRate,
          runs: own,
          gain,
          logSpread: overSeeds(spreads.map(Math.log)),
          clip,
          lost: { hits, of: own.length, interval: wilson(hits, own.length) },
        },
      ];
    }),
  );

  const all = [...new Set(runs.map(({ seed }) => seed))].sort((a, b) => a - b);
  const find = (arm: ArmId, seed: number, rate: number) =>
    runs.find((run) => run.arm === arm && run.seed === seed && run.learningRate === rate);
  const whole = all.filter((seed) =>
    rates.every((rate) => ARM_IDS.every((arm) => find(arm, seed, rate))),
  );
  /** Mean over the rates of a difference within a seed. */
  const contrast = (of: (run: (arm: ArmId) => StudyRun) => number): OverSeeds | null =>
    overSeeds(
      whole
        .map((seed) => mean(rates.map((rate) => of((arm) => find(arm, seed, rate) as StudyRun))))
        .filter(Number.isFinite),
    );
  const logSpread = (run: StudyRun): number => Math.log(spreadOf(run) ?? NaN);
  return {
    runs,
    arms,
    seeds: whole,
    contrasts: {
      spread: contrast((run) => logSpread(run('experts-gspo')) - logSpread(run('experts-grpo'))),
      experts: contrast(
        (run) =>
          logSpread(run('experts-gspo')) -
          logSpread(run('experts-grpo')) -
          logSpread(run('dense-gspo')) +
          logSpread(run('dense-grpo')),
      ),
      accuracy: contrast((run) => gainOf(run('experts-gspo')) - gainOf(run('experts-grpo'))),
      replay: contrast((run) => gainOf(run('experts-replay')) - gainOf(run('experts-grpo'))),
    },
    costOfExperts: {
      grpo: contrast((run) => gainOf(run('experts-grpo')) - gainOf(run('dense-grpo'))),
      gspo: contrast((run) => gainOf(run('experts-gspo')) - gainOf(run('dense-gspo'))),
    },
  };
}

/** Mean reward of a run's step over the runs, by step. */
export function rewardCurve(runs: readonly StudyRun[]): number[] {
  const steps = Math.max(0, ...runs.map(({ reward }) => reward.length));
  return Array.from({ length: steps }, (_, step) =>
    mean(runs.flatMap(({ reward }) => (reward[step] === undefined ? [] : [reward[step]]))),
  );
}

export const armTitle = (arm: ArmId): string => {
  const { kind, objective, routing } = ARMS[arm];
  const name = objective.toUpperCase() + (routing === 'replayed' ? ' with replay' : '');
  return `${name}, ${kind === 'experts' ? 'experts' : 'dense'}`;
};
