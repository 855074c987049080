/** A link repeated in a browser without the app around it: how the command reaches WebGPU. */
import { EngineClient } from '../../src/engine/client';
import type { RunProgress } from '../../src/engine/protocol';
import { repeatLink, type Repetition, type RepeatOptions } from '../../src/engine/repeat';

declare global {
  interface Window {
    /** message: why it could not run, a sentence */
    repeatHere(options: RepeatOptions): Promise<Repetition | { message: string }>;
    repeatProgress(progress: RunProgress): Promise<void>;
  }
}

window.repeatHere = async (options) => {
  const client = new EngineClient(
    () => new Worker(new URL('../../src/engine/worker.ts', import.meta.url), { type: 'module' }),
  );
  try {
    return await repeatLink(client, options, (progress) => void window.repeatProgress(progress));
  } catch (error) {
    return { message: error instanceof Error ? error.message : String(error) };
  }
};
