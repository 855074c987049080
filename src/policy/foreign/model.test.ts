/** Foreign models on wasm: a model that was not made here in four export shapes, and what must not crash a tab. */
import { create } from '@bufbuild/protobuf';
import {
  StringStringEntryProtoSchema,
  TensorProto_DataLocation,
  TensorProto_DataType,
  TensorProtoSchema,
} from 'onnx-buf';
import { beforeAll, describe, expect, test } from 'vitest';
import { FORMS, type Form } from '../../../scripts/node/foreign';
import { foreignFiles } from '../../../scripts/node/model-files';
import { NODE_ASSETS } from '../../../scripts/node/ort';
import { nodeOf, portInfo } from '../graph/make';
import { rowBytes } from '../graph/ports';
import { decode, encode, type OnnxModel } from '../graph/proto';
import { loadRuntime, type Runtime } from '../runtime';
import { sampleSequences } from '../sample';
import { sampleOnCpu } from '../sample-cpu';
import { scoreSequences } from '../score';
import { readConfig } from './config';
import { prepareGraph } from './graph';
import { planMemory } from './memory';
import { ForeignModel } from './model';
import type { ModelFiles } from './repository';

const NO_WEIGHTS = { feeds: {}, dispose: () => undefined };
let runtime: Runtime;

beforeAll(async () => {
  runtime = await loadRuntime('wasm', { assets: NODE_ASSETS });
});

const open = (files: ModelFiles) =>
  ForeignModel.open(files, { gpu: null, wasm: () => Promise.resolve(runtime) });

const known = new Map<Form, Promise<ForeignModel>>();
function model(form: Form): Promise<ForeignModel> {
  const found = known.get(form) ?? open(foreignFiles(form));
  known.set(form, found);
  return found;
}

/** A text that either model finds likely, in its own tokens. */
function text({ tokenizer }: ForeignModel): number[] {
  try {
    const ids = tokenizer.encode('8*3+2-6=24+2-6=26-6=20;');
    if (tokenizer.decode(ids).startsWith('8*3')) return ids;
  } catch {
    // it knows other characters
  }
  return tokenizer.encode('Once upon a time, there was a little girl named Lily.');
}

async function greedy(
  { session, ends, padToken, maxPositions }: ForeignModel,
  prompts: number[][],
) {
  const [endToken, ...alsoEnds] = ends;
  const { sequences } = await sampleSequences(session, NO_WEIGHTS, {
    prompts,
    temperature: 0,
    maxLength: 12,
    maxPositions,
    seed: 1,
    firstSequence: 0,
    endToken,
    alsoEnds,
    padToken,
  });
  return sequences.map(({ tokens }) => tokens);
}

