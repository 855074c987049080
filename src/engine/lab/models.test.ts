/** Foreign models behind the engine's protocol, on wasm: what a page sees of opening, running and refusing them. */
import { describe, expect, test } from 'vitest';
import { inProcess } from '../../../scripts/node/wire';
import { foreignModel } from '../../../scripts/node/foreign';
import { foreignFiles } from '../../../scripts/node/model-files';
import { localFiles, NODE_ASSETS } from '../../../scripts/node/ort';
import { ModelLibrary } from '../../policy/hub/library';
import { liftWeights } from '../../policy/graph/lift';
import { decode } from '../../policy/graph/proto';
import { writeSafetensors } from '../../policy/safetensors';
import { DEFAULT_MODELS, type ModelsSource, type RunSettings } from '../../settings/run';
import { EngineClient } from './client';
import { Engine } from './engine';
import type { Event, Request, RunEvent } from './protocol';

const blob = (json: unknown) => new Blob([JSON.stringify(json)]);

/** A folder in the hub's layout, as a person drops it. */
function folder(change: { tokenizer?: unknown } = {}) {
  const { onnx } = foreignModel();
  const { config, tokenizer, tokenizerConfig, generationConfig } = foreignFiles();
  const files = {
    'config.json': blob(config),
    'tokenizer.json': blob(change.tokenizer ?? tokenizer),
    'tokenizer_config.json': blob(tokenizerConfig),
    'generation_config.json': blob(generationConfig),
    'onnx/model.onnx': new Blob([Uint8Array.from(onnx.model)]),
    'onnx/model_fp16.onnx': new Blob([Uint8Array.from(onnx.model_fp16)]),
    'onnx/model_q4.onnx': new Blob([Uint8Array.from(onnx.model_q4)]),
  };
  return Object.entries(files).map(([path, one]) => ({ path, blob: one }));
}

function client(): EngineClient {
  const models = new ModelLibrary();
  return new EngineClient(() =>
    inProcess<Request, Event>(
      (emit) => new Engine({ assets: NODE_ASSETS, files: localFiles, emit, models }),
    ),
  );
}

/** Prompts that both the foreign model and its stand-in can be asked. */
const TEXTS = foreignModel().folder === null ? '1+1=\n8*3+2=\n7-2=' : 'Once\nThe dog\nOne day, Tom';

const settings = (more: Partial<ModelsSource>): RunSettings => ({
  backend: 'wasm',
  source: {
    ...DEFAULT_MODELS,
    old: 'folder:mine',
    new: 'folder:mine',
    oldDtype: 'fp32',
    newDtype: 'q4',
    texts: TEXTS,
    groupSize: 4,
    maxLength: 12,
    ...more,
  },
});

function finished(engine: EngineClient, asked: RunSettings): Promise<RunEvent[]> {
  const events: RunEvent[] = [];
  return new Promise((resolve) => {
    let asking = -1;
    engine.subscribe((event) => {
      // The run before may have a last word.
      if (event.run !== asking) return;
      events.push(event);
      const over =
        event.type === 'failed' ||
        (event.type === 'progress' && event.progress.phase === 'finished');
      if (over) resolve(events);
    });
    asking = engine.start(asked);
  });
}

const raise = (): never => {
  throw new Error('The model has no such weight.');
};

const failure = (events: readonly RunEvent[]) =>
  events.flatMap((event) => (event.type === 'failed' ? [event.message] : []))[0];

