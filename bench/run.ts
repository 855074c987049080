/**
 * `npm run bench [-- --provider webgpu|wasm] [--rounds N] [--only peers|foreign|kernel|import|training|visit|long] [--json FILE]
 * [--against COMMIT]`: side-by-side figures, each contest in one browser page; the visit, site against site.
 * Absolute speeds depend on the machine; the ratios are what is meant to be quoted.
 */
import { parseArgs } from 'node:util';
import type { Page } from '@playwright/test';
import { withPage } from '../scripts/page';
import { benchImport } from './import';
import { benchLongRun } from './long-run';
import type { ForeignOptions } from './foreign';
import { writeSmol } from './foreign-model';
import type { Contest, PeerOptions } from './peers';
import type { TrainingFigures, TrainingOptions } from './training';
import { BASELINE, benchVisit } from './visit';
import { writeFile } from 'node:fs/promises';
import { message } from '../src/message';

const CONTESTS = ['peers', 'foreign', 'kernel', 'import', 'training', 'visit', 'long'] as const;
const PROVIDERS = ['wasm', 'webgpu'] as const;

/** Where the dev server finds it. */
const FOREIGN_MODELS = new URL('../.cache/bench-models/', import.meta.url).pathname;

/** Every contest's rounds, for `--json`. */
const told: Record<string, unknown> = {};

function spread(values: readonly number[]): string {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (p: number) => sorted[Math.round(p * (sorted.length - 1))];
  return `${at(0.5).toPrecision(3)} (${at(0).toPrecision(3)} to ${at(1).toPrecision(3)})`;
}

/** A software adapter is slower by two orders; it gets a smaller job so that the bench ends. */
function peerOptions(provider: 'webgpu' | 'wasm', software: boolean, rounds: number): PeerOptions {
  const small = provider === 'webgpu' && software;
  return {
    provider,
    rounds: small ? Math.min(2, rounds) : rounds,
    batch: 32,
    group: small ? 2 : 8,
    maxLength: small ? 12 : 180,
    minOperators: 1,
    maxOperators: small ? 3 : 9,
  };
}

async function comparePeers(page: Page, options: PeerOptions): Promise<void> {
  console.log(
    `\nOurs against Transformers.js, provider ${options.provider}, ${options.rounds} rounds`,
  );
  const { contests } = await page.evaluate((o) => window.benches.peers(o), options);
  tell(`peers ${options.provider}`, contests);
}

/** On a model of SmolLM2-135M's size; a software adapter would take hours for it. */
async function compareForeign(page: Page, options: ForeignOptions): Promise<void> {
  const { provider, rounds, batch, prompt, response } = options;
  console.log(
    `\nA model of SmolLM2-135M's size (30 layers, 49,152 tokens, 4 bits), provider ${provider}, ` +
      `${batch} rows of ${prompt} + ${response} tokens, ${rounds} rounds`,
  );
  tell(`foreign ${provider}`, await page.evaluate((o) => window.benches.foreign(o), options));
}

function tell(what: string, contests: readonly Contest[]): void {
  told[what] = contests;
  for (const { what, ours, theirs } of contests) {
    const ratios = ours.map((x, i) => x / theirs[i]);
    console.log(`  ${what}`);
    console.log(`    ours            ${spread(ours)} tokens/s`);
    console.log(`    Transformers.js ${spread(theirs)} tokens/s`);
    console.log(`    ratio           ${spread(ratios)}`);
  }
}

function trainingOptions(
  provider: 'webgpu' | 'wasm',
  software: boolean,
  rounds: number,
): TrainingOptions {
  const small = provider === 'webgpu' && software;
  return {
    provider,
    rounds: small ? 2 : rounds,
    prompts: small ? 2 : 4,
    groupSize: 8,
    maxOperators: small ? 3 : 9,
  };
}

async function trainingStep(page: Page, options: TrainingOptions): Promise<void> {
  const { provider, prompts, groupSize, rounds } = options;
  console.log(
    `\nTraining on ${provider}, steps of ${prompts} x ${groupSize} responses, ${rounds} rounds`,
  );
  let figures: TrainingFigures;
  try {
    figures = await page.evaluate((o) => window.benches.training(o), options);
  } catch (error) {
    // Not every driver compiles jax-js's kernels; the other contests have their say all the same.
    console.log(`  could not: ${error instanceof Error ? error.message.split('\n')[0] : error}`);
    return;
  }
  told[`training ${provider}`] = figures;
  const { steps, forward, gradient } = figures;
  const perUpdate = steps.map(
    ({ seconds: { sampling, scoring, gradient: g, update }, updates }) =>
      (sampling + scoring + g + update) / updates,
  );
  console.log(`  seconds per update        ${spread(perUpdate)}`);
  for (const part of ['sampling', 'scoring', 'gradient', 'update'] as const) {
    const times = steps.map(({ seconds, updates }) => seconds[part] / updates);
    console.log(`    ${part.padEnd(23)} ${spread(times)}`);
  }
  const rate = steps.map(({ seconds, tokens }) => tokens / seconds.gradient);
  console.log(`  gradient                  ${spread(rate)} response tokens/s`);
  console.log(`  jax-js forward, 4 x 64    ${spread(forward)} s`);
  console.log(`  jax-js gradient, 4 x 64   ${spread(gradient)} s`);
  const ratios = gradient.map((g, i) => g / forward[i]);
  console.log(`  gradient over forward     ${spread(ratios)}`);
}

/** Import of a million tokens is to take less than this many times what parsing the file takes. */
const IMPORT_LIMIT = 2;