describe('four export shapes', () => {
  test('each is run, and its forms agree to its own noise', async () => {
    for (const form of FORMS) {
      const { probe, provider } = (await model(form)).report;
      expect(provider).toBe('wasm');
      const used = probe.forms.filter((one) => one.used).map((one) => one.form);
      expect(used, form).toEqual(expect.arrayContaining(['same length', 'right', 'cached']));
      expect(probe.floor.logp, form).toBeLessThan(probe.margin);
      expect(probe.floor.logS, form).toBeLessThan(1e-3);
    }
  });

  test('rows are padded on the left only where that gives the same numbers', async () => {
    expect((await model('model')).session.rules.decode).toBe('padded');
    const fused = await model('model_gqa');
    expect(fused.session.rules.decode).toBe('same length');
    expect(fused.report.probe.forms.find(({ form }) => form === 'left')?.used).toBe(false);
  });

  test('a batch of prompts of different lengths is answered as each is alone', async () => {
    for (const form of ['model', 'model_fp16'] as const) {
      const one = await model(form);
      const whole = text(one);
      const prompts = [whole.slice(0, 9), whole.slice(0, 4), whole.slice(0, 4), whole.slice(0, 6)];
      const together = await greedy(one, prompts);
      for (const [i, prompt] of prompts.entries()) {
        expect(together[i], `${form} ${i}`).toEqual((await greedy(one, [prompt]))[0]);
      }
    }
  });

  test('responses to one prompt are what each is alone, and the prompt is computed once', async () => {
    const one = await model('model_gqa');
    const { session, padToken, maxPositions } = one;
    const [first, second] = [text(one).slice(0, 5), text(one).slice(2, 7)];
    const ask = async (prompts: number[][], firstSequence: number) => {
      const { sequences } = await sampleSequences(session, NO_WEIGHTS, {
        ...{ prompts, firstSequence, temperature: 1, maxLength: 8, maxPositions },
        ...{ seed: 3, endToken: -1, padToken },
      });
      return sequences.map(({ tokens }) => tokens);
    };
    const prompts = [first, second, first, first];
    const rows: number[] = [];
    const forward = session.forward.bind(session);
    session.forward = (weights, inputs) => {
      rows.push(inputs.inputIds.dims[0]);
      return forward(weights, inputs);
    };
    const together = await ask(prompts, 9);
    expect(rows.slice(0, 2)).toEqual([2, 4]);
    session.forward = forward;
    for (const [i, prompt] of prompts.entries()) {
      expect(together[i]).toEqual((await ask([prompt], 9 + i))[0]);
    }
    expect(together[2]).not.toEqual(together[3]);
  });

  test('top-p draws the same tokens in the loop and step by step where a graph hands on whole caches', async () => {
    const one = await model('model');
    const { session, padToken, maxPositions } = one;
    const prompts = [5, 5, 5].map((length) => text(one).slice(0, length));
    const asked = {
      ...{ prompts, firstSequence: 2, temperature: 1, topP: 0.5, maxLength: 24, maxPositions },
      ...{ seed: 3, endToken: -1, padToken },
    };
    const tokensOf = (all: { tokens: number[] }[]) => all.map(({ tokens }) => tokens);
    const { sequences, scored } = await sampleSequences(session, NO_WEIGHTS, asked);
    expect(scored).not.toBeNull();
    expect(tokensOf(sequences)).toEqual(tokensOf(await sampleOnCpu(session, NO_WEIGHTS, asked)));
    expect(Math.min(...sequences.flatMap(({ logKept = [] }) => logKept))).toBeLessThan(-0.1);
  });

  test('log-probs of another export of the same weights are the same', async () => {
    const [plain, fused] = [await model('model'), await model('model_gqa')];
    const ids = text(plain);
    const score = async ({ session, kernels, padToken }: ForeignModel) =>
      (
        await scoreSequences(
          session,
          NO_WEIGHTS,
          kernels,
          [{ prompt: ids.slice(0, 1), response: ids.slice(1) }],
          padToken,
        )
      ).logp;
    const [a, b] = [await score(plain), await score(fused)];
    a.forEach((x, i) => expect(Math.abs(x - b[i])).toBeLessThan(1e-3));
  });

  test('logits come for the rows that are asked for, and are those of the whole graph', async () => {
    const files = foreignFiles('model');
    const graph = prepareGraph(files, readConfig(files.config, files.generationConfig));
    expect(graph.rows).not.toBeNull();
    const { session, tokenizer } = await model('model');
    const ids = text(await model('model'));
    const input = {
      inputIds: session.integers(ids, [1, ids.length]),
      attentionMask: session.integers(Array(ids.length).fill(1), [1, ids.length]),
      positionIds: session.integers([...ids.keys()], [1, ids.length]),
    };
    const all = await session.forward(NO_WEIGHTS, input);
    const last = await session.forward(NO_WEIGHTS, { ...input, rows: [ids.length - 1] });
    expect(tokenizer.size).toBeLessThanOrEqual(all.logits.dims[2]);
    expect(last.logits.dims).toEqual([1, 1, all.logits.dims[2]]);
    const whole = all.logits.data as Float32Array;
    expect(Array.from(last.logits.data as Float32Array)).toEqual(
      Array.from(whole.slice(-all.logits.dims[2])),
    );
  });

  test('a response longer than a pass may hand out logits for is scored in parts', async () => {
    const { session, kernels, padToken, report } = await model('model');
    const ids = text(await model('model'));
    const sequences = [{ prompt: ids.slice(0, 1), response: ids.slice(1) }];
    const score = () => scoreSequences(session, NO_WEIGHTS, kernels, sequences, padToken);
    const whole = await score();
    const before = session.rules;
    session.rules = { ...before, logitBytes: 3 * 4 * report.vocabulary };
    const parts = await score();
    session.rules = before;
    expect(Array.from(parts.logp)).toEqual(Array.from(whole.logp));
  });
});

/** The plain export with a change. */
function changed(change: (model: OnnxModel) => void, more: Partial<ModelFiles> = {}): ModelFiles {
  const files = foreignFiles('model');
  const graph = decode(files.onnx);
  change(graph);
  return { ...files, onnx: encode(graph), ...more };
}

