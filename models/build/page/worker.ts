/**
 * Supervised training of a policy by jax-js, through its own ONNX file.
 * Contract: weights after step n depend on the recipe alone (and on float rounding of the backend).
 */
import { defaultDevice, init, jit, nn, numpy as np, tree, valueAndGrad } from '@jax-js/jax';
import { ONNXModel } from '@jax-js/onnx';
import { decode } from '../../../src/policy/graph/proto';
import { liftWeights, type Weights } from '../../../src/policy/graph/lift';
import { readSafetensors, writeSafetensors } from '../../../src/policy/safetensors';
import { trainingBatch } from '../batches';
import { RECIPES, type Recipe } from '../recipes';
import type { StartTraining, TrainingEvent } from './protocol';

type Params = Record<string, np.Array>;

const send = (event: TrainingEvent) => self.postMessage(event);

const BETA1 = 0.9;
const BETA2 = 0.98;
const EPSILON = 1e-8;

const fromBase64 = (text: string) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));

function toBase64(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += 32768) {
    text += String.fromCharCode(...bytes.subarray(i, i + 32768));
  }
  return btoa(text);
}

/** Linear warm-up, then cosine to zero at the last step. */
function learningRate(recipe: Recipe, step: number): number {
  const warm = Math.min(1, (step + 1) / recipe.warmupSteps);
  const progress = Math.max(0, step - recipe.warmupSteps) / (recipe.steps - recipe.warmupSteps);
  return recipe.peakLearningRate * warm * 0.5 * (1 + Math.cos(Math.PI * progress));
}

function upload(weights: Weights, prefix = ''): Params {
  const params: Params = {};
  for (const [name, { shape, values }] of weights) {
    if (name.startsWith(prefix)) {
      params[name.slice(prefix.length)] = np.array(values, { shape, dtype: np.float32 });
    }
  }
  return params;
}

async function download(params: Params, prefix = ''): Promise<Weights> {
  const weights: Weights = new Map();
  for (const [name, array] of Object.entries(params)) {
    const shape = [...array.shape];
    const values = (await array.ref.data()) as Float32Array<ArrayBuffer>;
    weights.set(prefix + name, { shape, values: new Float32Array(values) });
  }
  return weights;
}

/** AdamW (Loshchilov & Hutter 2019) with the gradient's global norm clipped first. */
function makeUpdate(recipe: Recipe) {
  return jit((params: Params, mu: Params, nu: Params, grads: Params, scalars: np.Array) => {
    // scalars: learning rate, 1 - beta1^t, 1 - beta2^t
    const rate = scalars.ref.slice(0);
    const correction1 = scalars.ref.slice(1);
    const correction2 = scalars.slice(2);
    let squared = np.array(0, { dtype: np.float32 });
    for (const g of Object.values(grads)) squared = squared.add(np.square(g.ref).sum());
    const norm = np.sqrt(squared);
    const clip = np.minimum(np.array(recipe.gradientClip).div(norm.ref.add(1e-6)), 1);
    const out: { params: Params; mu: Params; nu: Params } = { params: {}, mu: {}, nu: {} };
    for (const name of Object.keys(params)) {
      const p = params[name] as np.Array;
      const g = (grads[name] as np.Array).mul(clip.ref);
      const m = (mu[name] as np.Array).mul(BETA1).add(g.ref.mul(1 - BETA1));
      const v = (nu[name] as np.Array).mul(BETA2).add(np.square(g).mul(1 - BETA2));
      let direction = m.ref
        .div(correction1.ref)
        .div(np.sqrt(v.ref.div(correction2.ref)).add(EPSILON));
      if (p.ndim === 2) direction = direction.add(p.ref.mul(recipe.weightDecay));
      out.params[name] = p.sub(direction.mul(rate.ref));
      out.mu[name] = m;
      out.nu[name] = v;
    }
    for (const scalar of [rate, correction1, correction2, clip]) scalar.dispose();
    return [out.params, out.mu, out.nu, norm] as [Params, Params, Params, np.Array];
  });
}

