/**
 * Supervised training of a policy by jax-js, through its own ONNX file.
 * Contract: weights after step n depend on the recipe alone (and on float rounding of the backend).
 */
import { defaultDevice, init, jit, lax, nn, numpy as np, tree, valueAndGrad } from '@jax-js/jax';
import type { Weights } from '../../../src/policy/graph/lift';
import { adamW, zeroMoments, type Params } from '../../../src/training/adamw';
import { DifferentiablePolicy, downloadParams, uploadParams } from '../../../src/training/policy';
import { readSafetensors, writeSafetensors } from '../../../src/policy/safetensors';
import { apartBias, MASK_BIAS, trainingBatch } from '../batches';
import { RECIPES, type Recipe } from '../recipes';
import type { StartTraining, TrainingEvent } from './protocol';

const send = (event: TrainingEvent) => self.postMessage(event);

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

/** Names of the router's tensors of each layer. */
function routerTaps({
  architecture: { layers, experts },
}: Recipe): { logits: string; routes: string }[] {
  if (!experts) return [];
  return Array.from({ length: layers }, (_, i) => ({
    logits: `model.layers.${i}.mlp.router.logits`,
    routes: `model.layers.${i}.mlp.router.routes`,
  }));
}

/**
 * Load-balancing loss of one layer (Switch Transformers, eq. 4): experts x sum_i f_i P_i, where f_i is the
 * share of choices that fall on expert i and P_i its mean probability; 1 when both are even.
 */
function balanceLoss(logits: np.Array, routes: np.Array, perToken: number): np.Array {
  const experts = logits.shape[2];
  const share = lax.stopGradient(routes).mean([0, 1]).div(perToken);
  return nn.softmax(logits, -1).mean([0, 1]).mul(share).sum().mul(experts);
}

/** Mean negative log-prob of the response tokens, nats, and the weighted load-balancing loss. */
function makeLoss(recipe: Recipe, policy: DifferentiablePolicy) {
  const { batch, rowLength, balance = 0, architecture } = recipe;
  const routers = routerTaps(recipe);
  return (
    params: Params,
    inputIds: np.Array,
    targets: np.Array,
    mask: np.Array,
    positionIds: np.Array,
    given: Params,
  ): np.Array => {
    const attentionMask = np.ones([batch, rowLength], { dtype: np.int32 });
    const grids = { inputIds, targets, attentionMask, positionIds };
    const { logp, taps } = policy.forward(params, grids, given);
    let loss = logp.mul(mask.ref).sum().div(mask.sum()).mul(-1);
    for (const { logits, routes } of routers) {
      const uneven = balanceLoss(taps[logits], taps[routes], architecture.experts?.perToken ?? 1);
      loss = loss.add(uneven.mul(balance / routers.length));
    }
    return loss;
  };
}

async function train(start: StartTraining): Promise<void> {
  const recipe = RECIPES[start.recipeName];
  if (!recipe) throw new Error(`no recipe "${start.recipeName}"`);
  await init('wasm');
  defaultDevice('wasm');
  const taps = routerTaps(recipe).flatMap(({ logits, routes }) => [logits, routes]);
  const policy = new DifferentiablePolicy(fromBase64(start.onnx), {
    taps,
    cuts: recipe.apart ? [MASK_BIAS] : [],
  });

  let params: Params;
  let mu: Params;
  let nu: Params;
  let step = 0;
  if (start.resume) {
    const { weights, metadata } = readSafetensors(fromBase64(start.resume), 'the saved state');
    params = uploadParams(weights, 'params/');
    mu = uploadParams(weights, 'mu/');
    nu = uploadParams(weights, 'nu/');
    step = Number(metadata.get('step'));
  } else {
    params = uploadParams(policy.fileWeights);
    mu = zeroMoments(params);
    nu = zeroMoments(params);
  }

  const lossAndGradient = jit(valueAndGrad(makeLoss(recipe, policy)));
  const update = adamW({ beta1: 0.9, beta2: 0.98, epsilon: 1e-8, ...recipe });
  const shape = [recipe.batch, recipe.rowLength];
  let smoothed = Number.NaN;
  for (; step < recipe.steps;) {
    const began = performance.now();
    const batch = trainingBatch(recipe, step);
    const { batch: rows, rowLength: width } = recipe;
    const given: Params = recipe.apart
      ? { [MASK_BIAS]: np.array(apartBias(batch, recipe), { shape: [rows, 1, width, width] }) }
      : {};
    const [loss, grads] = lossAndGradient(
      tree.ref(params),
      np.array(batch.inputIds, { shape, dtype: np.int32 }),
      np.array(batch.targets, { shape, dtype: np.int32 }),
      np.array(batch.mask, { shape, dtype: np.float32 }),
      np.array(batch.positions, { shape, dtype: np.int32 }),
      given,
    ) as [np.Array, Params];
    const next = update({ params, mu, nu }, grads, learningRate(recipe, step), step + 1);
    ({ params, mu, nu } = next);
    const [lossValue] = await loss.data();
    const [gradientNorm] = await next.norm.data();
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
      const bytes = writeSafetensors(await downloadParams(params), metadata);
      send({ type: 'checkpoint', step, loss: smoothed, bytes: toBase64(bytes) });
    }
    if (step % start.stateEvery === 0 || step === recipe.steps) {
      const all: Weights = new Map([
        ...(await downloadParams(params, 'params/')),
        ...(await downloadParams(mu, 'mu/')),
        ...(await downloadParams(nu, 'nu/')),
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
