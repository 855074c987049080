/**
 * The stability study: the same small training repeated over seeds and learning rates, with GSPO, GRPO and GRPO with
 * routing replay, on a policy with experts and on a dense one. Zheng et al. 2025 (Group Sequence Policy Optimization,
 * section 5.3) say that experts unsettle GRPO, that replaying their routes mends it, and that GSPO needs none of it.
 *
 * Contract: fixed before any of it ran; every run is one race of one racer (`raceOf`), so that it can be repeated by a
 * link of the Train page; a run is known by `runKey`. Pure.
 */
import * as v from 'valibot';
import { DEFAULT_RACER, DEFAULT_TRAINING, type TrainingSettings } from '../../settings/training';
import type { StepReport } from '../../training/report';

export const POLICY_KINDS = {
  experts: { policy: 'arithmetic-moe', title: 'eight experts a layer' },
  dense: { policy: 'arithmetic-dense', title: 'dense' },
} as const;
export type PolicyKind = keyof typeof POLICY_KINDS;

export const ARMS = {
  'experts-gspo': { kind: 'experts', objective: 'gspo', routing: 'own' },
  'experts-grpo': { kind: 'experts', objective: 'grpo', routing: 'own' },
  'experts-replay': { kind: 'experts', objective: 'grpo', routing: 'replayed' },
  'dense-gspo': { kind: 'dense', objective: 'gspo', routing: 'own' },
  'dense-grpo': { kind: 'dense', objective: 'grpo', routing: 'own' },
} as const;
export type ArmId = keyof typeof ARMS;
export const ARM_IDS = Object.keys(ARMS) as [ArmId, ...ArmId[]];

export interface StudySize {
  seeds: readonly number[];
  learningRates: readonly number[];
  steps: number;
  evaluatePrompts: number;
  backend: TrainingSettings['backend'];
}

/** What ships: about an hour on one core. */
export const RECORDED_SIZE: StudySize = {
  seeds: [1, 2, 3, 4, 5],
  // From where nothing happens in so few steps to where everything is lost.
  learningRates: [1e-4, 2e-4, 4e-4],
  steps: 60,
  evaluatePrompts: 400,
  backend: 'wasm',
};

/** What a page trains while somebody looks on: seeds from 1 on, one learning rate. */
export const liveSize = (seeds: number, steps: number, learningRate: number): StudySize => ({
  seeds: Array.from({ length: seeds }, (_, i) => i + 1),
  learningRates: [learningRate],
  steps,
  evaluatePrompts: 100,
  backend: 'auto',
});

export interface RunPlan {
  arm: ArmId;
  seed: number;
  learningRate: number;
}

/** Seed by seed, so that a study that is cut short has whole seeds. */
export function plansOf({ seeds, learningRates }: StudySize): RunPlan[] {
  return seeds.flatMap((seed) =>
    learningRates.flatMap((learningRate) =>
      ARM_IDS.map((arm): RunPlan => ({ arm, seed, learningRate })),
    ),
  );
}

export const runKey = ({ arm, seed, learningRate }: RunPlan): string =>
  `${arm} ${seed} ${learningRate}`;

export function raceOf(
  { arm, seed, learningRate }: RunPlan,
  { steps, evaluatePrompts, backend }: StudySize,
): TrainingSettings {
  const { kind, objective, routing } = ARMS[arm];
  return {
    ...DEFAULT_TRAINING,
    policy: POLICY_KINDS[kind].policy,
    start: 'step-03000',
    backend,
    steps,
    prompts: 4,
    groupSize: 8,
    minibatches: 4,
    warmupSteps: 3,
    maxOperators: 5,
    maxLength: 80,
    evaluateEvery: steps,
    evaluatePrompts,
    seed,
    racers: [{ ...DEFAULT_RACER[objective], learningRate, routing }],
  };
}

const share = v.pipe(v.number(), v.minValue(0), v.maxValue(1));
const positive = v.pipe(v.number(), v.minValue(0));
const heldOut = v.object({ correct: positive, prompts: positive });

/** One run in short; a schema, because a study is read back. */
export const runSchema = v.object({
  arm: v.picklist(ARM_IDS),
  seed: v.number(),
  learningRate: positive,
  /** of the start and of the end, on the same held-out prompts */
  before: heldOut,
  after: heldOut,
  /** by step: mean reward on fresh prompts */
  reward: v.array(share),
  /** by update, before clipping; 0 where every token with an influence was clipped */
  gradientNorms: v.array(positive),
  /** mean over the steps, as TRL counts it */
  clip: share,
  seconds: positive,
});
export type StudyRun = v.InferOutput<typeof runSchema>;

export const studySchema = v.object({
  recordedAt: v.string(),
  app: v.string(),
  size: v.object({
    seeds: v.array(v.number()),
    learningRates: v.array(v.number()),
    steps: v.number(),
    evaluatePrompts: v.number(),
  }),
  runs: v.array(runSchema),
});
export type Study = v.InferOutput<typeof studySchema>;

const short = (x: number): number => Number(x.toPrecision(4));

/** @throws RangeError where the start or the end was not evaluated */
export function runOf(plan: RunPlan, reports: readonly StepReport[]): StudyRun {
  const before = reports[0]?.heldOutBefore;
  const after = reports.at(-1)?.heldOut;
  if (!before || !after) throw new RangeError(`Run ${runKey(plan)} was not evaluated.`);
  const clips = reports.flatMap(({ clip }) => (clip.trl === null ? [] : [clip.trl]));
  return {
    ...plan,
    before: { correct: before.correct, prompts: before.prompts },
    after: { correct: after.correct, prompts: after.prompts },
    reward: reports.map(({ reward }) => short(reward)),
    gradientNorms: reports.flatMap(({ gradientNorms = [] }) => gradientNorms.map(short)),
    clip: short(clips.reduce((sum, x) => sum + x, 0) / Math.max(1, clips.length)),
    seconds: short(
      reports.reduce(
        (sum, { seconds }) => sum + Object.values(seconds).reduce((a, b) => a + b, 0),
        0,
      ),
    ),
  };
}

/** Runs that share policy, start, seed and prompts: what one race of the trainer does at once. */
export interface StudyRace {
  plans: RunPlan[];
  settings: TrainingSettings;
}

/** One policy after the other, so that each is opened once. */
export function racesOf(size: StudySize): StudyRace[] {
  const kinds = Object.keys(POLICY_KINDS) as PolicyKind[];
  return kinds.flatMap((kind) =>
    size.seeds.flatMap((seed) =>
      size.learningRates.map((learningRate): StudyRace => {
        const arms = ARM_IDS.filter((arm) => ARMS[arm].kind === kind);
        const plans = arms.map((arm): RunPlan => ({ arm, seed, learningRate }));
        const [first] = plans as [RunPlan, ...RunPlan[]];
        const racers = plans.flatMap((plan) => raceOf(plan, size).racers);
        return { plans, settings: { ...raceOf(first, size), racers } };
      }),
    ),
  );
}
