/**
 * One ONNX file, four uses: the shipped policy in onnxruntime-web, in jax-js (logits and gradients) and
 * in Transformers.js, unchanged. In a real browser, since that is where the peers run.
 */
import { init, jit, nn, numpy as np, valueAndGrad } from '@jax-js/jax';
import { ONNXModel } from '@jax-js/onnx';
import { AutoModelForCausalLM, AutoTokenizer, env, type Tensor } from '@huggingface/transformers';
import { beforeAll, describe, expect, test } from 'vitest';
import { SITE_ASSETS } from '../engine/assets';
import { Random, STREAM } from '../math/philox';
import { arithmetic } from '../tasks/arithmetic';
import { heldOutPrompts } from '../tasks/task';
import { padBatch } from './batch';
import { fetchCatalogue, siteFiles } from './fetch';
import { decode } from './graph/proto';
import { liftWeights, type Weights } from './graph/lift';
import { emptyCacheShape } from './graph/ports';
import { PolicyHost } from './host';
import { loadRuntime } from './runtime';
import { sampleSequences } from './sample';
import { disposeTensors } from './session';

const MODELS = new URL('/models/', location.href).href;
const NAME = 'arithmetic-dense';
const RANGE = { minOperators: 1, maxOperators: 6 };

let host: PolicyHost;

beforeAll(async () => {
  const files = siteFiles(MODELS);
  const runtime = await loadRuntime('wasm', { assets: SITE_ASSETS });
  const manifest = (await fetchCatalogue(files)).find(({ name }) => name === NAME);
  if (!manifest) throw new Error(`models/index.json does not list ${NAME}`);
  host = await PolicyHost.open(runtime, files, manifest);
}, 60_000);

describe('jax-js', () => {
  const TEXTS = ['8*3+2-6=24+2-6=26-6=20;', '9-9*9+4=9-81+4=(-72)+4=(-68);'];
  type Params = Record<string, np.Array>;

  const tokens = () => TEXTS.map((text) => host.files.tokenizer.encode(text));

  function openModel(): { model: ONNXModel; weights: Weights } {
    const lifted = liftWeights(decode(host.files.onnx));
    return { model: new ONNXModel(lifted.bytes), weights: lifted.weights };
  }

  /** logits [batch, length, vocabulary] of right-padded texts; consumes the parameters. */
  function forward(model: ONNXModel, params: Params, rows: number[][]): np.Array {
    const length = Math.max(...rows.map((row) => row.length));
    const grid = (value: (row: number[], i: number) => number) =>
      np.array(
        Int32Array.from(rows.flatMap((row) => Array.from({ length }, (_, i) => value(row, i)))),
        { shape: [rows.length, length], dtype: np.int32 },
      );
    const feeds: Params = {
      ...params,
      input_ids: grid((row, i) => row[i] ?? host.files.padToken),
      attention_mask: grid((row, i) => (i < row.length ? 1 : 0)),
      position_ids: grid((row, i) => (i < row.length ? i : 0)),
    };
    for (const cache of host.session.ports.caches) {
      feeds[cache.input.name] = np.zeros(emptyCacheShape(cache, rows.length));
    }
    const { logits, ...rest } = model.run(feeds);
    for (const array of Object.values(rest)) array.dispose();
    return logits;
  }

  const upload = (weights: Weights): Params =>
    Object.fromEntries(
      [...weights].map(([name, { shape, values }]) => [
        name,
        np.array(values, { shape, dtype: np.float32 }),
      ]),
    );

  test('its logits and onnxruntime’s differ by less than 1e-4', async () => {
    await init('wasm');
    const { model, weights } = openModel();
    const rows = tokens();
    const ours = await host.session.forward(
      host.session.upload(weights),
      padBatch(host.session, rows, 'right', host.files.padToken),
    );
    const theirs = await forward(model, upload(weights), rows).data();
    const expected = ours.logits.data as Float32Array;
    const [, length, vocabulary] = ours.logits.dims as [number, number, number];
    let worst = 0;
    rows.forEach((row, r) => {
      for (let i = 0; i < row.length * vocabulary; i++) {
        const at = r * length * vocabulary + i;
        worst = Math.max(worst, Math.abs(theirs[at] - expected[at]));
      }
    });
    disposeTensors(ours.present);
    expect(worst).toBeLessThan(1e-4);
  });

  test('its gradient agrees with finite differences along random directions', async () => {
    await init('wasm');
    const { model, weights } = openModel();
    const rows = tokens();
    const length = Math.max(...rows.map((row) => row.length));
    const vocabulary = host.files.tokenizer.vocabulary.length;
    const pick = new Float32Array(rows.length * length * vocabulary);
    rows.forEach((row, r) => {
      for (let i = 0; i + 1 < row.length; i++) {
        pick[(r * length + i) * vocabulary + row[i + 1]] = 1;
      }
    });
    const loss = (params: Params) =>
      nn
        .logSoftmax(forward(model, params, rows), -1)
        .mul(np.array(pick, { shape: [rows.length, length, vocabulary] }))
        .sum()
        .mul(-1);
    const value = jit(loss);
    const [, gradient] = valueAndGrad(loss)(upload(weights)) as [np.Array, Params];
    const slopes = new Map<string, Float32Array>();
    for (const [name, array] of Object.entries(gradient)) {
      slopes.set(name, (await array.data()) as Float32Array);
    }

    for (const direction of [1, 2, 3]) {
      const random = new Random(direction, STREAM.training);
      const step = new Map<string, Float32Array>();
      let predicted = 0;
      for (const [name, { values }] of weights) {
        const along = values.map(() => random.normal());
        step.set(name, along);
        along.forEach((x, i) => (predicted += x * (slopes.get(name)?.[i] as number)));
      }
      const at = async (h: number) => {
        const moved: Weights = new Map();
        for (const [name, { shape, values }] of weights) {
          const along = step.get(name) as Float32Array;
          moved.set(name, { shape, values: values.map((x, i) => x + h * along[i]) });
        }
        return Number((await value(upload(moved)).data())[0]);
      };
      // Fourth-order central difference: float32 rounding needs a step that large.
      const h = 2e-4;
      const slope =
        (8 * ((await at(h)) - (await at(-h))) - ((await at(2 * h)) - (await at(-2 * h)))) /
        (12 * h);
      expect(Math.abs(slope - predicted)).toBeLessThan(0.02 * Math.abs(predicted) + 0.05);
    }
  });
});