describe('hostile and odd graphs are refused with a sentence', () => {
  test.for<[string, () => ModelFiles, RegExp]>([
    [
      'no graph',
      () => ({ ...foreignFiles(), onnx: new Uint8Array([1, 2, 3]) }),
      /not an ONNX|no graph/,
    ],
    [
      'a file that was cut',
      () => {
        const { onnx } = foreignFiles();
        return { ...foreignFiles(), onnx: onnx.slice(0, onnx.length / 2) };
      },
      /not an ONNX model|no input of token ids|onnxruntime does not take/,
    ],
    [
      'logits of another type',
      () =>
        changed(({ graph }) => {
          graph.output = graph.output.map((info) =>
            info.name === 'logits'
              ? portInfo('logits', TensorProto_DataType.DOUBLE, ['batch', 'length', 512])
              : info,
          );
        }),
      /"logits" is neither float32 nor float16/,
    ],
    [
      'a mask of another type',
      () =>
        changed(({ graph }) => {
          graph.input = graph.input.map((info) =>
            info.name === 'attention_mask'
              ? portInfo('attention_mask', TensorProto_DataType.STRING, ['batch', 'length'])
              : info,
          );
        }),
      /"attention_mask" is not \[batch, length\] of whole numbers/,
    ],
    [
      'weights of a type that is none',
      () =>
        changed(({ graph }) => {
          for (const tensor of graph.initializer) tensor.dataType = 99;
        }),
      /onnxruntime does not take this graph/,
    ],
    [
      'no token ids',
      () =>
        changed(({ graph }) => (graph.input = graph.input.filter(({ name }) => /past/.test(name)))),
      /no input of token ids/,
    ],
    [
      'no logits',
      () =>
        changed(
          ({ graph }) => (graph.output = graph.output.filter(({ name }) => /present/.test(name))),
        ),
      /no output of logits/,
    ],
    [
      'an input that nobody feeds',
      () =>
        changed(({ graph }) =>
          graph.input.push(portInfo('pixel_values', TensorProto_DataType.FLOAT, [1, 3])),
        ),
      /Nothing is known to feed the input "pixel_values"/,
    ],
    [
      'a cache that is its own output',
      () =>
        changed(({ graph }) => {
          const cache = graph.input.find(({ name }) => /key$/.test(name));
          const output = graph.output.find(({ name }) => /key$/.test(name));
          if (!cache || !output) throw new Error('The model has no cache.');
          const { name } = output;
          output.name = cache.name;
          cache.name = 'past_0';
          graph.output.push({ ...output, name: 'present_0' }, { ...output, name });
          graph.input.push({ ...cache, name: 'present_0' });
        }),
      /in a circle|Nothing is known to feed/,
    ],
    [
      'ids of another type',
      () =>
        changed(({ graph }) => {
          graph.input = graph.input.map((info) =>
            info.name === 'input_ids'
              ? portInfo('input_ids', TensorProto_DataType.FLOAT, ['batch', 'length'])
              : info,
          );
        }),
      /is no input of token ids/,
    ],
    [
      'a cache of another type',
      () =>
        changed(({ graph }) => {
          graph.input = graph.input.map((info) =>
            /^past/.test(info.name)
              ? portInfo(info.name, TensorProto_DataType.INT64, ['batch', 4, 'past', 8])
              : info,
          );
        }),
      /element type|neither float32 nor float16/,
    ],
    [
      'weights that claim gigabytes',
      () =>
        changed(({ graph }) => {
          const tensor = graph.initializer[0];
          if (tensor) tensor.dims = [30_000n, 12_500n];
        }),
      /claims \[30000, 12500\], \d{9,10} bytes, and holds/,
    ],
    [
      'external data that is not there',
      () =>
        changed(({ graph }) =>
          graph.initializer.push(
            create(TensorProtoSchema, {
              name: 'far',
              dims: [800_000_000n],
              dataType: TensorProto_DataType.FLOAT,
              dataLocation: TensorProto_DataLocation.EXTERNAL,
              externalData: [
                create(StringStringEntryProtoSchema, {
                  key: 'location',
                  value: '../../etc/passwd',
                }),
              ],
            }),
          ),
        ),
      /is not beside the graph/,
    ],
    [
      'external data that was cut',
      () =>
        changed(
          ({ graph }) =>
            graph.initializer.push(
              create(TensorProtoSchema, {
                name: 'far',
                dims: [750_000_000n],
                dataType: TensorProto_DataType.FLOAT,
                dataLocation: TensorProto_DataLocation.EXTERNAL,
                externalData: [
                  create(StringStringEntryProtoSchema, {
                    key: 'location',
                    value: 'model.onnx_data',
                  }),
                ],
              }),
            ),
          { external: new Map([['model.onnx_data', new Uint8Array(100)]]) },
        ),
      /which has 100\. The file was cut/,
    ],
    [
      'an operator that no runtime has',
      () =>
        changed(({ graph }) => {
          const logits = graph.output.find(({ name }) => name === 'logits');
          graph.node.push(nodeOf('Wizardry', ['logits'], 'spell', {}, 'com.nobody'));
          if (logits) logits.name = 'spell';
        }),
      /onnxruntime does not take this graph/,
    ],
    [
      'no token that ends a text',
      () => ({
        ...foreignFiles(),
        config: { model_type: 'llama' },
        generationConfig: null,
        tokenizerConfig: null,
      }),
      /name no token that ends a text/,
    ],
    ['a config of another kind', () => ({ ...foreignFiles(), config: [1] }), /config\.json/],
    [
      'end tokens beyond the vocabulary',
      () => ({ ...foreignFiles(), config: { eos_token_id: 9e5 }, generationConfig: null }),
      /eos_token_id is 900000/,
    ],
    ['no tokenizer', () => ({ ...foreignFiles(), tokenizer: { model: {} } }), /tokenizer\.json/],
  ])('%s', async ([, files, sentence]) => {
    await expect(open(files())).rejects.toThrow(sentence);
  });

  test('caches that cross are refused', () => {
    const files = changed(({ graph }) => {
      const [first, second] = graph.input.filter(({ name }) => /^past/.test(name));
      if (first && second) graph.input = graph.input.filter((info) => info !== second);
      if (first)
        graph.input.push({ ...first, name: first.name.replace('past_key_values', 'past') });
    });
    expect(() => prepareGraph(files, readConfig(files.config, null))).toThrow(/in a circle/);
  });
});

