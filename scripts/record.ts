/**
 * `npm run record`: makes the recorded run that the page shows before anything is loaded, from a real
 * run of the default settings on wasm. Writes `public/recorded/equivalence.json`.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { DEFAULT_SETTINGS, type RunSettings } from '../src/settings/run';
import { nodeClient } from './node/client';
import { ROOT } from './node/ort';

const settings: RunSettings = { ...DEFAULT_SETTINGS, backend: 'wasm' };
const client = nodeClient();
const { backend } = await client.open('wasm');
const run = await new Promise<number>((resolve, reject) => {
  const id = client.start(settings);
  client.subscribe((event) => {
    if (event.type === 'failed') reject(new Error(event.message));
    if (event.type !== 'progress') return;
    const { phase, sequences, totalSequences } = event.progress;
    console.log(`${phase}: ${sequences} of ${totalSequences} responses`);
    if (phase === 'finished') resolve(id);
  });
});
const result = await client.experiment(run, 'equivalence', { bins: 48 });
/** Nine digits are more than the pixels of a recorded picture can show. */
const short = (value: number) => (Number.isFinite(value) ? Number(value.toPrecision(9)) : null);
const plain = (_: string, value: unknown) => {
  if (value instanceof Uint32Array || value instanceof Float64Array) return Array.from(value);
  return typeof value === 'number' ? short(value) : value;
};
const folder = new URL('public/recorded/', ROOT);
await mkdir(folder, { recursive: true });
const recordedAt = new Date().toISOString().slice(0, 10);
const text = JSON.stringify({ recordedAt, settings, backend, result }, plain);
await writeFile(new URL('equivalence.json', folder), `${text}\n`);
console.log(`public/recorded/equivalence.json: ${(text.length / 1024).toFixed(0)} kB`);
process.exit(0);
