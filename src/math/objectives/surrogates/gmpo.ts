/**
 * GMPO: exp((1/L) sum_t e_t) with e_t = min(d, clip d) for A > 0, max(d, clip d) otherwise; log r is clipped to
 * -low..high before the mean. One loss per response, shared by its tokens.
 * TRL: `GMPOTrainer`. verl: `compute_policy_loss_geo_mean`, with L + 1e-8 in both denominators.
 */
import { clamp, rawLogRatio, SEQUENCE_MEAN, trl, verl, VERL_EPSILON } from '../arithmetic';
import type { SurrogateKind } from '../types';

export interface GmpoSurrogate {
  kind: 'gmpo';
  /** of log r */
  low: number;
  high: number;
}

const PUBLISHED: GmpoSurrogate = { kind: 'gmpo', low: 0.4, high: 0.4 };

export const gmpo = {
  kind: 'gmpo',
  apply({ low, high }, response, out) {
    const { from, to, advantage, library } = response;
    const length = to - from;
    const denominator = library === 'verl' ? length + VERL_EPSILON : length;
    const meanAdvantage = library === 'verl' ? (advantage * length) / denominator : advantage;
    let sum = 0;
    for (let t = from; t < to; t++) {
      const d = rawLogRatio(response, t);
      const inside = clamp(d, -low, high);
      const chosen = advantage > 0 ? Math.min(d, inside) : Math.max(d, inside);
      out.gate[t] = chosen === d ? 1 : 0;
      sum += chosen;
    }
    const weight = Math.exp(sum / denominator);
    for (let t = from; t < to; t++) {
      out.loss[t] = (-meanAdvantage * weight) / length;
      out.weight[t] = weight;
      out.slope[t] = (-meanAdvantage * weight * out.gate[t]) / denominator;
    }
  },
  loss({ low, high }, t) {
    const inside = t.logRatio.clip(-low, high);
    const chosen = t.advantage.greater(0).choose(t.logRatio.min(inside), t.logRatio.max(inside));
    const verl = t.library === 'verl';
    const denominator = verl ? t.length.add(VERL_EPSILON) : t.length;
    const weight = chosen.sum().div(denominator).exp();
    const advantage = verl ? t.advantage.mul(t.length).div(denominator) : t.advantage;
    return weight.mul(advantage).mul(-1).div(t.length);
  },
  clamps: () => [],
  coupled: () => false,
  perSequence: () => true,
  detached: false,
  scope: () => 'response',
  foldsMismatch: false,
  countsEveryone: false,
  count: {
    trl(s, response) {
      let low = 0;
      let high = 0;
      for (let t = response.from; t < response.to; t++) {
        const d = rawLogRatio(response, t);
        if (d < -s.low && response.advantage < 0) low++;
        if (d > s.high && response.advantage > 0) high++;
      }
      return { low, high };
    },
    verl(s, response) {
      let outside = 0;
      for (let t = response.from; t < response.to; t++) {
        const d = rawLogRatio(response, t);
        if (d !== clamp(d, -s.low, s.high)) outside++;
      }
      const { advantage } = response;
      return { low: advantage < 0 ? outside : 0, high: advantage > 0 ? outside : 0 };
    },
  },
  range: ({ low, high }) => ({
    level: 'token-log',
    unit: 'tokens',
    band: { low, high },
    ceiling: null,
    beyond: 'geometric',
  }),
  withoutRange: '',
  ungated: (s) => ({ ...s, low: Infinity, high: Infinity }),
  withBand: (s, { low, high }) => ({ ...s, low, high }),
  bandOfRatio: false,
  words: ({ low, high }) => ({
    clips: `log r at −${low} / ${high}, before the mean`,
    weight: 'geometric mean of clipped r',
  }),
  objectives: [
    {
      id: 'gmpo',
      name: 'GMPO',
      title: 'GMPO',
      formula: String.raw`\frac{1}{G}\sum_i \hat A_i \Big(\prod_t \min\!\big(r_{i,t}^{\sigma_i},\ \mathrm{clip}(r_{i,t}, e^{-\varepsilon}, e^{\varepsilon})^{\sigma_i}\big)^{\sigma_i}\Big)^{1/L_i},\quad \sigma_i=\mathrm{sgn}\,\hat A_i`,
      source: {
        title: 'Zhao et al. (2025), Geometric-Mean Policy Optimization',
        url: 'https://arxiv.org/abs/2507.20673',
      },
      level: 'sequence',
      trl: trl(PUBLISHED, SEQUENCE_MEAN),
      verl: verl(PUBLISHED, SEQUENCE_MEAN),
      difference:
        'Same loss; verl counts a token beyond either edge, TRL only where the clip takes effect.',
      colour: { light: '#76761a', dark: '#c7c75c' },
      racing: { low: 0.4, high: 0.4 },
      epsilonNote:
        'clips log r at −ε low and ε high, token by token. That moves the weight of the whole response: with A < 0 ' +
        'clipping raises it, so the mass kept can exceed 100 %.',
    },
  ],
} as const satisfies SurrogateKind<GmpoSurrogate>;
