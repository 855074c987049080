/**
 * `npm run models:train -- NAME`: trains a policy from scratch in headless Chromium.
 *
 * Progress and ETA go to the terminal; the whole training state is kept under `.cache/models/NAME/`
 * every 100 steps, and the same command resumes from there. Checkpoints land in
 * `models/NAME/checkpoints/`. Exit status 1 with a sentence when it could not.
 */
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'vite';
import { chromium } from '@playwright/test';
import { CHROMIUM_FLAGS, systemChromium } from '../../scripts/chromium';
import { initialWeights, parameterCount } from './architecture';
import { writeOnnx } from './onnx-author';
import type { StartTraining, TrainingEvent } from './page/protocol';
import { RECIPES } from './recipes';

const ROOT = new URL('../..', import.meta.url).pathname;

function clock(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  return `${minutes}:${String(Math.round(seconds % 60)).padStart(2, '0')}`;
}

async function main(): Promise<void> {
  const name = process.argv[2] ?? '';
  const recipe = Object.hasOwn(RECIPES, name) ? RECIPES[name] : undefined;
  if (!recipe) {
    throw new Error(`no recipe "${name}". Known: ${Object.keys(RECIPES).join(', ')}`);
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

  const server = await createServer({
    root: ROOT,
    configFile: false,
    cacheDir: `${ROOT}.cache/vite-models`,
    logLevel: 'warn',
    optimizeDeps: { entries: ['models/build/page/worker.ts'] },
    server: {
      port: 0,
      host: '127.0.0.1',
      hmr: false,
      watch: null,
      // wasm threads need SharedArrayBuffer, which needs cross-origin isolation
      headers: {
        'Cross-Origin-Opener-Policy': 'same-origin',
        'Cross-Origin-Embedder-Policy': 'require-corp',
      },
    },
  });
  await server.listen();
  const address = server.resolvedUrls?.local[0];
  const executablePath = systemChromium();
  const browser = await chromium.launch({
    args: CHROMIUM_FLAGS,
    ...(executablePath ? { executablePath } : {}),
  });

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

  try {
    const page = await browser.newPage();
    page.on('console', (message) => {
      if (message.type() === 'error') console.error(`page: ${message.text()}`);
    });
    await new Promise<void>((finish, fail) => {
      page.on('crash', () => fail(new Error('the browser page crashed; run again to resume')));
      const start: StartTraining = {
        recipeName: name,
        onnx: Buffer.from(onnx).toString('base64'),
        stateEvery: 100,
        ...(resume ? { resume: resume.toString('base64') } : {}),
      };
      page
        .exposeFunction('trainingEvent', (event: TrainingEvent) => {
          pending = pending.then(() => handle(event, finish, fail)).catch(fail);
          return pending;
        })
        .then(() => page.goto(`${address}models/build/page/index.html`))
        .then(() => page.waitForFunction(() => 'startTraining' in window))
        .then(() => page.evaluate((s) => window.startTraining(s), start))
        .catch(fail);
    });
    console.log('Training finished. Next: npm run models:card -- ' + name);
  } finally {
    await browser.close();
    await server.close();
  }
}

main().catch((error: unknown) => {
  console.error(`models:train failed: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
});
