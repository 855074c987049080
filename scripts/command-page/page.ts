/** The commands in a browser, without the app around them: how they reach WebGPU. */
import { EngineClient } from '../../src/engine/lab/client';
import { repeatLink, type RepeatOptions } from '../../src/engine/headless/repeat-link';
import { repeatRace, type RaceOptions } from '../../src/engine/headless/repeat-race';
import { reproduce, type ReproduceOptions } from '../../src/engine/headless/reproduce';
import { TrainingClient } from '../../src/engine/trainer/client';
import { fetchCatalogue, siteFiles } from '../../src/policy/fetch';
import { message } from '../../src/message';

/** What the work came to, or why it could not run, a sentence. */
type Outcome<T> = Promise<T | { message: string }>;

async function outcome<T extends object>(work: () => Promise<T>): Outcome<T> {
  try {
    return await work();
  } catch (error) {
    return { message: message(error) };
  }
}

function withEngine<T extends object>(work: (client: EngineClient) => Promise<T>): Outcome<T> {
  const client = new EngineClient(
    () =>
      new Worker(new URL('../../src/engine/lab/worker.ts', import.meta.url), { type: 'module' }),
  );
  return outcome(() => work(client));
}

function withTrainer<T extends object>(work: (client: TrainingClient) => Promise<T>): Outcome<T> {
  const client = new TrainingClient(
    () =>
      new Worker(new URL('../../src/engine/trainer/worker.ts', import.meta.url), {
        type: 'module',
      }),
  );
  return outcome(() => work(client));
}

const progress = (now: object) => void window.progressed(now);

const commands = {
  reproduce: (options: ReproduceOptions) =>
    withEngine((client) => reproduce(client, options, { progress, claim: () => undefined })),
  repeat: (options: RepeatOptions) => withEngine((client) => repeatLink(client, options, progress)),
  race: (options: RaceOptions) =>
    withTrainer(async (client) => {
      const shipped = await fetchCatalogue(siteFiles(new URL('/models/', location.href).href));
      return repeatRace(client, options, shipped, progress);
    }),
};

declare global {
  interface Window {
    commands: typeof commands;
    /** the command's own, in Node */
    progressed(progress: object): Promise<void>;
  }
}

window.commands = commands;
