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
import type { Wire } from '../rpc/channel';
import type { SamplerMessage, SamplerRequest } from './protocol';

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
  threads: Wire[];
  /** indices of batches that threads have answered, in the order of the answers */
  answered: number[];
  /** indices that threads were asked for */
  asked: number[];
  until(found: (event: RunEvent) => boolean): Promise<RunEvent>;
}

/** The same thread; which batches it is asked for and answers is written down. */
function listened(thread: Wire, asked: number[], answered: number[]): Wire {
  const indices = new Map<number, number>();
  const { postMessage } = thread;
  thread.postMessage = (message: SamplerRequest) => {
    if (message.type === 'batch') {
      asked.push(message.index);
      indices.set(message.requestId, message.index);
    }
    postMessage.call(thread, message);
  };
  return new Proxy(thread, {
    set(target, key, value: unknown) {
      if (key !== 'onmessage') return Reflect.set(target, key, value);
      target.onmessage = (event: MessageEvent<SamplerMessage>) => {
        const { data } = event;
        const index = data.type === 'reply' ? indices.get(data.requestId) : undefined;
        if (index !== undefined) answered.push(index);
        (value as NonNullable<Worker['onmessage']>).call(target as Worker, event);
      };
      return true;
    },
  });
}

async function open(
  most: number,
  createWorker: () => Wire = samplerThread,
  wrap: (files: FileSource) => FileSource = (files) => files,
  patience = 30_000,
): Promise<Lab> {
  const files = wrap((await tinyPolicy()).files);
  const threads: Wire[] = [];
  const asked: number[] = [];
  const answered: number[] = [];
  const make = () => {
    const thread = listened(createWorker(), asked, answered);
    threads.push(thread);
    return thread;
  };
  const samplers = { createWorker: make, most, patience };
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
  return { client, threads, asked, answered, until };
}

/** Indices of a run's batches. */
const EVERY = Array.from({ length: 10 }, (_, i) => i);

const inOrder = (indices: readonly number[]) => indices.toSorted((a, b) => a - b);

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
    // A third is tried where there are batches enough to judge two by.
    expect(lab.threads.length).toBeGreaterThanOrEqual(2);
    expect(lab.threads.length).toBeLessThanOrEqual(most);
    // by the threads: the engine's own would give the same
    expect(inOrder(lab.answered)).toEqual(EVERY);
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
  // What the pause interrupted was asked for anew, and nothing that was ready was made twice: but for what a thread
  // was finishing when it heard of the pause.
  expect(lab.asked.length).toBeGreaterThan(EVERY.length);
  expect([...new Set(inOrder(lab.answered))]).toEqual(EVERY);
  expect(lab.answered.length).toBeLessThanOrEqual(EVERY.length + lab.threads.length);
});

test('a thread that dies is replaced by the other, and in the end by the engine', async () => {
  const alone = await whole(await open(1));
  for (const dying of [1, 2]) {
    const lab = await open(2);
    const run = lab.client.start(SETTINGS);
    await lab.until((event) => event.type === 'batch' && event.run === run);
    for (const thread of lab.threads.slice(0, dying)) {
      const error = { message: 'out of memory', preventDefault: () => undefined };
      thread.onerror?.call(thread as Worker, error as ErrorEvent);
    }
    await lab.until(finished(run));
    expect((await made(lab.client, run)).tokens).toEqual(alone.tokens);
    const byThreads = new Set(lab.answered).size;
    if (dying === 1) expect(byThreads).toBe(EVERY.length);
    else expect(byThreads).toBeLessThan(EVERY.length);
  }
});

test('threads that never answer are done without', async () => {
  const silent = (): Wire => ({
    onmessage: null,
    onerror: null,
    postMessage: () => undefined,
    terminate: () => undefined,
  });
  const lab = await open(2, silent, (files) => files, 500);
  expect((await whole(lab)).tokens).toEqual((await whole(await open(1))).tokens);
  expect(lab.answered).toEqual([]);
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
  expect(inOrder(lab.answered)).toEqual(EVERY);
  expect((await made(lab.client, run)).tokens).toEqual((await whole(await open(1))).tokens);
});
