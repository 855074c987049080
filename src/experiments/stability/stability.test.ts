/** The stability study: runs with a known truth, and the study that ships. */
import { readFileSync } from 'node:fs';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { Random, STREAM } from '../../math/philox';
import { parseTraining } from '../../settings/training';
import type { StepReport } from '../../training/report';
import { declarationOf } from '../claims';
import { judgeStability } from './claims';
import { gainOf, lost, measureStability, rewardCurve, spreadOf } from './measure';
import {
  ARM_IDS,
  ARMS,
  liveSize,
  plansOf,
  raceOf,
  racesOf,
  RECORDED_SIZE,
  runKey,
  runOf,
  studySchema,
  type ArmId,
  type RunPlan,
  type StudyRun,
} from './study';

const SEEDS = [1, 2, 3, 4, 5, 6];
const RATES = [1e-4, 2e-4];

/** Runs whose truth is chosen: spread of the gradient norm and accuracy gained, by arm, with noise between seeds. */
function study(truth: Record<ArmId, { spread: number; gain: number }>, noise = 0.02): StudyRun[] {
  const random = new Random(3, STREAM.synthetic);
  return plansOf({ ...RECORDED_SIZE, seeds: SEEDS, learningRates: RATES }).map((plan): StudyRun => {
    const { spread, gain } = truth[plan.arm];
    // Two values, whose standard deviation over their mean is the spread but for noise of the run's own.
    const own = spread * Math.exp(noise * random.normal());
    return {
      ...plan,
      before: { correct: 500, prompts: 1000 },
      after: { correct: 500 + Math.round(1000 * (gain + noise * random.normal())), prompts: 1000 },
      reward: [0.5, 0.6],
      gradientNorms: Array.from({ length: 200 }, (_, i) => 1 + (i % 2 === 0 ? own : -own)),
      clip: 0.1,
      seconds: 1,
    };
  });
}
const alike = { spread: 0.3, gain: 0 };
const all = (own: Partial<Record<ArmId, typeof alike>>) =>
  Object.fromEntries(ARM_IDS.map((arm) => [arm, own[arm] ?? alike])) as Record<ArmId, typeof alike>;
const verdicts = (runs: StudyRun[]) =>
  Object.fromEntries(judgeStability(measureStability(runs)).claims.map((own) => [own.id, own]));

describe('claims of the study', () => {
  test('are right where the truth is planted', () => {
    const found = verdicts(
      study(
        all({
          'experts-gspo': { spread: 0.1, gain: 0.1 },
          'experts-grpo': { spread: 0.4, gain: -0.2 },
          'experts-replay': { spread: 0.2, gain: -0.4 },
        }),
      ),
    );
    expect(found['stability.spread']).toMatchObject({ verdict: 'holds', n: 6 });
    expect(found['stability.spread']?.measured).toBeCloseTo(0.25, 1);
    expect(found['stability.experts']).toMatchObject({ verdict: 'holds' });
    expect(found['stability.experts']?.measured).toBeCloseTo(0.25, 1);
    expect(found['stability.accuracy']).toMatchObject({ verdict: 'holds' });
    expect(found['stability.accuracy']?.measured).toBeCloseTo(0.3, 1);
    // Replay was planted to harm.
    expect(found['stability.replay']).toMatchObject({ verdict: 'fails' });
    expect(found['stability.replay']?.measured).toBeCloseTo(-0.2, 1);
  });

  test('are left open where all ways of training are alike, and say how many seeds it would take', () => {
    const found = Object.values(verdicts(study(all({}))));
    expect(found.map(({ verdict }) => verdict)).toEqual(found.map(() => 'undecided'));
    for (const { interval, measured } of found) {
      expect(interval?.[0]).toBeLessThan(measured as number);
      expect(interval?.[1]).toBeGreaterThan(measured as number);
    }
  });

  test('cry wolf in at most 5 % of studies', () => {
    let wrong = 0;
    const random = new Random(9, STREAM.synthetic);
    for (let i = 0; i < 400; i++) {
      const runs = study(all({}), 0.1).map((run): StudyRun => ({
        ...run,
        after: { ...run.after, correct: 500 + Math.round(40 * random.normal()) },
        gradientNorms: run.gradientNorms.map(
          (norm) => 1 + (norm - 1) * Math.exp(0.3 * random.normal()),
        ),
      }));
      const { claims } = judgeStability(measureStability(runs));
      if (claims.some(({ verdict }) => verdict !== 'undecided')) wrong++;
    }
    expect(wrong / 400).toBeLessThan(0.08);
  });

  test('rest on seeds that have every way of training at every learning rate', () => {
    const runs = study(all({})).filter((run) => runKey(run) !== `dense-grpo 4 ${RATES[1]}`);
    const measure = measureStability(runs);
    expect(measure.seeds).toEqual([1, 2, 3, 5, 6]);
    expect(judgeStability(measure).claims[0]).toMatchObject({ n: 5 });
    expect(judgeStability(measureStability([])).claims[0]).toMatchObject({
      verdict: 'not applicable',
      note: 'No seed has all of its runs yet.',
    });
  });

  test('are declared', () => {
    for (const { id } of judgeStability(measureStability([])).claims) {
      expect(declarationOf(id)).toBeDefined();
    }
  });
});

