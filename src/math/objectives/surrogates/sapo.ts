/**
 * SAPO: a soft gate, sigmoid(tau (r - 1)) 4 / tau, instead of a clip.
 * TRL: loss type `sapo`. verl: `compute_policy_loss_sapo`.
 */
import {
  clampedLogRatio,
  logRatio,
  saturated,
  SEQUENCE_MEAN,
  trl,
  verl,
  VERL_TOKEN_CLAMP,
} from '../arithmetic';
import type { SurrogateKind } from '../types';

export interface SapoSurrogate {
  kind: 'sapo';
  tauPositive: number;
  tauNegative: number;
}

const PUBLISHED: SapoSurrogate = { kind: 'sapo', tauPositive: 1, tauNegative: 1.05 };

export const sapo = {
  kind: 'sapo',
  apply(s, response, out) {
    const { from, to, advantage } = response;
    const tau = advantage > 0 ? s.tauPositive : s.tauNegative;
    for (let t = from; t < to; t++) {
      const ratio = Math.exp(logRatio(response, t));
      const p = 1 / (1 + Math.exp(-tau * (ratio - 1)));
      out.loss[t] = (-advantage * p * 4) / tau;
      out.weight[t] = ratio;
      out.gate[t] = saturated(response, t) ? 0 : 4 * p * (1 - p);
      out.slope[t] = -advantage * ratio * out.gate[t];
    }
  },
  loss(s, t) {
    const tau = t.advantage.greater(0).choose(s.tauPositive, s.tauNegative);
    const gate = clampedLogRatio(t).exp().sub(1).mul(tau).sigmoid();
    return gate.mul(t.advantage).mul(-4).div(tau);
  },
  clamps: (_, library) => (library === 'verl' ? [VERL_TOKEN_CLAMP] : []),
  coupled: () => false,
  perSequence: () => false,
  detached: false,
  scope: () => 'token',
  foldsMismatch: false,
  countsEveryone: false,
  // verl reports zero "for compatibility".
  count: { trl: null, verl: () => ({ low: 0, high: 0 }) },
  range: null,
  withoutRange: 'damps softly',
  ungated: (s) => s,
  withBand: null,
  bandOfRatio: false,
  words: ({ tauPositive, tauNegative }) => ({
    clips: `nothing: soft gate, τ ${tauPositive} / ${tauNegative}`,
    weight: 'r',
  }),
  objectives: [
    {
      id: 'sapo',
      name: 'SAPO',
      title: 'SAPO',
      formula: String.raw`\frac{1}{G}\sum_i \frac{1}{L_i}\sum_t \tfrac{4}{\tau}\,\sigma\big(\tau(r_{i,t}-1)\big)\hat A_i`,
      source: {
        title: 'Soft Adaptive Policy Optimization (2025)',
        url: 'https://arxiv.org/abs/2511.20347',
      },
      level: 'token',
      trl: trl(PUBLISHED, SEQUENCE_MEAN),
      verl: verl(PUBLISHED, SEQUENCE_MEAN),
      difference: 'Nothing is ever clipped: TRL logs no share, verl logs zero.',
      colour: { light: '#3f7a3a', dark: '#8fcf86' },
    },
  ],
} as const satisfies SurrogateKind<SapoSurrogate>;