test('what does not fit is said before it is loaded', () => {
  const graph = {
    weightBytes: 2e9,
    largestBytes: 600e6,
    rowBytes: { perPosition: 100e3, fixed: 0 },
    vocabulary: 151_936,
    external: new Map(),
  };
  expect(() => planMemory(graph, 'wasm', 4096, null)).toThrow(/Choose a graph of fewer bits/);
  const limits = { maxBufferSize: 256 * 2 ** 20, maxStorageBufferBindingSize: 128 * 2 ** 20 };
  expect(() => planMemory(graph, 'webgpu', 4096, limits)).toThrow(/largest weight/);
  const small = planMemory(
    { ...graph, weightBytes: 2e8, largestBytes: 2e8 },
    'webgpu',
    4096,
    limits,
  );
  expect(small.logitBytes).toBeLessThanOrEqual(limits.maxBufferSize);
  // More than there is room for is not a reason against a model, but against its longest texts.
  expect(small.positions).toBeLessThan(4096);
  expect(small.positions).toBeGreaterThan(2048);
});

test('a config that claims millions of positions has as many as there is memory for', async () => {
  const files = foreignFiles();
  const config = { ...(files.config as object), max_position_embeddings: 2 ** 24 };
  const one = await open({ ...files, config });
  expect(one.report.maxPositions).toBe(2 ** 24);
  expect(one.report.positions).toBeLessThan(2 ** 20);
  expect(one.maxPositions).toBe(one.report.positions);
  await one.dispose();
});

test('as many rows are sampled together as their own lengths leave room for', async () => {
  const { session } = await model('model_gqa');
  const before = session.rules;
  const { perPosition } = rowBytes(session.ports.caches);
  session.rules = { ...before, cacheBytes: 2 * perPosition * 512 };
  expect(session.rowsFor(8, 512)).toBe(1);
  expect(session.rowsFor(8, 64)).toBe(8);
  session.rules = before;
});

test('whether a gradient can be taken is said, with what is in the way', async () => {
  expect((await model('model')).report.noGradient).toBeNull();
  expect((await model('model_gqa')).report.noGradient).toBeNull();
  expect((await model('model_fp16')).report.noGradient).toMatch(/float16.*Choose the fp32 file/);
  const files = changed(({ graph }) => {
    graph.node.push(nodeOf('NonZero', ['input_ids'], 'nobody reads this'));
  });
  const one = await open(files);
  expect(one.report.noGradient).toMatch(/NonZero at node "nobody reads this\.node"/);
  await one.dispose();
});

test('a small model is not said to take what a large one does', async () => {
  const { report } = await model('model');
  const caches = 512 * 2 ** 20;
  expect(report.memory).toBeLessThan(3 * report.bytes + caches);
  // The stories of 260 thousand weights, and the policies of the lab: far below what two passes of logits could be.
  expect(report.memory).toBeLessThan(200e6);
  expect(report.memory).toBeGreaterThan(report.bytes);
});

test('inputs and outputs of other types are fed and read all the same', async () => {
  const files = changed(({ graph }) => {
    graph.input = graph.input.map((info) => {
      if (!['input_ids', 'attention_mask', 'position_ids'].includes(info.name)) return info;
      graph.node.unshift(nodeOf('Cast', [`${info.name}.narrow`], info.name, { to: 7 }));
      return portInfo(`${info.name}.narrow`, TensorProto_DataType.INT32, ['batch', 'length']);
    });
  });
  const names = {
    tokens: 'input_ids.narrow',
    mask: 'attention_mask.narrow',
    positions: 'position_ids.narrow',
  };
  const narrow = await open({ ...files, config: { ...(files.config as object), lab: names } });
  const plain = await model('model');
  const prompt = text(plain).slice(0, 5);
  expect(await greedy(narrow, [prompt])).toEqual(await greedy(plain, [prompt]));
  await narrow.dispose();
});
