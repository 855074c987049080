/** A fresh engine in a worker of its own, and the threads that sample for it. */
import { EngineClient } from '../../src/engine/lab/client';

export function startEngine(): EngineClient {
  return new EngineClient(
    () =>
      new Worker(new URL('../../src/engine/lab/worker.ts', import.meta.url), { type: 'module' }),
    () =>
      new Worker(new URL('../../src/engine/sampler/worker.ts', import.meta.url), {
        type: 'module',
      }),
  );
}
