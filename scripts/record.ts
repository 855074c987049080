/**
 * `npm run record`: makes the recordings that the pages show before they have numbers of their own
 * (`app/recorded/NAME.json`): every experiment's answer about one real run of the default settings on wasm, and one
 * of its responses. The mismatch of two engines needs a sampler, which that run does not have: it is measured on
 * the example file.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { writeRecording, type Recorded, type RecordedName } from '../app/state/recording';
import { EXPERIMENT_IDS, type ExperimentId } from '../src/experiments/manifest';
import type { RunId } from '../src/engine/lab/protocol';
import { experimentSettings } from '../src/link/experiments';
import { pageDefaults } from '../src/link/pages';
import { DEFAULT_SETTINGS, type RunSettings } from '../src/settings/run';
import { nodeClient } from './node/client';
import { ROOT } from './node/ort';

const EXAMPLE = 'public/example/rollouts.jsonl';

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

const policies = await new Promise<Source>((resolve, reject) => {
  const run = client.start(settings);
  client.subscribe((event) => {
    if (event.type === 'failed') reject(new Error(event.message));
    if (event.type !== 'progress') return;
    const { phase, sequences, totalSequences } = event.progress;
    console.log(`${phase}: ${sequences} of ${totalSequences} responses`);
    if (phase === 'finished') resolve({ run, settings, file: null, sequences });
  });
});

for (const name of EXPERIMENT_IDS) if (name !== 'mismatch') await record(name, policies);

// The one whose length is nearest to the mean: neither a short answer nor the longest.
const { sequences: listed } = await client.sequences(policies.run, {
  low: -Infinity,
  high: Infinity,
  limit: policies.sequences,
});
const mean = listed.reduce((sum, { length }) => sum + length, 0) / listed.length;
const [typical] = listed.toSorted((a, b) => Math.abs(a.length - mean) - Math.abs(b.length - mean));
if (typical === undefined) throw new Error('the run has no responses');
await write('response', policies, null, await client.sequence(policies.run, typical.index));

const name = 'rollouts.jsonl';
const blob = new Blob([await readFile(new URL(EXAMPLE, ROOT))]);
const { run, outcome } = client.importFiles([{ name, blob }], {
  onBad: 'stop',
  rule: 'trl',
  recompute: false,
});
const read = await outcome;
if (read.status !== 'read') throw new Error(`${EXAMPLE} could not be read`);
await record('mismatch', { run, settings: null, file: EXAMPLE, sequences: read.report.sequences });
console.log(`all: ${(total / 1e3).toFixed(0)} kB packed`);
process.exit(0);
