/**
 * `npm run experiment -- 'LINK' --file ROLLOUTS [--file MORE]`: what a link's page says of a file of your own: its claims
 * as JSON on standard output, nothing sampled and nothing compared.
 *
 * `npm run experiment -- 'LINK' --models DIR [...]`: a link that names models of other people, which lie below DIR in a
 * hub's layout (`node/local-models.ts`).
 *
 * `npm run experiment -- 'LINK' [--json FILE] [--csv DIR] [--svg DIR] [--backend webgpu|wasm]`: what a
 * link asks for, without a screen; a race of the Train page too (`race.ts`). Prints the claims, the figures, and how they compare with what the link
 * says was found; progress goes to standard error. wasm runs in Node, webgpu in headless Chromium, and
 * pictures are drawn there.
 *
 * Contract: exit status 0 when it ran and nothing differs from the link's fingerprint (a link without one
 * cannot differ), 1 when something does, 2 with a sentence when it could not run. Verdicts are results, not
 * errors. Nothing is fetched: policies are those of this checkout.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { EngineClient } from '../src/engine/lab/client';
import type { ExportKind, RunProgress } from '../src/engine/lab/protocol';
import {
  repeatLink,
  type Repetition,
  type RepeatOptions,
} from '../src/engine/headless/repeat-link';
import { isRace } from '../src/engine/headless/repeat-race';
import { claimsHash } from '../src/experiments/claims';
import { EXPERIMENT_IDS } from '../src/experiments/manifest';
import { runExperiment } from '../src/experiments/registry';
import { csvHead, csvRow, labelCell, numberCell } from '../src/export/csv';
import { experimentSettings } from '../src/link/experiments';
import { openLink, writeLink } from '../src/link/link';
import { figureWords, tokenWords } from '../src/link/fingerprint';
import { cpuKernels } from '../src/math/cpu-kernels';
import type { ModelStore } from '../src/policy/foreign/repository';
import { readRolloutFiles } from '../src/rollouts/file/read';
import { sequenceCount, tokenCount } from '../src/rollouts/rollouts';
import {
  appVersion,
  checkWritable,
  claimLines,
  CommandError,
  digits,
  inBrowser,
  makeFolder,
  ProgressLines,
  readBackend,
  withClient,
} from './command';
import { saveFigures } from './figures';
import { nodeClient, nodeTrainingClient } from './node/client';
import { LocalModels } from './node/local-models';
import { localFiles } from './node/ort';
import { printRace, runRace, writeRaceCsv, type RaceRunner } from './race';
import { rolloutFiles } from './rollout-file';
import { message } from '../src/message';

const USAGE =
  "usage: npm run experiment -- 'LINK' [--json FILE] [--csv DIR] [--svg DIR] [--backend webgpu|wasm]\n" +
  "       npm run experiment -- 'LINK' --models DIR [...]: with models of other people in a hub's layout\n" +
  "       npm run experiment -- 'LINK' --file ROLLOUTS [--file MORE]: claims of your own rollouts as JSON";

interface Command {
  address: string;
  hash: string;
  json: string | undefined;
  csv: string | undefined;
  svg: string | undefined;
  /** rollouts to judge instead of what the link samples */
  files: string[];
  /** folder with models of other people */
  models: string | undefined;
  backend: 'webgpu' | 'wasm';
}

/** A whole address, or what stands behind its `#`. */
function splitLink(text: string): { address: string; hash: string } {
  const at = text.indexOf('#/');
  if (at < 0) {
    throw new CommandError(
      `"${text.slice(0, 60)}" is no link of the lab: it has no "#/", as in ` +
        `'#/variance?v=2&seed=2'. Put the link in single quotes, or the shell cuts it at "&".`,
    );
  }
  return { address: text.slice(0, at), hash: text.slice(at) };
}

function readCommand(argv: string[]): Command {
  let parsed;
  try {
    parsed = parseArgs({
      args: argv,
      allowPositionals: true,
      options: {
        json: { type: 'string' },
        csv: { type: 'string' },
        svg: { type: 'string' },
        file: { type: 'string', multiple: true },
        models: { type: 'string' },
        backend: { type: 'string' },
      },
    });
  } catch (error) {
    throw new CommandError(`${message(error)}\n${USAGE}`);
  }
  const { values, positionals } = parsed;
  const [text, ...more] = positionals;
  if (text === undefined || more.length > 0) {
    throw new CommandError(`One link is wanted, not ${positionals.length}.\n${USAGE}`);
  }
  const { address, hash } = splitLink(text);
  const { json, csv, svg } = values;
  const backend = values.backend === undefined ? undefined : readBackend(values.backend);
  // A link that leaves the choice means what any machine has.
  const { link } = openLink(hash);
  const asked = isRace(hash) ? link.view['backend'] : link.run.backend;
  const usual = asked === 'webgpu' ? 'webgpu' : 'wasm';
  const { models, file: files = [] } = values;
  const where = backend ?? usual;
  const named = !isRace(hash) && link.run.source.kind === 'models';
  if (named && models === undefined && files.length === 0) {
    throw new CommandError(
      'The link names models of other people. Say where they are with --models DIR.',
    );
  }
  if (models !== undefined && where === 'webgpu') {
    throw new CommandError('--models runs on wasm: a page without a screen reads no folder.');
  }
  return { address, hash, json, csv, svg, files, models, backend: where };
}

