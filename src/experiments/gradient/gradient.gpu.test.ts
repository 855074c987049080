/**
 * The experiment `gradient` tells the norm of d loss / d logits from two kernel outputs per token, log p_y
 * and sum p^2, without logits. Here the shipped policy's logits are there: jax-js differentiates each
 * objective, written as a trainer writes it, with respect to them, and with respect to all weights of the
 * policy. In a real browser, since that is where jax-js and the kernels run.
 */
import { grad, init, lax, nn, numpy as np } from '@jax-js/jax';
import { ONNXModel } from '@jax-js/onnx';
import { beforeAll, describe, expect, test } from 'vitest';
import { SITE_ASSETS } from '../../engine/assets';
import { createGpuKernels } from '../../gpu/kernels';
import { testDevice } from '../../gpu/testing';
import { evaluateObjective } from '../../math/objectives/evaluate';
import { recommended, type ObjectiveSettings } from '../../math/objectives/registry';
import { fetchCatalogue, siteFiles } from '../../policy/fetch';
import { liftWeights, type Weights } from '../../policy/graph/lift';
import { emptyCacheShape } from '../../policy/graph/ports';
import { decode } from '../../policy/graph/proto';
import { PolicyHost } from '../../policy/host';
import { loadRuntime } from '../../policy/runtime';
import { scoreSequences } from '../../policy/score';
import type { Rollouts } from '../../rollouts/rollouts';
import { logitNorms, measureObjective } from './mass';

type Params = Record<string, np.Array>;

const MODELS = new URL('/models/', location.href).href;
/** Prompt, response, advantage: lengths differ, signs too, and the last answer is a wrong one. */
const RESPONSES = [
  ['8*3+2-6=', '24+2-6=26-6=20;', 1.2],
  ['8*3+2-6=', '24+(-4)=20;', -0.4],
  ['1+1=', '2;', -0.9],
  ['9-9*9+4=', '9-81+4=(-72)+4=(-68);', 0.7],
  ['9-9*9+4=', '0*9+4=0+4=4;', -1.1],
] as const;
/** GSPO's published band clips nearly all of so distant a pair; this one leaves both kinds. */
const BANDS = { gspo: { low: 0.02, high: 0.02 }, grpo: { low: 0.2, high: 0.2 } } as const;

let host: PolicyHost;
let rollouts: Rollouts;
/** prompt and response tokens of each row */
let rows: number[][];
let prompts: number[];

beforeAll(async () => {
  await init('wasm');
  const files = siteFiles(MODELS);
  const runtime = await loadRuntime('wasm', { assets: SITE_ASSETS });
  const manifest = (await fetchCatalogue(files)).find(({ name }) => name === 'arithmetic-dense');
  if (!manifest) throw new Error('models/index.json does not list arithmetic-dense');
  host = await PolicyHost.open(runtime, files, manifest);
  const encode = (text: string) => host.files.tokenizer.encode(text);
  const sequences = RESPONSES.map(([prompt, response]) => ({
    prompt: encode(prompt),
    response: encode(response),
  }));
  rows = sequences.map(({ prompt, response }) => [...prompt, ...response]);
  prompts = sequences.map(({ prompt }) => prompt.length);
  const kernels = createGpuKernels(await testDevice());
  const score = (weights: Weights) =>
    scoreSequences(
      host.session,
      host.session.upload(weights),
      kernels,
      sequences,
      host.files.padToken,
    );
  const old = await score(await host.checkpoint('step-03800'));
  const theta = await score(host.session.fileWeights);
  const offsets = new Uint32Array(sequences.length + 1);
  sequences.forEach(({ response }, i) => {
    offsets[i + 1] = offsets[i] + response.length;
  });
  rollouts = {
    offsets,
    tokenIds: Int32Array.from(sequences.flatMap(({ response }) => response)),
    logpOld: old.logp,
    logpNew: theta.logp,
    collisionNew: theta.collision,
    entropyOld: old.entropy,
    group: Uint32Array.of(0, 0, 1, 2, 2),
    reward: new Float64Array(sequences.length),
    advantage: Float64Array.from(RESPONSES, ([, , advantage]) => advantage),
    finished: new Uint8Array(sequences.length).fill(1),
    prompts: ['a', 'b', 'c'],
  };
}, 120_000);