async function compareImport(rounds: number): Promise<void> {
  const options = { responses: 4000, tokensPerResponse: 250, rounds };
  const { bytes, rounds: measured } = await benchImport(options);
  told['import'] = measured;
  const tokens = options.responses * options.tokensPerResponse;
  console.log(
    `\nImport of ${tokens.toLocaleString('en-US')} tokens, JSONL of ${(bytes / 2 ** 20).toFixed(1)} MiB, ${rounds} rounds`,
  );
  console.log(`  read and JSON.parse alone  ${spread(measured.map(({ parse }) => parse))} s`);
  console.log(`  until the health report    ${spread(measured.map(({ report }) => report))} s`);
  console.log(`  until the first charts     ${spread(measured.map(({ charts }) => charts))} s`);
  const ratios = measured.map(({ parse, charts }) => charts / parse);
  console.log(`  charts over parse          ${spread(ratios)}, to stay under ${IMPORT_LIMIT}`);
}

async function compareVisits(rounds: number, commit: string): Promise<void> {
  console.log(`\nThe default visit, 512 responses, against ${commit}, ${rounds} rounds`);
  const measured = await benchVisit(rounds, commit);
  told['visit'] = measured;
  for (const [what, of] of [
    ['first figure', 'first'],
    ['512 responses', 'whole'],
  ] as const) {
    console.log(`  ${what}`);
    console.log(`    ours            ${spread(measured.map(({ ours }) => ours[of]))} s`);
    console.log(`    ${commit.padEnd(15)} ${spread(measured.map(({ before }) => before[of]))} s`);
    const ratios = measured.map(({ ours, before }) => before[of] / ours[of]);
    console.log(`    times as fast   ${spread(ratios)}`);
  }
  const tasks = measured.map(({ ours }) => ours.longestTask);
  console.log(`  longest task on the page's thread, ours: ${spread(tasks)} ms`);
}

async function longRun(): Promise<void> {
  console.log('\nA run of 49,152 responses on WebAssembly, in Node');
  told['long'] = await benchLongRun(({ responses, each, look, resident, held }) =>
    console.log(
      `  to ${responses.toLocaleString('en-US')} responses: ${each.toPrecision(3)} ms each, a look ` +
        `${look.toPrecision(3)} ms each; ${resident.toFixed(0)} MiB, of which ${held.toFixed(0)} are held by JavaScript`,
    ),
  );
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      provider: { type: 'string' },
      rounds: { type: 'string', default: '5' },
      only: { type: 'string' },
      json: { type: 'string' },
      against: { type: 'string', default: BASELINE },
    },
  });
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new Error('--rounds takes a whole number >= 1');
  const providers = PROVIDERS.filter((each) => (values.provider ?? each) === each);
  if (providers.length === 0) throw new Error('--provider takes webgpu or wasm');
  const contests = CONTESTS.filter((each) => (values.only ?? each) === each);
  if (contests.length === 0) throw new Error(`--only takes ${CONTESTS.join(', ')}`);
  if (contests.includes('import')) await compareImport(rounds);
  if (contests.includes('visit')) await compareVisits(rounds, values.against);
  if (contests.includes('long')) await longRun();
  if (contests.some((each) => !['import', 'visit', 'long'].includes(each))) {
    await inPage(rounds, providers, contests);
  }
  if (values.json !== undefined) {
    await writeFile(values.json, `${JSON.stringify(told, null, 2)}\n`);
    console.log(`\nEvery round is in ${values.json}.`);
  }
}

async function inPage(
  rounds: number,
  providers: readonly (typeof PROVIDERS)[number][],
  contests: readonly (typeof CONTESTS)[number][],
): Promise<void> {
  await withPage('bench/page/index.html', ['bench/page/page.ts'], async (page, url) => {
    page.setDefaultTimeout(0);
    await page.goto(url);
    await page.waitForFunction(() => 'benches' in window);
    const { name, isFallbackAdapter } = await page.evaluate(() => window.benches.adapter());
    console.log(`GPU adapter: ${name}${isFallbackAdapter ? ' (software)' : ''}`);
    for (const each of contests.includes('peers') ? providers : []) {
      await comparePeers(page, peerOptions(each, isFallbackAdapter, rounds));
    }
    for (const each of contests.includes('foreign') ? providers : []) {
      if (each === 'webgpu' && isFallbackAdapter) continue;
      const name = await writeSmol(FOREIGN_MODELS);
      const size = each === 'wasm' ? { batch: 4, response: 32 } : { batch: 16, response: 128 };
      await compareForeign(page, { provider: each, rounds, name, prompt: 32, ...size });
    }
    for (const each of contests.includes('training') ? providers : []) {
      await trainingStep(page, trainingOptions(each, isFallbackAdapter, rounds));
    }
    if (!contests.includes('kernel')) return;
    const rows = isFallbackAdapter ? 32 : 1024;
    const kernel = await page.evaluate((r) => window.benches.tokenKernel({ rows: r }), rows);
    told['kernel'] = kernel;
    console.log(`\nToken kernel, ${kernel.rows} rows of ${kernel.vocabulary} logits`);
    console.log(`  ${kernel.tokenKernel.gigabytesPerSecond.toPrecision(3)} GB/s of logits read`);
    const way = kernel.subgroups ? 'by subgroups' : 'no subgroups here';
    console.log(`  ${way}; time over adding up in memory: ${kernel.ratioToTree.toPrecision(3)}`);
    console.log(`  time over copyBufferToBuffer: ${kernel.ratioToBufferCopy.toPrecision(3)}`);
    console.log(`  time over a copy kernel:      ${kernel.ratioToShaderCopy.toPrecision(3)}`);
  });
}

main().catch((error: unknown) => {
  console.error(`bench failed: ${message(error)}`);
  process.exitCode = 1;
});
