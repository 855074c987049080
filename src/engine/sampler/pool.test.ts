/** Runs whose batches are made by several threads, behind the engine's protocol, with a tiny policy. */
import { afterEach, expect, test } from 'vitest';
import { tinyPolicy } from '../../../models/build/tiny';
import { NODE_ASSETS } from '../../../scripts/node/ort';
import { samplerThread } from '../../../scripts/node/thread';
import { DEFAULT_POLICIES, type PoliciesSource, type RunSettings } from '../../settings/run';
import type { FileSource } from '../../policy/fetch';
import { Engine } from '../lab/engine';
import { EngineClient } from '../lab/client';
import { inProcess } from '../../../scripts/node/wire';
import type { Event, Request, RunEvent } from '../lab/protocol';

const SETTINGS: RunSettings = {
  backend: 'wasm',
  source: {
    ...DEFAULT_POLICIES,
    policy: 'tiny',
    old: 'a',
    new: 'b',
    prompts: 60,
    groupSize: 4,
    maxLength: 24,
    maxOperators: 3,
  },
};

let client: EngineClient | undefined;
afterEach(() => client?.close());

interface Lab {
  client: EngineClient;
  threads: Worker[];
  until(found: (event: RunEvent) => boolean): Promise<RunEvent>;
}

async function open(
  most: number,
  createWorker: () => Worker = samplerThread,
  wrap: (files: FileSource) => FileSource = (files) => files,
): Promise<Lab> {
  const files = wrap((await tinyPolicy()).files);
  const threads: Worker[] = [];
  const make = () => {
    const thread = createWorker();
    threads.push(thread);
    return thread;
  };
  const samplers = { createWorker: make, most };
  client = new EngineClient(() =>
    inProcess<Request, Event>((emit) => new Engine({ assets: NODE_ASSETS, files, emit, samplers })),
  );
  const events: RunEvent[] = [];
  client.subscribe((event) => events.push(event));
  const until = async (found: (event: RunEvent) => boolean): Promise<RunEvent> => {
    for (;;) {
      const event = events.find(found);
      if (event) return event;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  return { client, threads, until };
}

const finished = (run: number) => (event: RunEvent) =>
  event.type === 'progress' && event.run === run && event.progress.phase === 'finished';

const paused = (run: number) => (event: RunEvent) =>
  event.type === 'progress' && event.run === run && event.progress.phase === 'paused';

/** Tokens, and log-probs, of all responses. */
async function made(lab: EngineClient, run: number): Promise<{ tokens: number[]; logp: number[] }> {
  const { sequences } = await lab.sequences(run, { low: -Infinity, high: Infinity, limit: 240 });
  const order = sequences.map(({ index }) => index).sort((a, b) => a - b);
  const details = await Promise.all(order.map((index) => lab.sequence(run, index)));
  const tokens = details.flatMap((detail) => detail.tokens);
  return {
    tokens: tokens.map(({ id }) => id),
    logp: tokens.flatMap(({ logpOld, logpNew }) => [logpOld, logpNew]),
  };
}

async function whole(lab: Lab, settings: RunSettings = SETTINGS) {
  const run = lab.client.start(settings);
  await lab.until(finished(run));
  return made(lab.client, run);
}

const apart = (a: readonly number[], b: readonly number[]) =>
  Math.max(...a.map((x, i) => Math.abs(x - b[i])));

test('the same responses whatever the number of threads, log-probs to rounding', async () => {
  const alone = await whole(await open(1));
  expect(alone.tokens.length).toBeGreaterThan(1000);
  for (const most of [2, 3]) {
    const lab = await open(most);
    const together = await whole(lab);
    expect(lab.threads).toHaveLength(2);
    expect(together.tokens).toEqual(alone.tokens);
    expect(apart(together.logp, alone.logp)).toBeLessThan(2e-6);
    // and again, after another run, on threads that are warm
    const seed2: PoliciesSource = { ...(SETTINGS.source as PoliciesSource), seed: 2 };
    expect((await whole(lab, { ...SETTINGS, source: seed2 })).tokens).not.toEqual(alone.tokens);
    expect((await whole(lab)).tokens).toEqual(alone.tokens);
  }
});

test('what comes after a pause is the same run', async () => {
  const alone = await whole(await open(1));
  const lab = await open(2);
  const run = lab.client.start(SETTINGS);
  await lab.until((event) => event.type === 'batch' && event.run === run);
  lab.client.pause(run);
  await lab.until(paused(run));
  const last = async () => (await lab.client.sequences(run, { low: 0, high: 9, limit: 1 })).total;
  const before = await last();
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(await last()).toBe(before);
  lab.client.resume(run);
  await lab.until(finished(run));
  expect((await made(lab.client, run)).tokens).toEqual(alone.tokens);
});

test('a thread that dies is replaced by the other, and in the end by the engine', async () => {
  const alone = await whole(await open(1));
  for (const dying of [1, 2]) {
    const lab = await open(2);
    const run = lab.client.start(SETTINGS);
    await lab.until((event) => event.type === 'batch' && event.run === run);
    for (const thread of lab.threads.slice(0, dying)) {
      const error = { message: 'out of memory', preventDefault: () => undefined };
      thread.onerror?.call(thread, error as ErrorEvent);
    }
    await lab.until(finished(run));
    expect((await made(lab.client, run)).tokens).toEqual(alone.tokens);
  }
});

test('threads that never answer are done without', async () => {
  const silent = (): Worker =>
    ({
      onmessage: null,
      onerror: null,
      postMessage: () => undefined,
      terminate: () => undefined,
    }) as unknown as Worker;
  const lab = await open(2, silent);
  expect((await whole(lab)).tokens).toEqual((await whole(await open(1))).tokens);
});

test('a cut connection fails the run with a sentence, and resuming goes on', async () => {
  let cut = true;
  const lab = await open(2, samplerThread, (files) => (path, ...rest) => {
    if (cut && path.endsWith('b.safetensors')) {
      return Promise.reject(new Error('models/tiny/b: the connection broke off.'));
    }
    return files(path, ...rest);
  });
  const run = lab.client.start(SETTINGS);
  const failed = await lab.until((event) => event.type === 'failed');
  expect(failed).toMatchObject({ canResume: true, message: expect.stringMatching(/broke off/) });
  cut = false;
  lab.client.resume(run);
  await lab.until(finished(run));
  expect((await made(lab.client, run)).tokens).toEqual((await whole(await open(1))).tokens);
});
