/** A person's files through the engine's protocol: read, refused, skipped, cancelled, replaced. */
import { afterEach, describe, expect, test } from 'vitest';
import { NODE_ASSETS } from '../../../scripts/node/ort';
import { DEFAULT_SYNTHETIC } from '../../settings/run';
import { Engine } from './engine';
import type {
  Event,
  ImportFile,
  ImportOptions,
  ImportOutcome,
  LabCalls,
  Request,
} from './protocol';

const OPTIONS: ImportOptions = { onBad: 'stop', rule: 'trl', recompute: false };

const line = (group: string, shift: number, more: object = {}) =>
  JSON.stringify({ group, logp_old: [-1, -2], logp_new: [-1 + shift, -2], reward: shift, ...more });
const fileOf = (lines: readonly string[], name = 'step1.jsonl'): ImportFile => ({
  name,
  blob: new Blob([lines.join('\n')]),
});
const GOOD = [line('a', 0.1), line('a', 0.2), line('b', 0.3), line('b', 0.4)];

/** As in a browser whose streams cannot be given memory. */
class PlainBlob extends Blob {
  override stream() {
    return super.stream().pipeThrough(new TransformStream()) as ReturnType<Blob['stream']>;
  }
}

/** As in a browser that loses a read: the first piece comes, and then nothing. */
class SilentBlob extends Blob {
  override stream() {
    let given = false;
    const all = this.arrayBuffer.bind(this);
    return new ReadableStream({
      type: 'bytes',
      async pull(controller) {
        if (given) return new Promise(() => undefined);
        given = true;
        const view = controller.byobRequest?.view as Uint8Array;
        view.set(new Uint8Array(await all(), 0, view.byteLength));
        controller.byobRequest?.respond(view.byteLength);
      },
    });
  }
}

const engines: Engine[] = [];
afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.dispose();
});

function open() {
  const events: Event[] = [];
  const engine = new Engine({
    assets: NODE_ASSETS,
    files: { read: () => Promise.reject(new Error('no files here')) } as never,
    emit: (event) => events.push(structuredClone(event)),
  });
  engines.push(engine);
  let requests = 0;
  const ask = async <K extends keyof LabCalls & string>(
    type: K,
    asked: LabCalls[K]['ask'],
  ): Promise<LabCalls[K]['reply']> => {
    const requestId = ++requests;
    await engine.handle({ ...asked, type, requestId } as Request);
    const event = events.find(
      (e) => (e.type === 'reply' || e.type === 'refused') && e.requestId === requestId,
    );
    if (event?.type === 'refused') throw new Error(event.message);
    if (event?.type !== 'reply') throw new Error('no answer');
    return event.reply;
  };
  const read = async (
    run: number,
    files: ImportFile[],
    options: Partial<ImportOptions> = {},
  ): Promise<ImportOutcome> => {
    return ask('import', { run, files, options: { ...OPTIONS, ...options } });
  };
  const responses = async (run: number) => {
    const query = { low: 0, high: Infinity, limit: 10 };
    const reply = await ask('sequences', { run, query });
    return reply.total;
  };
  return { engine, events, ask, read, responses };
}