describe('a folder of a person’s own', () => {
  test('is listed, opened with what was found, and run through an experiment', async () => {
    const engine = client();
    const { repository } = await engine.listFolder('mine', folder());
    expect(repository.ref).toBe('folder:mine');
    const report = await engine.openModel({ ref: repository.ref, dtype: 'q4', backend: 'wasm' });
    expect(report.contributed).toContain('MatMulNBits');
    expect(report.probe.floor.logS).toBeLessThan(1e-3);
    expect(Object.keys(report.sha256)).toContain('tokenizer.json');

    const events = await finished(engine, settings({}));
    expect(failure(events)).toBeUndefined();
    const [run] = events.map((event) => event.run);
    const found = await engine.experiment(run as number, 'equivalence');
    expect(found.sequences).toBe(12);
    const { sequences } = await engine.sequences(run as number, { low: 0, high: 9, limit: 12 });
    expect(sequences).toHaveLength(12);
    // fp32 and 4 bits are not the same policy, nor far apart
    const off = Math.max(...sequences.map(({ logWeight }) => Math.abs(logWeight)));
    expect(off).toBeGreaterThan(1e-4);
    expect(off).toBeLessThan(5);
    const one = await engine.sequence(run as number, 0);
    expect(one.tokens.map(({ text }) => text).join('')).toBe(one.response);
    const { fingerprint } = await engine.fingerprint(run as number, null);
    expect(fingerprint).toBeDefined();
    engine.close();
  });

  test('the same model twice differs nowhere', async () => {
    const engine = client();
    await engine.listFolder('mine', folder());
    const events = await finished(engine, settings({ newDtype: 'fp32', chat: false }));
    expect(failure(events)).toBeUndefined();
    const [run] = events.map((event) => event.run);
    const { sequences } = await engine.sequences(run as number, { low: 0, high: 9, limit: 12 });
    expect(sequences.every(({ logWeight }) => logWeight === 0)).toBe(true);
    engine.close();
  });

  test('is run beside a checkpoint in it, and the fingerprint names the checkpoint', async () => {
    const engine = client();
    const lifted = decode(Uint8Array.from(foreignModel().onnx.model));
    const { weights } = liftWeights(lifted);
    const [name, { shape, values }] =
      [...weights].find(([key]) => /input_layernorm/.test(key)) ?? raise();
    const bytes = (factor: number) => {
      const changed = values.map((value) => value * factor);
      return writeSafetensors(new Map([...weights, [name, { shape, values: changed }]]));
    };
    const checkpoint = (factor: number) => [
      ...folder(),
      { path: 'checkpoint-3/model.safetensors', blob: new Blob([bytes(factor)]) },
    ];
    const asked = settings({ new: 'folder:mine#checkpoint-3/model.safetensors', newDtype: 'fp32' });
    const weightsOf = async (factor: number) => {
      await engine.listFolder('mine', checkpoint(factor));
      const events = await finished(engine, asked);
      expect(failure(events)).toBeUndefined();
      const run = events.at(-1)?.run as number;
      const { sequences } = await engine.sequences(run, { low: 0, high: 9, limit: 12 });
      const { fingerprint } = await engine.fingerprint(run, null);
      return { s: sequences.map(({ logWeight }) => logWeight), files: fingerprint.policies };
    };
    const same = await weightsOf(1);
    expect(same.s.every((x) => Math.abs(x) < 1e-5)).toBe(true);
    const { s, files } = await weightsOf(1.05);
    expect(Math.max(...s.map(Math.abs))).toBeGreaterThan(1e-4);
    expect(files?.old).toBe(files?.onnx);
    expect(files?.new).not.toBe(same.files?.new);
    engine.close();
  });

  test('is run beside a checkpoint that is dropped on it', async () => {
    const engine = client();
    const { weights } = liftWeights(decode(Uint8Array.from(foreignModel().onnx.model)));
    await engine.listFolder('mine', folder());
    const weightsOf = async (factor: number) => {
      const changed = new Map(
        [...weights].map(([name, { shape, values }]) => {
          return [name, { shape, values: values.map((x) => x * factor) }];
        }),
      );
      const file = { path: 'mine.safetensors', blob: new Blob([writeSafetensors(changed)]) };
      const { path } = await engine.addCheckpoint('folder:mine', file);
      const asked = settings({ new: `folder:mine#${path}`, newDtype: 'fp32' });
      const events = await finished(engine, asked);
      expect(failure(events)).toBeUndefined();
      const run = events.at(-1)?.run as number;
      const { sequences } = await engine.sequences(run, { low: 0, high: 9, limit: 12 });
      return Math.max(...sequences.map(({ logWeight }) => Math.abs(logWeight)));
    };
    expect(await weightsOf(1)).toBeLessThan(1e-5);
    expect(await weightsOf(1.01)).toBeGreaterThan(1e-4);
    engine.close();
  });

  test('a load that is cancelled is begun anew for whoever waits for it', async () => {
    const engine = client();
    await engine.listFolder('mine', folder());
    const ask = { ref: 'folder:mine', dtype: 'fp32', backend: 'wasm' } as const;
    const first = new AbortController();
    const begun: string[] = [];
    const cancelled = engine.openModel(
      ask,
      ({ what }) => {
        begun.push(what);
        first.abort();
      },
      first.signal,
    );
    const waiting = engine.openModel(ask);
    await expect(cancelled).rejects.toMatchObject({ name: 'AbortError' });
    expect(begun.length).toBeGreaterThan(0);
    expect((await waiting).probe.provider).toBe('wasm');
    // Nothing of the cancelled one is left: it opens as any other does, and runs.
    const events = await finished(engine, settings({}));
    expect(failure(events)).toBeUndefined();
    engine.close();
  });

  test('a verifier gives rewards', async () => {
    const engine = client();
    await engine.listFolder('mine', folder());
    const asked = settings({ newDtype: 'fp16', verifier: 'regexp', pattern: '.' });
    const events = await finished(engine, asked);
    expect(failure(events)).toBeUndefined();
    const { sequences } = await engine.sequences(events[0]?.run as number, {
      low: 0,
      high: 9,
      limit: 3,
    });
    expect(sequences.map(({ reward }) => reward)).toEqual([1, 1, 1]);
    engine.close();
  });
});

describe('what cannot be run is said', () => {
  test.for<[string, Partial<ModelsSource>, RegExp]>([
    ['a model that is not here', { new: 'hub:nobody/nothing' }, /nobody\/nothing/],
    ['a graph that it has not', { newDtype: 'q8' }, /q8/],
    [
      'a checkpoint that it has not',
      { new: 'folder:mine#a.safetensors', newDtype: 'fp32' },
      /mine has no checkpoint a\.safetensors\. It has: none/,
    ],
    ['no chat template', { chat: true }, /no chat template/],
    ['a pattern that might run for ever', { verifier: 'regexp', pattern: '(a+)+' }, /for ever/],
    ['answers that are not there', { verifier: 'last-number' }, /has no answer/],
  ])('%s', async ([, more, sentence]) => {
    const engine = client();
    await engine.listFolder('mine', folder());
    expect(failure(await finished(engine, settings(more)))).toMatch(sentence);
    engine.close();
  });

  test('two tokenizers', async () => {
    const engine = client();
    await engine.listFolder('mine', folder());
    const { tokenizer } = foreignFiles() as { tokenizer: { model: { vocab: object } } };
    const names = Object.entries(tokenizer.model.vocab) as [string, number][];
    const last = Math.max(...names.map(([, id]) => id));
    const vocab = Object.fromEntries(names.map(([name, id]) => [id === last ? 'zzz' : name, id]));
    const other = { ...tokenizer, model: { ...tokenizer.model, vocab, merges: [] } };
    await engine.listFolder('other', folder({ tokenizer: other }));
    const events = await finished(engine, settings({ new: 'folder:other' }));
    expect(failure(events)).toMatch(/different tokenizers: token \d+/);
    engine.close();
  });
});
