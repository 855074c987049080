/**
 * AdamW (Loshchilov & Hutter 2019) with the gradient's global norm clipped first, as one jitted step.
 * Contract: `params`, `mu`, `nu` and `grads` are consumed, their successors returned; matrices decay,
 * norm gains and other vectors do not.
 */
import { jit, numpy as np, tree } from '@jax-js/jax';

export type Params = Record<string, np.Array>;

export interface AdamWOptions {
  beta1: number;
  beta2: number;
  epsilon: number;
  weightDecay: number;
  /** largest global norm of the gradient */
  gradientClip: number;
}

export interface AdamWState {
  params: Params;
  mu: Params;
  nu: Params;
}

export interface AdamWStep extends AdamWState {
  /** scalar: the gradient's global norm before clipping */
  norm: np.Array;
}

export function zeroMoments(params: Params): Params {
  return tree.map((p: np.Array) => np.zerosLike(p), tree.ref(params)) as Params;
}

export function adamW(options: AdamWOptions) {
  const { beta1, beta2, epsilon, weightDecay, gradientClip } = options;
  const step = jit((params: Params, mu: Params, nu: Params, grads: Params, scalars: np.Array) => {
    // scalars: learning rate, 1 - beta1^t, 1 - beta2^t
    const rate = scalars.ref.slice(0);
    const correction1 = scalars.ref.slice(1);
    const correction2 = scalars.slice(2);
    let squared = np.array(0, { dtype: np.float32 });
    for (const g of Object.values(grads)) squared = squared.add(np.square(g.ref).sum());
    const norm = np.sqrt(squared);
    const clip = np.minimum(np.array(gradientClip).div(norm.ref.add(1e-6)), 1);
    const out: { params: Params; mu: Params; nu: Params } = { params: {}, mu: {}, nu: {} };
    for (const name of Object.keys(params)) {
      const p = params[name];
      const g = grads[name].mul(clip.ref);
      const m = mu[name].mul(beta1).add(g.ref.mul(1 - beta1));
      const v = nu[name].mul(beta2).add(np.square(g).mul(1 - beta2));
      let direction = m.ref
        .div(correction1.ref)
        .div(np.sqrt(v.ref.div(correction2.ref)).add(epsilon));
      if (p.ndim === 2) direction = direction.add(p.ref.mul(weightDecay));
      out.params[name] = p.sub(direction.mul(rate.ref));
      out.mu[name] = m;
      out.nu[name] = v;
    }
    for (const scalar of [rate, correction1, correction2, clip]) scalar.dispose();
    return [out.params, out.mu, out.nu, norm] as [Params, Params, Params, np.Array];
  });
  /** @param t number of this update, from 1 */
  return (state: AdamWState, grads: Params, learningRate: number, t: number): AdamWStep => {
    const scalars = np.array(new Float32Array([learningRate, 1 - beta1 ** t, 1 - beta2 ** t]));
    const [params, mu, nu, norm] = step(state.params, state.mu, state.nu, grads, scalars);
    return { params, mu, nu, norm };
  };
}
