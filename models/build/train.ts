/**
 * `npm run models:train -- NAME`: trains a policy from scratch in headless Chromium, or, where NAME is a
 * race of `races.ts`, goes on from a shipped checkpoint by reinforcement learning in Node.
 *
 * Progress and ETA go to the terminal; the whole training state is kept under `.cache/models/NAME/`
 * every 100 steps, and the same command resumes from there. Checkpoints land in
 * `models/NAME/checkpoints/`. Exit status 1 with a sentence when it could not.
 */
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { withPage } from '../../scripts/page';
import { initialWeights, parameterCount } from './architecture';
import { writeOnnx } from './onnx-author';
import type { StartTraining, TrainingEvent } from './page/protocol';
import { runRace } from './race';
import { RACES } from './races';
import { RECIPES } from './recipes';

const ROOT = new URL('../..', import.meta.url).pathname;

function clock(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  return `${minutes}:${String(Math.round(seconds % 60)).padStart(2, '0')}`;
}

async function main(): Promise<void> {
  const name = process.argv[2] ?? '';
  const race = Object.hasOwn(RACES, name) ? RACES[name] : undefined;
  if (race) {
    await runRace(race, `${ROOT}models/${race.settings.policy}/`, `${ROOT}.cache/models/${name}`);
    console.log(`Training finished. Next: npm run models:card -- ${race.settings.policy}`);
    return;
  }
  const recipe = Object.hasOwn(RECIPES, name) ? RECIPES[name] : undefined;
  if (!recipe) {
    const known = [...Object.keys(RECIPES), ...Object.keys(RACES)].join(', ');
    throw new Error(`no recipe "${name}". Known: ${known}`);
  }
  const cache = `${ROOT}.cache/models/${name}`;
  const folder = `${ROOT}models/${name}`;
  await mkdir(cache, { recursive: true });
  await mkdir(`${folder}/checkpoints`, { recursive: true });
  await mkdir(`${folder}/onnx`, { recursive: true });

  const { architecture } = recipe;
  const onnx = writeOnnx(architecture, initialWeights(architecture, recipe.seed));
  const statePath = `${cache}/state.safetensors`;
  const resume = existsSync(statePath) ? await readFile(statePath) : undefined;
  console.log(
    `${name}: ${parameterCount(architecture).toLocaleString('en')} parameters, ${recipe.steps} steps of ` +
      `${recipe.batch * recipe.rowLength} tokens, seed ${recipe.seed}` +
      (resume ? '; resuming from the saved state' : ''),
  );

  let first: { at: number; step: number } | undefined;
  let pending = Promise.resolve();
  const handle = async (event: TrainingEvent, finish: () => void, fail: (e: Error) => void) => {
    switch (event.type) {
      case 'progress': {
        const now = Date.now() / 1000;
        first ??= { at: now, step: event.step };
        const done = event.step - first.step;
        const eta = done > 0 ? ((now - first.at) / done) * (recipe.steps - event.step) : Number.NaN;
        console.log(
          `step ${event.step}/${recipe.steps}  loss ${event.loss.toFixed(4)} nats/token  ` +
            `|g| ${event.gradientNorm.toFixed(2)}  ${event.seconds.toFixed(2)} s/step  ` +
            `ETA ${Number.isNaN(eta) ? '...' : clock(eta)}`,
        );
        return;
      }
      case 'state':
        await writeFile(statePath, Buffer.from(event.bytes, 'base64'));
        return;
      case 'checkpoint': {
        const file = `step-${String(event.step).padStart(5, '0')}.safetensors`;
        await writeFile(`${folder}/checkpoints/${file}`, Buffer.from(event.bytes, 'base64'));
        console.log(`kept ${file}`);
        return;
      }
      case 'done':
        return finish();
      case 'failed':
        return fail(new Error(event.message));
    }
  };

  const start: StartTraining = {
    recipeName: name,
    onnx: Buffer.from(onnx).toString('base64'),
    stateEvery: 100,
    ...(resume ? { resume: resume.toString('base64') } : {}),
  };
  const worker = 'models/build/page/worker.ts';
  await withPage('models/build/page/index.html', [worker], async (page, url) => {
    await new Promise<void>((finish, fail) => {
      page.on('crash', () => fail(new Error('the browser page crashed; run again to resume')));
      page
        .exposeFunction('trainingEvent', (event: TrainingEvent) => {
          pending = pending.then(() => handle(event, finish, fail)).catch(fail);
          return pending;
        })
        .then(() => page.goto(url))
        .then(() => page.waitForFunction(() => 'startTraining' in window))
        .then(() => page.evaluate((s) => window.startTraining(s), start))
        .catch(fail);
    });
  });
  console.log(`Training finished. Next: npm run models:card -- ${name}`);
}

main().catch((error: unknown) => {
  console.error(`models:train failed: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
});