describe('a file', () => {
  // Several pieces, none of which ends where a line does.
  const MANY = Array.from({ length: 15_000 }, (_, i) => line(`g${i >> 2}`, (i % 7) / 10));

  test.each([
    ['into memory that it is given', Blob],
    ['piece by piece', PlainBlob],
    ['where a read never comes back, too', SilentBlob],
  ])('of many pieces is read whole, %s', async (_, Kind) => {
    const { ask, read } = open();
    const blob = new Kind([MANY.join('\n')]);
    expect(blob.size).toBeGreaterThan(2 ** 20);
    const outcome = await read(1, [{ name: 'many.jsonl', blob }]);
    expect(outcome).toMatchObject({
      status: 'read',
      report: { sequences: MANY.length, skipped: 0 },
    });
    const exported = await ask('export', { run: 1, kind: 'sequences', link: null });
    const text = await exported.blob.text();
    const rows = text.split('\r\n').filter((row) => /^\d/.test(row));
    expect(rows).toHaveLength(MANY.length);
    // log s = shift / 2 of the last response
    const shift = ((MANY.length - 1) % 7) / 10;
    const head =
      text
        .split('\r\n')
        .find((row) => row.startsWith('sequence,'))
        ?.split(',') ?? [];
    const last = rows.at(-1)?.split(',') ?? [];
    expect(Number(last[head.indexOf('log_s')])).toBeCloseTo(shift / 2, 12);
  });

  test('becomes a finished run that experiments and the inspector work on', async () => {
    const { ask, events, read } = open();
    const outcome = await read(1, [fileOf(GOOD), fileOf([line('c', 0.5)], 'step2.jsonl')]);
    expect(outcome).toMatchObject({
      status: 'read',
      report: { sequences: 5, tokens: 10, groups: 3, skipped: 0, computedAdvantages: 5 },
      progress: { phase: 'finished', sequences: 5, totalSequences: 5 },
    });
    const loading = events.flatMap((e) =>
      e.type === 'progress' && e.progress.loaded ? [e.progress.loaded] : [],
    );
    expect(loading.at(-1)?.bytes).toBe(loading.at(-1)?.total);
    const reply = await ask('experiment', {
      run: 1,
      experiment: 'equivalence',
      settings: undefined,
    });
    expect(reply).toMatchObject({ sequences: 5, tokens: 10 });
    const one = await ask('sequence', { run: 1, index: 1 });
    // log s = (0.2 + 0) / 2
    expect(one).toMatchObject({ logWeight: expect.closeTo(0.1, 12) });
  });

  test('of a folder: what holds no rollouts is left out, and the report says so', async () => {
    const { read } = open();
    const config: ImportFile = {
      name: 'run/config.json',
      blob: new Blob(['{"vocab_size":50257}']),
      fromFolder: true,
    };
    expect(await read(1, [config, { ...fileOf(GOOD), fromFolder: true }])).toMatchObject({
      status: 'read',
      report: {
        sequences: 4,
        files: [{ name: 'step1.jsonl' }],
        notes: [expect.stringMatching(/^1 file of the folder left out.*run\/config\.json/)],
      },
    });
  });

  test('with a bad record is refused by file, line and field, and the run before stays', async () => {
    const { read, responses } = open();
    await read(1, [fileOf(GOOD)]);
    const bad = [...GOOD, line('c', 0, { logp_new: [0.5, -2] })];
    const outcome = await read(2, [fileOf(bad, 'bad.jsonl')]);
    expect(outcome).toMatchObject({
      status: 'unreadable',
      problem: { file: 'bad.jsonl', unit: 'line', index: 5, field: 'logp_new[0]' },
      message: expect.stringContaining('bad.jsonl, line 5, field "logp_new[0]"'),
    });
    expect(await responses(1)).toBe(4);
  });

  test('with a column of what no log-prob can be is refused, with the finding and what to change', async () => {
    const { read } = open();
    const chances = line('c', 0, { logp_old: [0.4, 0.7] });
    const finding = {
      id: 'impossible-values',
      title: expect.stringContaining('"logp_old" holds probabilities') as string,
      remedy: expect.stringContaining('log_softmax') as string,
    };
    const some = await read(1, [fileOf([...GOOD, chances])]);
    expect(some).toMatchObject({
      status: 'unreadable',
      problem: { field: 'logp_old[0]' },
      judged: { html: expect.stringContaining('holds probabilities') as string },
    });
    const ids = (outcome: ImportOutcome) =>
      outcome.status === 'unreadable' ? outcome.judged?.health.findings : null;
    expect(ids(some)).toContainEqual(expect.objectContaining(finding));
    // None is left to read, however one reads it.
    const none = await read(2, [fileOf([chances])], { onBad: 'skip' });
    expect(ids(none)).toEqual([expect.objectContaining(finding)]);
    expect(await read(3, [fileOf([...GOOD, '{'])])).toMatchObject({ judged: null });
  });

  test('with a bad record is read without it by choice, and the report counts it', async () => {
    const { read, responses } = open();
    const outcome = await read(1, [fileOf([...GOOD, '{"group":'])], { onBad: 'skip' });
    expect(outcome).toMatchObject({
      status: 'read',
      report: { sequences: 4, skipped: 1, problems: [{ index: 5 }] },
    });
    expect(await responses(1)).toBe(4);
  });

  test('replaces the run before, whose data are gone', async () => {
    const { read, responses } = open();
    await read(1, [fileOf(GOOD)]);
    await read(2, [fileOf(GOOD.slice(0, 2))]);
    expect(await responses(2)).toBe(2);
    await expect(responses(1)).rejects.toThrow('replaced');
  });

  test('that is cancelled leaves the run before as it was', async () => {
    const { engine, read, responses } = open();
    await read(1, [fileOf(GOOD)]);
    const many = Array.from({ length: 20_000 }, () => GOOD).flat();
    const reading = read(2, [fileOf(many)]);
    await new Promise((resolve) => setTimeout(resolve, 1));
    await engine.handle({ type: 'stop', run: 2 });
    expect(await reading).toEqual({ status: 'cancelled' });
    expect(await responses(1)).toBe(4);
  });

  test('gives way to a run that was started while it was read', async () => {
    const { engine, events, read } = open();
    const many = Array.from({ length: 20_000 }, () => GOOD).flat();
    const reading = read(1, [fileOf(many)]);
    const source = { ...DEFAULT_SYNTHETIC, prompts: 5 };
    await engine.handle({ type: 'start', run: 2, settings: { backend: 'wasm', source } });
    expect(await reading).toEqual({ status: 'cancelled' });
    expect(events.some((e) => e.type === 'failed')).toBe(false);
  });
});
