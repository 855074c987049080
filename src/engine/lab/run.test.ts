import { describe, expect, test } from 'vitest';
import {
  type Rollouts,
  type RolloutSource,
  sequenceCount,
  type SourceHooks,
} from '../../rollouts/rollouts';
import type { RunProgress } from './protocol';
import { Run } from './run';

/** One sequence of `index + 1` tokens per batch, so that order and completeness show. */
function batchOf(index: number): Rollouts {
  const length = index + 1;
  return {
    offsets: Uint32Array.of(0, length),
    tokenIds: new Int32Array(length).fill(index),
    logpOld: new Float64Array(length).fill(-1),
    logpNew: new Float64Array(length).fill(-1),
    group: Uint32Array.of(0),
    reward: Float64Array.of(0),
    advantage: Float64Array.of(0),
    finished: Uint8Array.of(1),
    prompts: [`prompt ${index}`],
  };
}

interface Watched {
  run: Run;
  seen: RunProgress[];
  failures: string[];
  /** resolves when the phase is reached the next time */
  reach(phase: RunProgress['phase']): Promise<void>;
}

function watch(
  batches: number,
  work: (index: number, hooks: SourceHooks) => Promise<Rollouts> = async (index) => batchOf(index),
  enough?: number,
): Watched {
  const seen: RunProgress[] = [];
  const failures: string[] = [];
  let waiting: { phase: RunProgress['phase']; resolve: () => void }[] = [];
  const source: RolloutSource = { batches, totalSequences: batches, batch: work };
  const run = new Run(
    source,
    {
      progress: (progress) => {
        seen.push(progress);
        waiting.filter(({ phase }) => phase === progress.phase).forEach(({ resolve }) => resolve());
        waiting = waiting.filter(({ phase }) => phase !== progress.phase);
      },
      batch: () => undefined,
      failed: (message) => failures.push(message),
    },
    undefined,
    enough,
  );
  const reach = (phase: RunProgress['phase']) =>
    new Promise<void>((resolve) => waiting.push({ phase, resolve }));
  return { run, seen, failures, reach };
}

const lengths = (rollouts: Rollouts) =>
  Array.from({ length: sequenceCount(rollouts) }, (_, i) => {
    return rollouts.offsets[i + 1] - rollouts.offsets[i];
  });

describe('Run', () => {
  test('goes through every batch once, in order, and counts', async () => {
    const { run, seen, reach } = watch(5);
    run.start();
    await reach('finished');
    expect(lengths(run.rollouts())).toEqual([1, 2, 3, 4, 5]);
    expect(run.rollouts().prompts.length).toBe(5);
    expect(seen.at(-1)).toMatchObject({ phase: 'finished', sequences: 5, tokens: 15 });
    expect(seen.at(-1)?.etaSeconds).toBe(0);
  });

  test('steps one batch at a time, pauses in between, then runs on', async () => {
    const { run, reach } = watch(5);
    run.step();
    await reach('paused');
    expect(lengths(run.rollouts())).toEqual([1]);
    run.step();
    run.step();
    await reach('paused');
    await reach('paused');
    expect(lengths(run.rollouts())).toEqual([1, 2, 3]);
    run.start();
    await reach('finished');
    expect(lengths(run.rollouts())).toEqual([1, 2, 3, 4, 5]);
  });

  test('rests once it has enough, exactly there, and goes on when told', async () => {
    const { run, seen, reach } = watch(5, undefined, 3);
    run.start();
    await reach('rested');
    expect(lengths(run.rollouts())).toEqual([1, 2, 3]);
    run.start();
    await reach('finished');
    expect(lengths(run.rollouts())).toEqual([1, 2, 3, 4, 5]);
    // told to rest while it is paused, it rests at once; a run that is over does not
    const other = watch(2);
    other.run.step();
    await other.reach('paused');
    other.run.rest();
    expect(other.seen.at(-1)?.phase).toBe('rested');
    run.rest();
    expect(seen.at(-1)?.phase).toBe('finished');
  });

  test('a pause asked for in mid-batch keeps that batch and starts no other', async () => {
    const { run, reach } = watch(5, async (index) => {
      if (index === 1) run.pause();
      return batchOf(index);
    });
    run.start();
    await reach('paused');
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(lengths(run.rollouts())).toEqual([1, 2]);
  });

  test('stop aborts the batch under way, keeps the finished ones, and is final', async () => {
    const { run, failures } = watch(
      5,
      (index, { signal }) =>
        new Promise((resolve, reject) => {
          if (index < 2) resolve(batchOf(index));
          else signal.addEventListener('abort', () => reject(signal.reason as Error));
        }),
    );
    run.start();
    await new Promise((resolve) => setTimeout(resolve, 30));
    await run.stop();
    run.start();
    run.step();
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(lengths(run.rollouts())).toEqual([1, 2]);
    expect(failures).toEqual([]);
  });

  test('a failed batch is told, loses nothing, and is taken up again', async () => {
    let broken = true;
    const { run, failures, reach } = watch(4, async (index) => {
      if (index === 2 && broken) throw new Error('the connection broke off');
      return batchOf(index);
    });
    run.start();
    await reach('paused');
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(failures).toEqual(['the connection broke off']);
    expect(lengths(run.rollouts())).toEqual([1, 2]);
    broken = false;
    run.start();
    await reach('finished');
    expect(lengths(run.rollouts())).toEqual([1, 2, 3, 4]);
  });
});
