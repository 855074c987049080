/** Shapes in which models stand on a hub, each written over one model here and run on WebAssembly. */
import { beforeAll, describe, expect, test } from 'vitest';
import {
  beside,
  in8Bits,
  merged,
  withConvolutions,
  type Quantisation,
} from '../../../models/build/hub-shapes';
import { inHalf } from '../../../models/build/hub-author';
import { foreignModel } from '../../../scripts/node/foreign';
import { foreignFiles } from '../../../scripts/node/model-files';
import { NODE_ASSETS } from '../../../scripts/node/ort';
import { attributeOf, floats } from '../graph/make';
import { decode, dimensions, encode, floatValues, integerValues } from '../graph/proto';
import { ModelLibrary } from '../hub/library';
import { loadRuntime, type Runtime } from '../runtime';
import { sampleSequences } from '../sample';
import { scoreSequences } from '../score';
import { ForeignModel } from './model';
import type { Form } from './report';
import { unpackBlocks } from './unpack';

const NO_WEIGHTS = { feeds: {}, dispose: () => undefined };
const { architecture, text } = foreignModel();
let runtime: Runtime;
let plain: ForeignModel;

const open = (onnx: Uint8Array<ArrayBuffer>) => opened({ ...foreignFiles(), onnx });
const opened = (files: ReturnType<typeof foreignFiles>) =>
  ForeignModel.open(files, { gpu: null, wasm: () => Promise.resolve(runtime) });

beforeAll(async () => {
  runtime = await loadRuntime('wasm', { assets: NODE_ASSETS });
  plain = await open(foreignFiles().onnx);
}, 120_000);

const logProbs = async ({ session, kernels, padToken }: ForeignModel) => {
  const sequences = [
    { prompt: text.slice(0, 1), response: text.slice(1) },
    { prompt: text.slice(0, 2), response: text.slice(2, 8) },
  ];
  return (await scoreSequences(session, NO_WEIGHTS, kernels, sequences, padToken)).logp;
};

const furthest = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Math.max(...Array.from(a, (x, i) => Math.abs(x - b[i])));

async function greedy(model: ForeignModel, prompts = [text.slice(0, 6), text.slice(0, 3)]) {
  const { session, ends, padToken, maxPositions } = model;
  const { sequences } = await sampleSequences(session, NO_WEIGHTS, {
    prompts,
    temperature: 0,
    maxLength: 12,
    maxPositions,
    seed: 1,
    firstSequence: 0,
    endToken: ends[0],
    padToken,
  });
  return sequences.map(({ tokens }) => tokens);
}

/** The same, with everything computed again for each token. */
async function greedyAnew(model: ForeignModel) {
  const { session } = model;
  const before = session.rules;
  session.rules = { ...before, decode: 'alone', cached: false };
  const tokens = await greedy(model);
  session.rules = before;
  return tokens;
}

const usedForms = ({ report }: ForeignModel): Form[] =>
  report.probe.forms.filter(({ used }) => used).map(({ form }) => form);

describe('states of convolutions', () => {
  const { hiddenSize } = architecture;

  test('that let everything through change nothing', async () => {
    const one = await open(
      withConvolutions(foreignFiles().onnx, hiddenSize, [
        [0, 0, 1],
        [0, 1],
      ]),
    );
    expect(one.report.caches).toBe(plain.report.caches + 2);
    expect(furthest(await logProbs(one), await logProbs(plain))).toBeLessThan(1e-5);
    expect(await greedy(one)).toEqual(await greedy(plain));
    await one.dispose();
  });

  test.for([['model'], ['model_gqa']] as const)(
    'are handed on between the tokens of %s, and rows padded in front of them are not used',
    async ([form]) => {
      const kernels = [
        [0.2, -0.3, 0.9],
        [0.1, 0.2, 0.1, 0.8],
      ];
      const { onnx } = foreignFiles(form);
      const one = await open(withConvolutions(onnx, hiddenSize, kernels));
      expect(furthest(await logProbs(one), await logProbs(plain))).toBeGreaterThan(0.1);
      expect(usedForms(one)).toEqual(['same length', 'right', 'cached']);
      expect(one.report.probe.floor.logp).toBeLessThan(1e-4);
      expect(await greedy(one)).toEqual(await greedyAnew(one));
      await one.dispose();
    },
  );
});

