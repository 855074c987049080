/**
 * `npm run record [-- NAME ...]`: makes the recordings that the pages show before they have numbers of their own
 * (`app/recorded/NAME.json`), all or those that are named: every experiment's answer about one real run of the default
 * settings on wasm, and one of its responses. The mismatch of two engines needs a sampler, which that run does not
 * have: it is measured on the example file. Experts need a policy that has some: a run of their own.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { writeRecording, type Recorded, type RecordedName } from '../app/state/recording';
import { EXPERIMENT_IDS, type ExperimentId } from '../src/experiments/manifest';
import type { RunId } from '../src/engine/lab/protocol';
import { experimentSettings } from '../src/link/experiments';
import { pageDefaults } from '../src/link/pages';
import { DEFAULT_POLICIES, DEFAULT_SETTINGS, type RunSettings } from '../src/settings/run';
import { nodeClient } from './node/client';
import { ROOT } from './node/ort';

const EXAMPLE = 'public/example/rollouts.jsonl';

const named = process.argv.slice(2);
const wanted = (name: RecordedName) => named.length === 0 || named.includes(name);

const settings: RunSettings = { ...DEFAULT_SETTINGS, backend: 'wasm' };
const client = nodeClient();
const { backend } = await client.open('wasm');
const folder = new URL('app/recorded/', ROOT);
await mkdir(folder, { recursive: true });
const recordedAt = new Date().toISOString().slice(0, 10);

interface Source {
  run: RunId;
  settings: RunSettings | null;
  file: string | null;
  sequences: number;
}

let total = 0;
async function write<N extends RecordedName>(
  name: N,
  { settings: ran, file, sequences }: Source,
  asked: unknown,
  result: Recorded<N>,
): Promise<void> {
  const about = { recordedAt, settings: ran, file, backend, sequences };
  const text = `${writeRecording(name, { ...about, asked, result })}\n`;
  const packed = gzipSync(text).length;
  total += packed;
  await writeFile(new URL(`${name}.json`, folder), text);
  console.log(
    `${name}.json: ${(text.length / 1e3).toFixed(0)} kB, ${(packed / 1e3).toFixed(0)} kB packed`,
  );
}

async function record<K extends ExperimentId>(name: K, from: Source): Promise<void> {
  const asked = experimentSettings(name, pageDefaults(name))?.settings;
  // What the page asks with, which is what the experiment takes (`src/link/experiments.ts`).
  const result = await client.experiment(from.run, name, asked as never);
  await write<ExperimentId>(name, from, asked, result);
}

function ran(settings: RunSettings): Promise<Source> {
  return new Promise((resolve, reject) => {
    const run = client.start(settings);
    const over = client.subscribe((event) => {
      if (event.type === 'failed') reject(new Error(event.message));
      if (event.type !== 'progress' || event.run !== run) return;
      const { phase, sequences, totalSequences } = event.progress;
      console.log(`${phase}: ${sequences} of ${totalSequences} responses`);
      if (phase !== 'finished') return;
      over();
      resolve({ run, settings, file: null, sequences });
    });
  });
}

if (wanted('experts')) {
  const policy = 'arithmetic-moe';
  const { policies } = await client.open('wasm');
  const pair = policies.find(({ name }) => name === policy)?.defaultPair;
  if (pair === undefined) throw new Error(`there is no policy ${policy}`);
  await record(
    'experts',
    await ran({ ...settings, source: { ...DEFAULT_POLICIES, policy, ...pair } }),
  );
}

const OF_ONE_RUN = EXPERIMENT_IDS.filter((name) => name !== 'mismatch' && name !== 'experts');
if (OF_ONE_RUN.some(wanted) || wanted('response')) {
  const policies = await ran(settings);
  for (const name of OF_ONE_RUN) if (wanted(name)) await record(name, policies);
  if (wanted('response')) await recordResponse(policies);
}

async function recordResponse(policies: Source): Promise<void> {
  // The one whose length is nearest to the mean: neither a short answer nor the longest.
  const { sequences: listed } = await client.sequences(policies.run, {
    low: -Infinity,
    high: Infinity,
    limit: policies.sequences,
  });
  const mean = listed.reduce((sum, { length }) => sum + length, 0) / listed.length;
  const [typical] = listed.toSorted(
    (a, b) => Math.abs(a.length - mean) - Math.abs(b.length - mean),
  );
  if (typical === undefined) throw new Error('the run has no responses');
  await write('response', policies, null, await client.sequence(policies.run, typical.index));
}

if (wanted('mismatch')) {
  const name = 'rollouts.jsonl';
  const blob = new Blob([await readFile(new URL(EXAMPLE, ROOT))]);
  const { run, outcome } = client.importFiles([{ name, blob }], {
    onBad: 'stop',
    rule: 'trl',
    recompute: false,
  });
  const read = await outcome;
  if (read.status !== 'read') throw new Error(`${EXAMPLE} could not be read`);
  await record('mismatch', {
    run,
    settings: null,
    file: EXAMPLE,
    sequences: read.report.sequences,
  });
}
console.log(`all: ${(total / 1e3).toFixed(0)} kB packed`);
process.exit(0);
