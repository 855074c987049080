/**
 * Runs a race of `races.ts` in Node: progress and ETA to the terminal, its state under
 * `.cache/models/NAME/` (the same command resumes from there), checkpoints and curves into the
 * policy's folder.
 */
import { existsSync } from 'node:fs';
import { appendFile, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { nodeTraining } from '../../scripts/node/training';
import type { TrainingSettings } from '../../src/settings/training';
import { readSafetensors, writeSafetensors } from '../../src/policy/safetensors';
import { writeCheckpoint } from '../../src/training/checkpoint';
import { Race, type RaceSnapshot } from '../../src/training/race';
import type { StepReport } from '../../src/training/report';
import type { RaceRecipe } from './races';

const SNAPSHOT_EVERY = 5;

export interface CurveRow extends StepReport {
  racer: number;
}

const statePath = (cache: string, racer: number) => `${cache}/racer-${racer}.safetensors`;

async function saveState(cache: string, { racers }: RaceSnapshot): Promise<void> {
  for (const [i, { step, updates, tensors }] of racers.entries()) {
    const bytes = writeSafetensors(tensors, { step: String(step), updates: String(updates) });
    await writeFile(`${statePath(cache, i)}.part`, bytes);
    await rename(`${statePath(cache, i)}.part`, statePath(cache, i));
  }
}

async function readState(cache: string, settings: TrainingSettings): Promise<RaceSnapshot | null> {
  const paths = settings.racers.map((_, i) => statePath(cache, i));
  if (!paths.every((path) => existsSync(path))) return null;
  const racers: RaceSnapshot['racers'] = [];
  for (const path of paths) {
    const { weights, metadata } = readSafetensors(await readFile(path), path);
    const number = (key: string) => Number(metadata.get(key));
    racers.push({ step: number('step'), updates: number('updates'), tensors: weights });
  }
  return { settings, racers };
}

const percent = (x: number) => `${(100 * x).toFixed(1)} %`;

function line(name: string, r: StepReport, eta: number | null): string {
  const parts = [
    `${name} step ${r.step}`,
    `reward ${percent(r.reward)}`,
    r.heldOut ? `held-out ${percent(r.heldOut.correct / r.heldOut.prompts)}` : '',
    `clip ${r.clip.trl === null ? '-' : percent(r.clip.trl)}`,
    `sd log s ${Math.sqrt(r.weights.variance).toExponential(1)}`,
    `entropy ${r.entropy.toFixed(3)}`,
    `|g| ${r.gradientNorm.toFixed(2)}`,
    `${Object.values(r.seconds)
      .reduce((a, b) => a + b, 0)
      .toFixed(1)} s`,
    eta === null ? '' : `ETA ${Math.ceil(eta / 60)} min`,
  ];
  return parts.filter((part) => part !== '').join('  ');
}

/** @param folder of the policy, with its closing slash; @param cache where states and curves grow */
export async function runRace(recipe: RaceRecipe, folder: string, cache: string): Promise<void> {
  const { settings, series } = recipe;
  await mkdir(`${folder}checkpoints`, { recursive: true });
  await mkdir(`${folder}training`, { recursive: true });
  await mkdir(cache, { recursive: true });
  const context = await nodeTraining(settings.policy);
  const start = await context.host.checkpoint(settings.start);
  const saved = await readState(cache, settings);
  const log = `${cache}/steps.jsonl`;
  if (saved === null) await rm(log, { force: true });

  let eta: number | null = null;
  let pending = Promise.resolve();
  await new Promise<void>((finish, fail) => {
    const race = new Race(
      context,
      settings,
      start,
      {
        progress: (progress) => {
          eta = progress.etaSeconds;
          if (progress.phase === 'finished') finish();
        },
        step: (racer, report) => {
          console.log(line(series[racer] ?? String(racer), report, eta));
          const weights = race.weights(racer);
          pending = pending.then(async () => {
            await appendFile(log, `${JSON.stringify({ racer, ...report } satisfies CurveRow)}\n`);
            if (!recipe.checkpoints.includes(report.step)) return;
            const file = `${series[racer]}-${String(report.step).padStart(5, '0')}.safetensors`;
            const bytes = writeCheckpoint(await weights, { settings, racer, step: report.step });
            await writeFile(`${folder}checkpoints/${file}`, bytes);
            console.log(`kept ${file}`);
          });
          pending.catch(fail);
        },
        snapshot: (snapshot) => {
          pending = pending.then(() => saveState(cache, snapshot));
          pending.catch(fail);
        },
        failed: (message) => fail(new Error(message)),
      },
      SNAPSHOT_EVERY,
    );
    const begin = async () => {
      if (saved !== null) await race.restore(saved);
      race.start();
    };
    begin().catch(fail);
  });
  await pending;
  await writeCurves(log, recipe, folder);
}

/** Of steps that were taken again after a resume, the last counts. */
async function writeCurves(log: string, recipe: RaceRecipe, folder: string): Promise<void> {
  const rows = new Map<string, CurveRow>();
  for (const text of (await readFile(log, 'utf8')).split('\n')) {
    if (text === '') continue;
    const row = JSON.parse(text) as CurveRow;
    rows.set(`${row.racer} ${row.step}`, row);
  }
  for (const [i, name] of recipe.series.entries()) {
    const steps = [...rows.values()].filter(({ racer }) => racer === i);
    steps.sort((a, b) => a.step - b.step);
    const curves = { settings: recipe.settings, racer: i, steps };
    await writeFile(`${folder}training/${name}.json`, `${JSON.stringify(curves)}\n`);
  }
}