describe('decoder_model_merged', () => {
  test.for([['model'], ['model_gqa']] as const)(
    'of %s says what its one decoder says, with caches and without',
    async ([form]) => {
      const { onnx } = foreignFiles(form);
      const one = await open(merged(onnx));
      expect(usedForms(one)).toContain('cached');
      expect(one.report.vocabulary).toBe(plain.report.vocabulary);
      expect(furthest(await logProbs(one), await logProbs(plain))).toBeLessThan(1e-3);
      expect(await greedy(one)).toEqual(await greedy(plain));
      await one.dispose();
    },
  );

  test('of 8 bits has their noise, and its vocabulary is found in its branches', async () => {
    const how = { dynamic: true, perChannel: false, signed: true };
    const inner = decode(merged(in8Bits(foreignFiles().onnx, how)));
    const [logits] = inner.graph.output;
    const shape = logits?.type?.value.case === 'tensorType' ? logits.type.value.value.shape : null;
    const last = shape?.dim.at(-1);
    if (last) last.value = { case: 'dimParam', value: 'vocabulary' };
    const one = await open(encode(inner));
    expect(one.report.probe.margin).toBe(0.5);
    expect(one.report.vocabulary).toBe(plain.report.vocabulary);
    await one.dispose();
  });

  test('behind states of convolutions, which have no length of their own', async () => {
    const { hiddenSize } = architecture;
    const { onnx } = foreignFiles();
    const one = await open(merged(withConvolutions(onnx, hiddenSize, [[0.2, -0.3, 0.9]])));
    expect(usedForms(one)).toContain('cached');
    expect(await greedy(one)).toEqual(await greedyAnew(one));
    await one.dispose();
  });
});

/** The weights of a graph of 8 bits, in a graph of float32. */
function unrounded(onnx: Uint8Array): Uint8Array<ArrayBuffer> {
  const base = decode(foreignFiles().onnx);
  const stored = new Map(decode(onnx).graph.initializer.map((tensor) => [tensor.name, tensor]));
  base.graph.initializer = base.graph.initializer.map((tensor) => {
    const q = stored.get(`${tensor.name}_quantized`);
    const [scale, zero] = ['scale', 'zero_point'].map((part) =>
      stored.get(`${tensor.name}_${part}`),
    );
    if (!q || !scale || !zero) return tensor;
    const dims = dimensions(tensor);
    const steps = q.dataType === 3 ? new Int8Array(q.rawData.slice().buffer) : q.rawData;
    const scales = floatValues(scale);
    const zeros = q.dataType === 3 ? scales.map(() => 0) : integerValues(zero);
    const values = Float32Array.from(steps, (step, i) => {
      const channel = scales.length === 1 ? 0 : i % dims[1];
      return (step - zeros[channel]) * scales[channel];
    });
    return floats(tensor.name, dims, values);
  });
  return encode(base);
}

describe('weights of 8 bits', () => {
  test.for<Quantisation>([
    { dynamic: false, perChannel: false, signed: false },
    { dynamic: false, perChannel: true, signed: true },
    { dynamic: true, perChannel: false, signed: true },
    { dynamic: true, perChannel: false, signed: false },
    { dynamic: true, perChannel: true, signed: true },
  ])('%j', async (how) => {
    const onnx = in8Bits(foreignFiles().onnx, how);
    expect(onnx.length).toBeLessThan(0.4 * foreignFiles().onnx.length);
    const one = await open(onnx);
    const same = await open(unrounded(onnx));
    // Activations of 8 bits move the log-probs; weights alone are those of float32 that hold them.
    const apart = furthest(await logProbs(one), await logProbs(same));
    expect(apart).toBeLessThan(how.dynamic ? 1 : 1e-4);
    expect(furthest(await logProbs(one), await logProbs(plain))).toBeGreaterThan(1e-3);
    expect(one.report.noGradient).not.toBeNull();
    const failed = one.report.probe.forms.filter(({ problem }) => problem !== null);
    expect(failed.every(({ form }) => form === 'loop')).toBe(true);
    expect(one.report.probe.margin).toBe(how.dynamic ? 0.5 : 2e-3);
    expect((await greedy(one)).every((tokens) => tokens.length > 0)).toBe(true);
    await one.dispose();
    await same.dispose();
  });
});