function makeLoss(recipe: Recipe, model: ONNXModel) {
  const { batch, rowLength, architecture: a } = recipe;
  const head = a.hiddenSize / a.heads;
  return (params: Params, ids: np.Array, targets: np.Array, mask: np.Array): np.Array => {
    const feeds: Params = { ...params, input_ids: ids };
    feeds['attention_mask'] = np.ones([batch, rowLength], { dtype: np.int32 });
    feeds['position_ids'] = np.broadcastTo(np.arange(rowLength), [batch, rowLength]);
    for (let i = 0; i < a.layers; i++) {
      for (const kind of ['key', 'value']) {
        feeds[`past_key_values.${i}.${kind}`] = np.zeros([batch, a.heads, 0, head]);
      }
    }
    const outputs = model.run(feeds);
    const logits = outputs['logits'] as np.Array;
    for (const [name, array] of Object.entries(outputs)) if (name !== 'logits') array.dispose();
    const logProbs = nn.logSoftmax(logits, -1);
    const chosen = logProbs.mul(nn.oneHot(targets, a.vocabulary.length)).sum(-1);
    return chosen.mul(mask.ref).sum().div(mask.sum()).mul(-1);
  };
}

async function train(start: StartTraining): Promise<void> {
  const recipe = RECIPES[start.recipeName];
  if (!recipe) throw new Error(`no recipe "${start.recipeName}"`);
  await init('wasm');
  defaultDevice('wasm');
  const lifted = liftWeights(decode(fromBase64(start.onnx)));
  const model = new ONNXModel(lifted.bytes);

  let params: Params;
  let mu: Params;
  let nu: Params;
  let step = 0;
  if (start.resume) {
    const { weights, metadata } = readSafetensors(fromBase64(start.resume), 'the saved state');
    params = upload(weights, 'params/');
    mu = upload(weights, 'mu/');
    nu = upload(weights, 'nu/');
    step = Number(metadata.get('step'));
  } else {
    params = upload(lifted.weights);
    const zeros = () => tree.map((p: np.Array) => np.zerosLike(p), tree.ref(params)) as Params;
    mu = zeros();
    nu = zeros();
  }

  const lossAndGradient = jit(valueAndGrad(makeLoss(recipe, model)));
  const update = makeUpdate(recipe);
  const shape = [recipe.batch, recipe.rowLength];
  let smoothed = Number.NaN;
  for (; step < recipe.steps;) {
    const began = performance.now();
    const batch = trainingBatch(recipe, step);
    const [loss, grads] = lossAndGradient(
      tree.ref(params),
      np.array(batch.inputIds, { shape, dtype: np.int32 }),
      np.array(batch.targets, { shape, dtype: np.int32 }),
      np.array(batch.mask, { shape, dtype: np.float32 }),
    ) as [np.Array, Params];
    const t = step + 1;
    const scalars = np.array(
      new Float32Array([learningRate(recipe, step), 1 - BETA1 ** t, 1 - BETA2 ** t]),
    );
    const [newParams, newMu, newNu, norm] = update(params, mu, nu, grads, scalars);
    params = newParams;
    mu = newMu;
    nu = newNu;
    const [lossValue] = await loss.data();
    const [gradientNorm] = await norm.data();
    smoothed = Number.isNaN(smoothed)
      ? Number(lossValue)
      : 0.98 * smoothed + 0.02 * Number(lossValue);
    step++;
    if (!Number.isFinite(smoothed)) throw new Error(`the loss is not finite at step ${step}`);
    if (step % 10 === 0 || step <= 3) {
      const seconds = (performance.now() - began) / 1000;
      send({ type: 'progress', step, loss: smoothed, gradientNorm: Number(gradientNorm), seconds });
    }
    if (recipe.checkpoints.includes(step)) {
      const metadata = { step: String(step), loss: smoothed.toFixed(6), recipe: start.recipeName };
      const bytes = writeSafetensors(await download(params), metadata);
      send({ type: 'checkpoint', step, loss: smoothed, bytes: toBase64(bytes) });
    }
    if (step % start.stateEvery === 0 || step === recipe.steps) {
      const all: Weights = new Map([
        ...(await download(params, 'params/')),
        ...(await download(mu, 'mu/')),
        ...(await download(nu, 'nu/')),
      ]);
      const bytes = toBase64(writeSafetensors(all, { step: String(step) }));
      send({ type: 'state', step, bytes });
    }
  }
  send({ type: 'done' });
}

self.onmessage = ({ data }: MessageEvent<StartTraining>) => {
  train(data).catch((error: unknown) =>
    send({
      type: 'failed',
      message: error instanceof Error ? (error.stack ?? error.message) : String(error),
    }),
  );
};
