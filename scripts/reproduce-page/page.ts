/** Reproduce in a browser without the app around it: how the command reaches WebGPU. */
import { EngineClient } from '../../src/engine/client';
import {
  reproduce,
  type Ledger,
  type ReproduceOptions,
  type ReproduceProgress,
} from '../../src/engine/reproduce';

declare global {
  interface Window {
    /** message: why it could not run, a sentence */
    reproduceHere(options: ReproduceOptions): Promise<Ledger | { message: string }>;
    reproduceProgress(progress: ReproduceProgress): Promise<void>;
  }
}

window.reproduceHere = async (options) => {
  const client = new EngineClient(
    () => new Worker(new URL('../../src/engine/worker.ts', import.meta.url), { type: 'module' }),
  );
  try {
    return await reproduce(client, options, {
      progress: (progress) => void window.reproduceProgress(progress),
      claim: () => undefined,
    });
  } catch (error) {
    return { message: error instanceof Error ? error.message : String(error) };
  }
};
