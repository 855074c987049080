/**
 * DRO: REINFORCE with a penalty beta / 2 (log ratio)^2 that pulls back.
 * verl: `compute_policy_loss_dro`. TRL has none.
 */
import { putWeighted, rawLogRatio, TOKEN_MEAN, verl } from '../arithmetic';
import type { SurrogateKind } from '../types';

export interface DroSurrogate {
  kind: 'dro';
  beta: number;
}

export const dro = {
  kind: 'dro',
  apply({ beta }, response, out) {
    const { batch, advantage } = response;
    for (let t = response.from; t < response.to; t++) {
      const d = rawLogRatio(response, t);
      putWeighted(out, response, t, 1, 1);
      out.loss[t] = -advantage * batch.logpNew[t] + 0.5 * beta * d * d;
      out.slope[t] = -advantage + beta * d;
    }
  },
  loss: ({ beta }, t) =>
    t.advantage
      .mul(t.logProb)
      .mul(-1)
      .add(t.logRatio.square().mul(0.5 * beta)),
  clamps: () => [],
  coupled: () => false,
  perSequence: () => false,
  detached: false,
  scope: () => 'token',
  foldsMismatch: false,
  countsEveryone: true,
  count: { trl: null, verl: null },
  range: null,
  withoutRange: 'pulls back by a penalty',
  ungated: (s) => s,
  withBand: null,
  bandOfRatio: false,
  words: ({ beta }) => ({ clips: 'nothing', weight: `1, minus β d with β ${beta}` }),
  objectives: [
    {
      id: 'dro',
      name: 'DRO',
      title: 'DRO',
      formula: String.raw`\frac{1}{N}\sum_i\sum_t \Big(\hat A_i\log\pi_\theta(y_{i,t}) - \tfrac{\beta}{2} d_{i,t}^2\Big)`,
      source: {
        title: 'Richemond et al. (2024), Offline regularised RL for LLM alignment',
        url: 'https://arxiv.org/abs/2405.19107',
      },
      level: 'token',
      trl: null,
      verl: verl({ kind: 'dro', beta: 0.05 }, TOKEN_MEAN),
      difference: '',
      colour: { light: '#8a6d3b', dark: '#c9ad78' },
    },
  ],
} as const satisfies SurrogateKind<DroSurrogate>;