function progressTo(complain: (line: string) => void): (progress: RunProgress) => void {
  const lines = new ProgressLines(complain);
  return ({ phase, sequences, totalSequences, etaSeconds }) =>
    lines.say(phase, `${phase}, ${sequences} of ${totalSequences}`, etaSeconds);
}

function printComparison({ comparison }: Repetition, print: (line: string) => void): void {
  if (comparison === null) {
    print('The link carries no fingerprint, so there is nothing to compare with.');
    return;
  }
  print(comparison.same ? 'The same as in the link.' : 'NOT the same as in the link.');
  print(`  ${tokenWords(comparison)} ${figureWords(comparison)}`);
  for (const { label, link, here, difference, tolerance, within } of comparison.figures) {
    const value = (x: number | null) => (x === null ? 'not measured' : x.toPrecision(6));
    const off = difference === null ? '' : `, off by ${digits(difference)}`;
    print(
      `  ${within ? 'same  ' : 'DIFFER'} ${label}: ${value(link)} in the link, ${value(here)} here` +
        `${off}, tolerance ${digits(tolerance)}`,
    );
  }
}

function printAll(found: Repetition, print: (line: string) => void): void {
  const { stamp, page, sequences, tokens, seconds, claims, figures, models, link } = found;
  print(`${page}: ${sequences} responses, ${tokens} tokens, ${stamp.source}`);
  for (const claim of claims) claimLines(claim, seconds).forEach(print);
  print('');
  for (const { label, value } of figures.filter(({ id }) => id.startsWith('run.'))) {
    print(`  ${label}: ${value === null ? 'not measured' : value.toPrecision(6)}`);
  }
  print('');
  printComparison(found, print);
  print('');
  for (const { ref, dtype, probe, refusedGpu } of models) {
    const { logp, logS } = probe.floor;
    print(
      `${ref}, ${dtype}: its forms differ by ${digits(logp)} nats a token, ${digits(logS)} in log s` +
        `${refusedGpu === null ? '' : `. ${refusedGpu}`}`,
    );
  }
  for (const { name, sha256 } of stamp.policies) print(`sha256 ${sha256}  ${name}`);
  if (stamp.backend !== null) {
    const { policy, kernels, adapter } = stamp.backend;
    print(
      `policy on ${policy}, kernels on ${kernels}, adapter: ${adapter}, ${seconds.toFixed(1)} s`,
    );
  }
  print(`GSPO Lab ${stamp.app}; this run as a link:`);
  print(link);
}

function claimsCsv({ stamp, claims }: Repetition): string {
  const columns = ['id', 'claim', 'prediction', 'measured', 'low', 'high', 'n', 'n_of', 'verdict'];
  const rows = claims.map(({ id, claim, prediction, measured, interval, n, nOf, verdict }) => [
    labelCell(id),
    labelCell(claim),
    numberCell(prediction),
    numberCell(measured),
    numberCell(interval?.[0]),
    numberCell(interval?.[1]),
    String(n),
    nOf,
    verdict,
  ]);
  const what = 'GSPO Lab, one line per claim; intervals are 95 %';
  return csvHead(what, stamp, columns) + rows.map(csvRow).join('');
}

/** With the settings that were run, so that the page has nothing to run again. */
function drawAll(
  { stamp, files }: Repetition,
  { address, hash }: Pick<Command, 'address' | 'hash'>,
  folder: string,
): Promise<string[]> {
  const { link } = openLink(hash);
  const run = files.find(({ kind }) => kind === 'run');
  if (run === undefined) throw new Error('The run was not written, so nothing can be drawn.');
  const whole = { ...link, embed: false, hide: [], figure: '', fingerprint: null };
  const asRun = writeLink({ ...whole, run: stamp.settings ?? link.run }, { dated: true });
  return saveFigures({ run: run.text, hash: asRun, address }, folder);
}

/** What runs in Node; both read below the same `models/`. */
export interface Engines {
  lab(models?: ModelStore): EngineClient;
  race(app: string): RaceRunner;
}

const NODE: Engines = {
  lab: (models) => nodeClient(undefined, 1, models),
  race: (app) => ({ client: nodeTrainingClient(app), files: localFiles }),
};