describe('matrices of 4 bits that are unpacked for WebAssembly', () => {
  test('are the same numbers to rounding, whichever product they stand in', async () => {
    const files = foreignFiles('model_q4');
    const packed = await opened(files);
    const one = await ForeignModel.open(files, {
      gpu: null,
      wasm: () => Promise.resolve(runtime),
      unpackFrom: 0,
    });
    expect([packed.report.unpacked, one.report.unpacked]).toEqual([false, true]);
    expect(one.report.bytes).toBeGreaterThan(2 * packed.report.bytes);
    expect(furthest(await logProbs(one), await logProbs(packed))).toBeLessThan(2e-5);
    expect(await greedy(one)).toEqual(await greedy(packed));
    await packed.dispose();
    await one.dispose();
  });

  test('are left as they are where they are multiplied in 8 bits or half precision, or are too large', () => {
    const { onnx, external } = foreignFiles('model_q4');
    const limits = { least: 0, most: 1e9 };
    const unpacked = unpackBlocks({ onnx, external }, limits);
    expect(decode(unpacked?.onnx ?? onnx).graph.node.map(({ opType }) => opType)).not.toContain(
      'MatMulNBits',
    );
    expect(unpackBlocks({ onnx, external }, { least: 0, most: 1000 })).toBeNull();
    expect(unpackBlocks({ onnx: inHalf(onnx), external }, limits)).toBeNull();
    const rounding = decode(onnx);
    for (const node of rounding.graph.node) {
      node.attribute = node.attribute.filter(({ name }) => name !== 'accuracy_level');
      if (node.opType === 'MatMulNBits') node.attribute.push(attributeOf('accuracy_level', 4));
    }
    expect(unpackBlocks({ onnx: encode(rounding), external }, limits)).toBeNull();
  });
});

describe('half precision', () => {
  test.for([['model_gqa'], ['model_q4']] as const)(
    'of %s, caches and logits too',
    async ([form]) => {
      const full = await open(foreignFiles(form).onnx);
      const one = await open(inHalf(foreignFiles(form).onnx));
      expect(one.report.types).toEqual(['float16']);
      expect(one.report.probe.margin).toBe(0.1);
      expect(usedForms(one)).toContain('cached');
      const apart = furthest(await logProbs(one), await logProbs(full));
      expect(apart).toBeGreaterThan(0);
      expect(apart).toBeLessThan(0.1);
      expect((await greedy(one)).every((tokens) => tokens.length > 0)).toBe(true);
      await full.dispose();
      await one.dispose();
    },
  );
});

describe('weights beside the graph, and all of it at the root of its folder', () => {
  test.for([
    ['onnx/', ['model.onnx_data']],
    ['', ['model.onnx_data', 'model.onnx_data_1']],
    ['', ['model.onnx.data']],
  ] as const)('“%s” %j', async ([folder, names]) => {
    const { onnx, data } = beside(foreignFiles().onnx, names);
    expect(onnx.length).toBeLessThan(0.2 * foreignFiles().onnx.length);
    const json = (value: unknown) => new Blob([JSON.stringify(value)]);
    const { config, tokenizer, tokenizerConfig, generationConfig } = foreignFiles();
    const library = new ModelLibrary();
    const { repository } = await library.open('mine', [
      { path: 'config.json', blob: json(config) },
      { path: 'tokenizer.json', blob: json(tokenizer) },
      { path: 'tokenizer_config.json', blob: json(tokenizerConfig) },
      { path: 'generation_config.json', blob: json(generationConfig) },
      { path: `${folder}model.onnx`, blob: new Blob([onnx]) },
      ...[...data].map(([name, bytes]) => ({ path: folder + name, blob: new Blob([bytes]) })),
    ]);
    expect(repository.graphs).toMatchObject([
      { dtype: 'fp32', external: names.map((name) => folder + name) },
    ]);
    const one = await opened(await library.read('folder:mine', 'fp32'));
    expect(one.report.bytes).toBe(plain.report.bytes);
    expect(furthest(await logProbs(one), await logProbs(plain))).toBeLessThan(1e-5);
    expect(await greedy(one)).toEqual(await greedy(plain));
    await one.dispose();
  });
});
