/**
 * `npm run reproduce [-- --json FILE] [--quick] [--backend webgpu|wasm] [--seed N]`: the Reproduce page
 * without a screen. wasm runs in Node, webgpu in headless Chromium. Prints the ledger. Exit status 0 when it ran (verdicts are results, not errors),
 * 2 with a sentence when it could not.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import {
  reproduce,
  type Ledger,
  type ReproduceOptions,
  type ReproduceProgress,
} from '../src/engine/reproduce';
import { BACKENDS } from '../src/link/settings';
import { nodeClient } from './node/client';
import { ROOT } from './node/ort';
import { withPage } from './page';

const digits = (x: number) => (x === 0 ? '0' : x.toPrecision(4));

function printLedger({ claims, backend, adapter, seed }: Ledger): void {
  let pair = '';
  for (const c of claims) {
    if (c.pair !== pair) console.log(`\n${(pair = c.pair)} pair`);
    const measured = c.measured === null ? 'not a number' : digits(c.measured);
    const interval = c.interval ? ` [${c.interval.map(digits).join(', ')}]` : '';
    const prediction = c.prediction === null ? '' : `predicted ${digits(c.prediction)}, `;
    console.log(`  ${c.verdict.padEnd(8)} ${c.id}`);
    console.log(`           ${c.claim}`);
    console.log(`           ${prediction}measured ${measured}${interval}, n = ${c.n} ${c.nOf}`);
  }
  console.log(`\nbackend ${backend}; adapter ${adapter}; seed ${seed}`);
}

let shown = 0;
/** On standard error, so that the ledger can be piped. */
function showProgress({ fraction, etaSeconds, what }: ReproduceProgress): void {
  if (Date.now() - shown < 5000) return;
  shown = Date.now();
  const eta = etaSeconds === null ? '' : `, about ${Math.round(etaSeconds)} s left`;
  console.error(`${(100 * fraction).toFixed(0).padStart(3)} %  ${what}${eta}`);
}

function inNode(options: ReproduceOptions): Promise<Ledger> {
  const hooks = { progress: showProgress, claim: () => undefined };
  return reproduce(nodeClient(), options, hooks);
}

function inBrowser(options: ReproduceOptions): Promise<Ledger> {
  const entry = 'scripts/reproduce-page/page.ts';
  return withPage('scripts/reproduce-page/index.html', [entry], async (page, url) => {
    page.setDefaultTimeout(0);
    await page.exposeFunction('reproduceProgress', showProgress);
    await page.goto(url);
    await page.waitForFunction(() => 'reproduceHere' in window);
    return page.evaluate((o) => window.reproduceHere(o), options);
  });
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      json: { type: 'string' },
      quick: { type: 'boolean', default: false },
      backend: { type: 'string', default: 'wasm' },
      seed: { type: 'string', default: '1' },
    },
  });
  const backend = BACKENDS.find((name) => name === values.backend);
  if (!backend) throw new Error(`--backend takes ${BACKENDS.join(', ')}, not "${values.backend}"`);
  const seed = Number(values.seed);
  if (!Number.isInteger(seed) || seed < 0 || seed > 2 ** 32 - 1) {
    throw new Error('--seed takes a whole number from 0 to 4294967295');
  }
  const { version } = JSON.parse(await readFile(new URL('package.json', ROOT), 'utf8')) as {
    version: string;
  };
  const options = { app: version, seed, backend, quick: values.quick };
  const ledger = await (backend === 'wasm' ? inNode(options) : inBrowser(options));
  printLedger(ledger);
  if (values.json) await writeFile(values.json, `${JSON.stringify(ledger, null, 2)}\n`);
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(`reproduce: ${error instanceof Error ? error.message : String(error)}`);
    process.exit(2);
  },
);