const localModels = ({ models }: Command): ModelStore | undefined =>
  models === undefined ? undefined : new LocalModels(models);

/** @returns exit status */
async function race(
  { address, hash, json, csv, svg, backend }: Command,
  engines: Engines,
  print: (line: string) => void,
  complain: (line: string) => void,
): Promise<0 | 1> {
  if (svg !== undefined) {
    throw new CommandError('--svg draws experiments; the figures of a race are saved on its page.');
  }
  const app = await appVersion();
  const found = await runRace({ app, address, hash, backend }, engines.race(app), complain);
  printRace(found, print);
  if (csv !== undefined) await writeRaceCsv(found, csv);
  if (json !== undefined) await writeFile(json, `${JSON.stringify(found, null, 2)}\n`);
  return found.comparison === null || found.comparison.same ? 0 : 1;
}

const pagesOfClaims = (): string =>
  `With --file a link names one of: ${EXPERIMENT_IDS.join(', ')}.`;

/**
 * The claims of the link's page about rollouts from files, as JSON: id, sentence, source, estimate, interval, margin,
 * verdict and rule, at the settings of the link.
 */
async function judgeFiles(
  { hash, files, json }: Command,
  print: (line: string) => void,
): Promise<0> {
  const { link } = openLink(hash);
  // what a page would open instead of one that is not there answers another question
  if (!hash.startsWith(`#/${link.page}`)) {
    throw new CommandError(`The link names no page of the lab. ${pagesOfClaims()}`);
  }
  const asked = experimentSettings(link.page, link.view);
  if (asked === null) {
    throw new CommandError(
      `The page "${link.page}" makes no claims about a file. ${pagesOfClaims()}`,
    );
  }
  const { rollouts } = await readRolloutFiles(await rolloutFiles(files), {
    rule: 'trl',
    onBad: 'stop',
  });
  const { claims, verdict } = await runExperiment(asked.experiment, rollouts, asked.settings, {
    kernels: cpuKernels,
    seed: 1,
  });
  const found = {
    experiment: asked.experiment,
    settings: asked.settings,
    files,
    responses: sequenceCount(rollouts),
    tokens: tokenCount(rollouts),
    claimsHash: claimsHash(),
    verdict,
    claims,
  };
  const text = JSON.stringify(found, null, 2);
  if (json !== undefined) await writeFile(json, `${text}\n`);
  print(text);
  return 0;
}

/**
 * @param engines in Node
 * @returns exit status
 */
export async function main(
  argv: string[],
  print: (line: string) => void,
  complain: (line: string) => void,
  engines: Engines = NODE,
): Promise<0 | 1 | 2> {
  try {
    const command = readCommand(argv);
    const { address, hash, json, csv, svg, backend } = command;
    if (json !== undefined) await checkWritable('--json', json);
    if (csv !== undefined) await makeFolder('--csv', csv);
    if (svg !== undefined) await makeFolder('--svg', svg);
    const files: ExportKind[] = [
      ...(csv === undefined ? [] : (['sequences', 'tokens'] as const)),
      ...(svg === undefined ? [] : (['run'] as const)),
    ];
    const options: RepeatOptions = { app: await appVersion(), address, hash, backend, files };
    for (const problem of openLink(hash).problems) complain(problem);
    if (command.files.length > 0) {
      if (csv !== undefined || svg !== undefined) {
        throw new CommandError(
          '--csv and --svg write what a link samples; with --file there is --json.',
        );
      }
      return await judgeFiles(command, print);
    }
    if (isRace(hash)) return await race(command, engines, print, complain);
    const progress = progressTo(complain);
    const found =
      backend === 'wasm'
        ? await withClient(engines.lab(localModels(command)), (client) =>
            repeatLink(client, options, progress),
          )
        : await inBrowser<Repetition, RunProgress>(progress, (page) =>
            page.evaluate((o) => window.commands.repeat(o), options),
          );
    printAll(found, print);
    if (csv !== undefined) {
      for (const { kind, name, text } of found.files) {
        if (kind !== 'run') await writeFile(join(csv, name), text);
      }
      await writeFile(join(csv, `gspo-lab-${found.page}.claims.csv`), claimsCsv(found));
    }
    if (json !== undefined) {
      // The CSV files are files of their own.
      await writeFile(json, `${JSON.stringify({ ...found, files: undefined }, null, 2)}\n`);
    }
    if (svg !== undefined) {
      complain('drawing');
      const names = await drawAll(found, { address, hash }, svg);
      complain(`${names.length} figures in ${svg}`);
    }
    return found.comparison === null || found.comparison.same ? 0 : 1;
  } catch (error) {
    complain(`experiment: ${message(error)}`);
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
