/** A run from its start to its end, as one promise. */
import type { RunSettings } from '../../settings/run';
import type { EngineClient } from '../lab/client';
import type { RunId, RunProgress } from '../lab/protocol';

/**
 * @param enough responses: the run rests once it has them
 * @param cancelled what a cancelled run rejects with
 * @throws what the run failed with
 */
export function finishRun(
  client: EngineClient,
  settings: RunSettings,
  onProgress: (progress: RunProgress) => void,
  signal: AbortSignal | undefined,
  enough: number | undefined = undefined,
  cancelled: () => Error = () => new DOMException('The run was cancelled.', 'AbortError'),
): Promise<RunId> {
  return new Promise((resolve, reject) => {
    const run = client.start(settings, false, enough);
    const settle = (done: () => void) => {
      unsubscribe();
      signal?.removeEventListener('abort', abort);
      done();
    };
    const abort = () => {
      client.stop(run);
      settle(() => reject(cancelled()));
    };
    const unsubscribe = client.subscribe((event) => {
      if (!('run' in event) || event.run !== run) return;
      if (event.type === 'failed') settle(() => reject(new Error(event.message)));
      if (event.type !== 'progress') return;
      onProgress(event.progress);
      const { phase } = event.progress;
      if (phase === 'finished' || phase === 'rested') settle(() => resolve(run));
    });
    if (signal?.aborted) abort();
    else signal?.addEventListener('abort', abort);
  });
}