const width = () => Math.max(...rows.map((row) => row.length));
const vocabulary = () => host.files.tokenizer.vocabulary.length;

/** [rows, width] with `value` at the position that predicts each response token, 0 elsewhere. */
function grid(value: (sequence: number, token: number) => number): np.Array {
  const out = new Float32Array(rows.length * width());
  rows.forEach((row, r) => {
    for (let i = prompts[r]; i < row.length; i++) {
      const t = rollouts.offsets[r] + i - prompts[r];
      out[r * width() + i - 1] = value(r, t);
    }
  });
  return np.array(out, { shape: [rows.length, width()], dtype: np.float32 });
}

/** [rows, width, vocabulary] one-hot targets of the response tokens */
function targets(): np.Array {
  const out = new Float32Array(rows.length * width() * vocabulary());
  rows.forEach((row, r) => {
    for (let i = prompts[r]; i < row.length; i++) {
      out[(r * width() + i - 1) * vocabulary() + row[i]] = 1;
    }
  });
  return np.array(out, { shape: [rows.length, width(), vocabulary()], dtype: np.float32 });
}

const perRow = (value: (sequence: number) => number) =>
  np.array(
    Float32Array.from(rows, (_, r) => value(r)),
    { shape: [rows.length, 1] },
  );
const lengthOf = (r: number) => rollouts.offsets[r + 1] - rollouts.offsets[r];

/** min(r A, clip(r) A), negated */
function clipped(ratio: np.Array, advantage: np.Array, low: number, high: number): np.Array {
  const free = ratio.ref.mul(advantage.ref);
  return np.minimum(free, np.clip(ratio, 1 - low, 1 + high).mul(advantage)).mul(-1);
}

/** log pi_theta(y_t) - log pi_old(y_t), 0 where there is no response token; consumes the logits. */
function logRatio(logits: np.Array): np.Array {
  const logp = nn.logSoftmax(logits, -1).mul(targets()).sum(-1);
  return logp.sub(grid((_, t) => rollouts.logpOld[t]));
}

const OBJECTIVES = {
  grpo(logits: np.Array): np.Array {
    const { low, high } = BANDS.grpo;
    const advantage = perRow((r) => rollouts.advantage[r]);
    const loss = clipped(np.exp(logRatio(logits)), advantage, low, high);
    return loss.mul(grid((r) => 1 / lengthOf(r) / rows.length)).sum();
  },
  gspo(logits: np.Array): np.Array {
    const { low, high } = BANDS.gspo;
    const log = logRatio(logits)
      .sum(-1, { keepdims: true })
      .mul(perRow((r) => 1 / lengthOf(r)));
    const advantage = perRow((r) => rollouts.advantage[r]);
    return clipped(np.exp(log), advantage, low, high)
      .sum()
      .mul(1 / rows.length);
  },
  gspo_token(logits: np.Array): np.Array {
    const { low, high } = BANDS.gspo;
    const d = logRatio(logits);
    const log = d.ref.sum(-1, { keepdims: true }).mul(perRow((r) => 1 / lengthOf(r)));
    const ratio = np.exp(lax.stopGradient(log)).mul(np.exp(d.ref.sub(lax.stopGradient(d))));
    const advantage = perRow((r) => rollouts.advantage[r]);
    return clipped(ratio, advantage, low, high)
      .mul(grid((r) => 1 / lengthOf(r) / rows.length))
      .sum();
  },
};
type Name = keyof typeof OBJECTIVES;

const settingsOf = (id: Name): ObjectiveSettings =>
  recommended(id, 'trl', BANDS[id === 'grpo' ? 'grpo' : 'gspo']) as ObjectiveSettings;