describe('one run', () => {
  const plan: RunPlan = { arm: 'experts-replay', seed: 3, learningRate: 2e-4 };
  const run = (before: number, after: number): StudyRun => ({
    ...plan,
    before: { correct: before, prompts: 400 },
    after: { correct: after, prompts: 400 },
    reward: [],
    gradientNorms: [1, 3],
    clip: 0,
    seconds: 0,
  });

  test('has lost where the end is below the start by more than chance explains', () => {
    expect(lost(run(300, 299))).toBe(false);
    expect(lost(run(300, 200))).toBe(true);
    expect(lost(run(200, 300))).toBe(false);
    expect(gainOf(run(200, 300))).toBeCloseTo(0.25);
    expect(spreadOf(run(1, 1))).toBeCloseTo(Math.SQRT2 / 2);
    expect(spreadOf({ ...run(1, 1), gradientNorms: [0, 0] })).toBeNull();
  });

  test('is a race that the trainer takes, and a link can ask for', () => {
    for (const own of plansOf(RECORDED_SIZE)) {
      const settings = raceOf(own, RECORDED_SIZE);
      expect(parseTraining(settings)).toEqual(settings);
      expect(settings.racers).toMatchObject([{ routing: ARMS[own.arm].routing }]);
    }
  });

  test('is the same in a race of its own and beside the others of its seed', () => {
    const size = liveSize(2, 16, 4e-4);
    const together = racesOf(size).flatMap(({ plans, settings }) =>
      plans.map((own, i) => [runKey(own), { ...settings, racers: [settings.racers[i]] }]),
    );
    const alone = plansOf(size).map((own) => [runKey(own), raceOf(own, size)]);
    expect(Object.fromEntries(together)).toEqual(Object.fromEntries(alone));
  });

  test('keeps what its steps said, and is refused without an evaluation', () => {
    const step = (reward: number, norms: number[]) =>
      ({
        reward,
        gradientNorms: norms,
        clip: { trl: 0.2, verl: null },
        heldOut: { correct: 9, prompts: 10, interval: [0, 1] },
        heldOutBefore: { correct: 5, prompts: 10, interval: [0, 1] },
        seconds: { sampling: 1, scoring: 1, gradient: 1, update: 0, evaluation: 0 },
      }) as unknown as StepReport;
    const found = runOf(plan, [step(0.5, [1, 2]), step(0.75, [3])]);
    expect(found).toMatchObject({
      before: { correct: 5 },
      after: { correct: 9 },
      reward: [0.5, 0.75],
      gradientNorms: [1, 2, 3],
      clip: 0.2,
      seconds: 6,
    });
    expect(rewardCurve([found, { ...found, reward: [1] }])).toEqual([0.75, 0.75]);
    expect(() => runOf(plan, [])).toThrow(/was not evaluated/);
  });
});

describe('the study that ships', () => {
  const shipped = v.parse(
    studySchema,
    JSON.parse(readFileSync(new URL('../../../docs/stability.json', import.meta.url), 'utf8')),
  );

  test('has every run of the design, once', () => {
    expect(shipped.runs.map(runKey)).toEqual(plansOf(RECORDED_SIZE).map(runKey));
    expect(shipped.size).toMatchObject({ steps: RECORDED_SIZE.steps });
    for (const { reward } of shipped.runs) expect(reward).toHaveLength(RECORDED_SIZE.steps);
  });

  test('starts of one policy and seed are the same', () => {
    const starts = new Map<string, number>();
    for (const { arm, before } of shipped.runs) {
      const key = ARMS[arm].kind;
      expect(before.correct, key).toBe(starts.get(key) ?? before.correct);
      starts.set(key, before.correct);
    }
  });
});