/** All 50 in the full check; each takes as long as 180 steps of decoding. */
const CONTINUED = import.meta.env['CHECK_FULL'] ? 50 : 12;

describe('Transformers.js', () => {
  test(`loads the folder unchanged and decodes greedily as we do, on ${CONTINUED} prompts`, async () => {
    env.allowRemoteModels = false;
    env.allowLocalModels = true;
    // A path, not an address: with an address it looks for tokenizers on its hub only (seen in 4.3).
    env.localModelPath = '/models/';
    const wasm = env.backends.onnx.wasm;
    if (!wasm) throw new Error('Transformers.js has no wasm backend here');
    wasm.wasmPaths = SITE_ASSETS.asyncify;
    wasm.numThreads = 1;
    const tokenizer = await AutoTokenizer.from_pretrained(NAME);
    const model = await AutoModelForCausalLM.from_pretrained(NAME, {
      dtype: 'fp32',
      device: 'wasm',
    });

    const texts = heldOutPrompts(arithmetic, 31, RANGE, CONTINUED);
    const encoded = tokenizer(texts, { padding: true });
    const generated = (await model.generate({
      ...encoded,
      do_sample: false,
      max_new_tokens: 180,
    })) as Tensor;
    const width = encoded.input_ids.dims[1];
    const rows = generated.tolist() as bigint[][];

    const weights = host.session.upload(host.session.fileWeights);
    const { sequences: ours } = await sampleSequences(host.session, weights, {
      prompts: texts.map((text) => host.files.tokenizer.encode(text)),
      firstSequence: 0,
      temperature: 0,
      maxLength: 180,
      maxPositions: host.files.maxPositions,
      seed: 1,
      endToken: host.files.endToken,
      padToken: host.files.padToken,
    });
    const { endToken } = host.files;
    ours.forEach(({ tokens }, i) => {
      const theirs = rows[i].slice(width).map(Number);
      const end = theirs.indexOf(endToken);
      expect(end < 0 ? theirs : theirs.slice(0, end + 1), texts[i]).toEqual(tokens);
    });
  });
});