/** logits [rows, width, vocabulary] under theta; consumes the parameters */
function forward(model: ONNXModel, params: Params): np.Array {
  const integers = (value: (row: number[], i: number) => number) =>
    np.array(
      Int32Array.from(
        rows.flatMap((row) => Array.from({ length: width() }, (_, i) => value(row, i))),
      ),
      { shape: [rows.length, width()], dtype: np.int32 },
    );
  const feeds: Params = {
    ...params,
    input_ids: integers((row, i) => row[i] ?? host.files.padToken),
    attention_mask: integers((row, i) => (i < row.length ? 1 : 0)),
    position_ids: integers((row, i) => (i < row.length ? i : 0)),
  };
  for (const cache of host.session.ports.caches) {
    feeds[cache.input.name] = np.zeros(emptyCacheShape(cache, rows.length));
  }
  const { logits, ...rest } = model.run(feeds);
  for (const array of Object.values(rest)) array.dispose();
  return logits;
}

function openModel(): { model: ONNXModel; params: () => Params } {
  const { bytes, weights } = liftWeights(decode(host.files.onnx));
  const params = () =>
    Object.fromEntries(
      [...weights].map(([name, { shape, values }]) => [
        name,
        np.array(values, { shape, dtype: np.float32 }),
      ]),
    );
  return { model: new ONNXModel(bytes), params };
}

async function thetaLogits(): Promise<Float32Array<ArrayBuffer>> {
  const { model, params } = openModel();
  return (await forward(model, params()).data()) as Float32Array<ArrayBuffer>;
}

const asLogits = (values: Float32Array<ArrayBuffer>) =>
  np.array(values, { shape: [rows.length, width(), vocabulary()], dtype: np.float32 });

/** The experiment's formula with the logits at hand: d loss / d log pi(y_t) (onehot - p). */
function formula(logits: Float32Array, gradient: Float64Array): Float32Array<ArrayBuffer> {
  const out = new Float32Array(logits.length);
  const v = vocabulary();
  rows.forEach((row, r) => {
    for (let i = prompts[r]; i < row.length; i++) {
      const start = (r * width() + i - 1) * v;
      const own = logits.subarray(start, start + v);
      const top = own.reduce((a, b) => Math.max(a, b), -Infinity);
      const z = own.reduce((sum, x) => sum + Math.exp(x - top), 0);
      const g = gradient[rollouts.offsets[r] + i - prompts[r]];
      own.forEach((x, k) => {
        out[start + k] = g * ((k === row[i] ? 1 : 0) - Math.exp(x - top) / z);
      });
    }
  });
  return out;
}

const norm = (values: ArrayLike<number>) => {
  let squares = 0;
  for (let i = 0; i < values.length; i++) squares += values[i] ** 2;
  return Math.sqrt(squares);
};
const distance = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  norm(Float64Array.from(a, (x, i) => x - b[i]));

describe.each(Object.keys(OBJECTIVES) as Name[])('%s', (id) => {
  test('norm and direction in logit space are those of jax-js', async () => {
    const { gate, gradient } = evaluateObjective(rollouts, settingsOf(id));
    // With every gate open, or every one shut, half of the formula would go untested.
    expect(new Set(gate)).toEqual(new Set([0, 1]));

    const logits = await thetaLogits();
    const slopes = grad(OBJECTIVES[id])(asLogits(logits));
    const truth = (await slopes.data()) as Float32Array;
    const { measure } = measureObjective(rollouts, settingsOf(id), logitNorms(rollouts), 4);
    const size = norm(truth);
    expect(size).toBeGreaterThan(0.01);
    expect(Math.abs((measure.logitNorm as number) / size - 1)).toBeLessThan(1e-4);
    expect(distance(truth, formula(logits, gradient)) / size).toBeLessThan(1e-4);
  });

  test('carried through the policy it is the gradient of every weight', async () => {
    const { model, params } = openModel();
    const { gradient } = evaluateObjective(rollouts, settingsOf(id));
    const cotangent = formula(await thetaLogits(), gradient);
    const flat = async (tree: Params) => {
      const parts: number[] = [];
      for (const name of Object.keys(tree).sort()) {
        for (const x of (await tree[name].data()) as Float32Array) parts.push(x);
      }
      return parts;
    };
    const truth = await flat(grad((p: Params) => OBJECTIVES[id](forward(model, p)))(params()));
    const ours = await flat(
      grad((p: Params) => forward(model, p).mul(asLogits(cotangent)).sum())(params()),
    );
    expect(truth.length).toBe(host.manifest.parameters);
    expect(distance(truth, ours) / norm(truth)).toBeLessThan(1e-4);
  });
});
