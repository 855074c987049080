/**
 * `npm run reproduce`, the Reproduce page without a screen; options as in `USAGE`. wasm (the default) runs
 * in Node, webgpu in headless Chromium, on a software adapter where there is no GPU. Prints the ledger;
 * progress goes to standard error.
 *
 * Contract: exit status 0 when it ran (verdicts are results, not errors), 2 with a sentence when it could
 * not. The JSON is a `Ledger`: what `prediction`, `measured` or `interval` cannot say is null.
 */
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { EngineClient } from '../src/engine/lab/client';
import {
  reproduce,
  type Ledger,
  type ReproduceOptions,
  type ReproduceProgress,
} from '../src/engine/headless/reproduce';
import { pageSettings } from '../src/link/pages';
import type { Setting } from '../src/settings/setting';
import {
  appVersion,
  checkWritable,
  claimLines,
  CommandError,
  flagValue,
  inBrowser,
  ProgressLines,
  readBackend,
  withClient,
} from './command';
import { ledgerMarkdown } from './ledger-markdown';
import { nodeClient } from './node/client';
import { message } from '../src/message';

const USAGE =
  'usage: npm run reproduce -- [--json FILE] [--markdown FILE] [--quick] [--pair ID] [--backend webgpu|wasm] [--seed N]';

const SEED = pageSettings('reproduce').get('ledgerSeed') as Setting<number>;

interface Command {
  quick: boolean;
  pair: string | null;
  backend: 'webgpu' | 'wasm';
  seed: number;
  json: string | undefined;
  markdown: string | undefined;
}

function readCommand(argv: string[]): Command {
  let values;
  try {
    ({ values } = parseArgs({
      args: argv,
      options: {
        json: { type: 'string' },
        markdown: { type: 'string' },
        quick: { type: 'boolean', default: false },
        pair: { type: 'string' },
        backend: { type: 'string', default: 'wasm' },
        seed: { type: 'string' },
      },
    }));
  } catch (error) {
    throw new CommandError(`${message(error)}\n${USAGE}`);
  }
  const { quick, json, markdown } = values;
  const backend = readBackend(values.backend);
  const seed = flagValue('--seed', SEED, values.seed);
  return { quick, pair: values.pair ?? null, backend, seed, json, markdown };
}

/** @param seconds that a pair has taken on average */
function printLedger(ledger: Ledger, seconds: number, print: (line: string) => void): void {
  for (const pair of ledger.pairs) {
    print(`${pair.title} (${pair.id}): ${pair.policy}, ${pair.old} -> ${pair.new}`);
    for (const claim of ledger.claims.filter((own) => own.pair === pair.id)) {
      claimLines(claim, claim.recorded ? null : seconds).forEach(print);
    }
    print('');
  }
  for (const { name, sha256 } of ledger.policies) print(`sha256 ${sha256}  ${name}`);
  const { app, seed, size, prompts, groupSize, maxOperators } = ledger;
  const { backend, kernels, adapter } = ledger;
  print(
    `GSPO Lab ${app}, seed ${seed}, ${size}: ${prompts} prompts of up to ${maxOperators} operators x ` +
      `${groupSize} responses a pair`,
  );
  print(`policy on ${backend}, kernels on ${kernels}, adapter: ${adapter}`);
}

function progressTo(complain: (line: string) => void): (progress: ReproduceProgress) => void {
  const lines = new ProgressLines(complain);
  return ({ fraction, etaSeconds, what }) => {
    const share = (100 * fraction).toFixed(0).padStart(3);
    lines.say(what.replace(/, \d+ of \d+$/, ''), `${share} %  ${what}`, etaSeconds);
  };
}

/**
 * @param createClient of the engine in Node
 * @returns exit status
 */
export async function main(
  argv: string[],
  print: (line: string) => void,
  complain: (line: string) => void,
  createClient: () => EngineClient = nodeClient,
): Promise<0 | 2> {
  try {
    const { json, markdown, backend, quick, pair, seed } = readCommand(argv);
    if (json !== undefined) await checkWritable('--json', json);
    if (markdown !== undefined) await checkWritable('--markdown', markdown);
    const options: ReproduceOptions = { app: await appVersion(), seed, backend, quick, pair };
    const progress = progressTo(complain);
    const begun = performance.now();
    const ledger =
      backend === 'wasm'
        ? await withClient(createClient(), (client) =>
            reproduce(client, options, { progress, claim: () => undefined }),
          )
        : await inBrowser<Ledger, ReproduceProgress>(progress, (page) =>
            page.evaluate((o) => window.commands.reproduce(o), options),
          );
    const seconds = (performance.now() - begun) / 1000;
    printLedger(ledger, seconds / Math.max(1, ledger.pairs.length), print);
    if (json !== undefined) await writeFile(json, `${JSON.stringify(ledger, null, 2)}\n`);
    if (markdown !== undefined) await writeFile(markdown, ledgerMarkdown(ledger));
    return 0;
  } catch (error) {
    complain(`reproduce: ${message(error)}`);
    return 2;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const status = await main(
    process.argv.slice(2),
    (line) => process.stdout.write(`${line}\n`),
    (line) => process.stderr.write(`${line}\n`),
  );
  process.exitCode = status;
}
