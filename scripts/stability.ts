/**
 * `npm run stability`: trains the runs of the stability study (`src/experiments/stability/study.ts`) in Node and writes
 * `docs/stability.json`. Contract: finished runs are kept under `.cache/stability.jsonl`; the same command goes
 * on with those that are missing, and writes the file with whatever is there.
 */
import { existsSync } from 'node:fs';
import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import * as v from 'valibot';
import {
  plansOf,
  POLICY_KINDS,
  ARMS,
  raceOf,
  RECORDED_SIZE,
  runKey,
  runOf,
  runSchema,
  type RunPlan,
  type Study,
  type StudyRun,
} from '../src/experiments/stability/study';
import { Racer, type TrainingContext } from '../src/training/racer';
import { appVersion } from './command';
import { nodeTraining } from './node/training';

const ROOT = new URL('../', import.meta.url);
const CACHE = new URL('.cache/', ROOT);
const LOG = new URL('stability.jsonl', CACHE);
const OUT = new URL('docs/stability.json', ROOT);

async function finished(): Promise<StudyRun[]> {
  if (!existsSync(LOG)) return [];
  const lines = (await readFile(LOG, 'utf8')).split('\n').filter((line) => line !== '');
  return lines.map((line) => v.parse(runSchema, JSON.parse(line)));
}

const contexts = new Map<string, Promise<TrainingContext>>();
function contextOf({ arm }: RunPlan): Promise<TrainingContext> {
  const { policy } = POLICY_KINDS[ARMS[arm].kind];
  const known = contexts.get(policy) ?? nodeTraining(policy);
  contexts.set(policy, known);
  return known;
}

async function train(plan: RunPlan): Promise<StudyRun> {
  const context = await contextOf(plan);
  const settings = raceOf(plan, RECORDED_SIZE);
  const [own] = settings.racers;
  const start = await context.host.checkpoint(settings.start);
  const racer = new Racer(context, settings, own, start, { heldOut: null });
  const hooks = { signal: new AbortController().signal, onPhase: () => undefined };
  const reports = [];
  for (let step = 0; step < settings.steps; step++) {
    reports.push((await racer.step(hooks)).report);
  }
  racer.dispose();
  return runOf(plan, reports);
}

const runs = await finished();
const done = new Set(runs.map(runKey));
const missing = plansOf(RECORDED_SIZE).filter((plan) => !done.has(runKey(plan)));
await mkdir(CACHE, { recursive: true });
const began = performance.now();
for (const [i, plan] of missing.entries()) {
  const run = await train(plan);
  runs.push(run);
  await appendFile(LOG, `${JSON.stringify(run)}\n`);
  const each = (performance.now() - began) / 1000 / (i + 1);
  const left = Math.ceil((each * (missing.length - i - 1)) / 60);
  console.log(
    `${runKey(plan)}: ${run.before.correct} -> ${run.after.correct} of ${run.after.prompts} right, ` +
      `${(100 * run.clip).toFixed(2)} % clipped, ${run.seconds.toFixed(0)} s; ${left} min to go`,
  );
}
const order = new Map(plansOf(RECORDED_SIZE).map((plan, i) => [runKey(plan), i]));
const study: Study = {
  recordedAt: new Date().toISOString().slice(0, 10),
  app: await appVersion(),
  size: {
    seeds: [...RECORDED_SIZE.seeds],
    learningRates: [...RECORDED_SIZE.learningRates],
    steps: RECORDED_SIZE.steps,
    evaluatePrompts: RECORDED_SIZE.evaluatePrompts,
  },
  runs: runs
    .filter((run) => order.has(runKey(run)))
    .sort((a, b) => (order.get(runKey(a)) as number) - (order.get(runKey(b)) as number)),
};
await writeFile(OUT, `${JSON.stringify(study)}\n`);
console.log(`${study.runs.length} runs in docs/stability.json`);
process.exit(0);
