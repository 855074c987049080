/** The commands in a browser, without the app around them: how they reach WebGPU. */
import { EngineClient } from '../../src/engine/client';
import { repeatLink, type RepeatOptions } from '../../src/engine/repeat';
import { reproduce, type ReproduceOptions } from '../../src/engine/reproduce';

/** @returns what the work came to, or why it could not run, a sentence */
async function withEngine<T extends object>(
  work: (client: EngineClient) => Promise<T>,
): Promise<T | { message: string }> {
  const client = new EngineClient(
    () => new Worker(new URL('../../src/engine/worker.ts', import.meta.url), { type: 'module' }),
  );
  try {
    return await work(client);
  } catch (error) {
    return { message: error instanceof Error ? error.message : String(error) };
  }
}

const progress = (now: object) => void window.progressed(now);

const commands = {
  reproduce: (options: ReproduceOptions) =>
    withEngine((client) => reproduce(client, options, { progress, claim: () => undefined })),
  repeat: (options: RepeatOptions) => withEngine((client) => repeatLink(client, options, progress)),
};

declare global {
  interface Window {
    commands: typeof commands;
    /** the command's own, in Node */
    progressed(progress: object): Promise<void>;
  }
}

window.commands = commands;
