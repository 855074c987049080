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
    reproduceHere(options: ReproduceOptions): Promise<Ledger>;
    reproduceProgress(progress: ReproduceProgress): Promise<void>;
  }
}

window.reproduceHere = (options) => {
  const client = new EngineClient(
    () => new Worker(new URL('../../src/engine/worker.ts', import.meta.url), { type: 'module' }),
  );
  return reproduce(client, options, {
    progress: (progress) => void window.reproduceProgress(progress),
    claim: () => undefined,
  });
};
