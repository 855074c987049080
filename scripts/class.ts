/**
 * `npm run class -- --seats 30 'LINK' --out DIR [--backend wasm|webgpu]`: the class files of seats 1 to 30 of a class's
 * link, as thirty students would save them, without a screen. wasm runs in Node, webgpu in headless Chromium.
 *
 * Contract: exit status 0 when every seat has its file, 2 with a sentence when not; files that were written stay. Nothing
 * is fetched: policies are those of this checkout.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { classFileName, makeClassFile, whyNoClassFile, type ClassFile } from '../src/class/file';
import type { EngineClient } from '../src/engine/lab/client';
import { repeatLink } from '../src/engine/headless/repeat-link';
import { readFingerprint } from '../src/link/fingerprint';
import { atSeat, openLink, withoutSeat, writeLink } from '../src/link/link';
import { MOST_SEATS } from '../src/link/seat';
import { message } from '../src/message';
import {
  appVersion,
  CommandError,
  inBrowser,
  makeFolder,
  readBackend,
  withClient,
} from './command';
import { nodeClient } from './node/client';

const USAGE = "usage: npm run class -- --seats 30 'LINK' --out DIR [--backend wasm|webgpu]";

function readCommand(argv: string[]) {
  let parsed;
  try {
    parsed = parseArgs({
      args: argv,
      allowPositionals: true,
      options: {
        seats: { type: 'string' },
        out: { type: 'string' },
        backend: { type: 'string' },
      },
    });
  } catch (error) {
    throw new CommandError(`${message(error)}\n${USAGE}`);
  }
  const { values, positionals } = parsed;
  const [text] = positionals;
  if (text === undefined || positionals.length > 1 || values.out === undefined) {
    throw new CommandError(`One link and --out are wanted.\n${USAGE}`);
  }
  const at = text.indexOf('#/');
  if (at < 0)
    throw new CommandError(`"${text.slice(0, 60)}" is no link of the lab: it has no "#/".`);
  const said = values.seats ?? '30';
  const seats = Number(said);
  if (!/^\d{1,3}$/.test(said) || seats < 1) {
    throw new CommandError(`--seats takes a whole number from 1 to ${MOST_SEATS}, not "${said}".`);
  }
  const { link, problems } = openLink(text.slice(at));
  if (problems.length > 0) throw new CommandError(problems.join(' '));
  const shared = withoutSeat(link);
  const why = whyNoClassFile(atSeat(shared, 1));
  if (why !== null) throw new CommandError(why);
  return { link: shared, seats, out: values.out, backend: readBackend(values.backend ?? 'wasm') };
}

/** @returns exit status */
export async function main(
  argv: string[],
  print: (line: string) => void,
  complain: (line: string) => void,
  lab: () => EngineClient = () => nodeClient(),
): Promise<0 | 2> {
  try {
    const { link, seats, out, backend } = readCommand(argv);
    await makeFolder('--out', out);
    const app = await appVersion();
    const onRun = () => undefined;
    const run = async (number: number, client: EngineClient | null): Promise<ClassFile> => {
      const own = atSeat(link, number);
      const options = {
        app,
        address: '',
        hash: writeLink(own, { dated: true }),
        backend,
        files: [],
      };
      const found =
        client === null
          ? await inBrowser<Awaited<ReturnType<typeof repeatLink>>, object>(onRun, (page) =>
              page.evaluate((o) => window.commands.repeat(o), options),
            )
          : await repeatLink(client, options, onRun);
      const fp = new URLSearchParams(found.link.slice(found.link.indexOf('?'))).get('fp');
      const fingerprint = readFingerprint(fp ?? '');
      const used = found.stamp.backend;
      if (fingerprint === null || used === null) throw new Error('The run left no fingerprint.');
      const { policy, kernels } = used;
      return makeClassFile({
        app,
        link: own,
        backend: { policy, kernels },
        fingerprint,
        claims: found.claims,
      });
    };
    const all = async (client: EngineClient | null) => {
      for (let number = 1; number <= seats; number++) {
        const file = await run(number, client);
        const name = classFileName(file);
        await writeFile(join(out, name), `${JSON.stringify(file)}\n`);
        print(`${name}: ${file.responses} responses, ${file.estimates.length} estimates`);
      }
    };
    if (backend === 'wasm') await withClient(lab(), all);
    else await all(null);
    return 0;
  } catch (error) {
    complain(`class: ${message(error)}`);
    return 2;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.exitCode = await main(
    process.argv.slice(2),
    (line) => process.stdout.write(`${line}\n`),
    (line) => process.stderr.write(`${line}\n`),
  );
}
