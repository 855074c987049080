/**
 * CISPO: the ratio, limited to min..max and detached, in front of A log pi; a capped token keeps its gradient.
 * TRL: loss type `cispo`. verl: `compute_policy_loss_cispo`.
 */
import {
  clamp,
  clampedLogRatio,
  logRatio,
  putWeighted,
  rawLogRatio,
  TOKEN_MEAN,
  trl,
  verl,
  VERL_TOKEN_CLAMP,
  weighted,
} from '../arithmetic';
import type { SurrogateKind } from '../types';

export interface CispoSurrogate {
  kind: 'cispo';
  /** bounds are ratios, not epsilons */
  min: number | null;
  max: number;
}

export const cispo = {
  kind: 'cispo',
  apply(s, response, out) {
    for (let t = response.from; t < response.to; t++) {
      const ratio = Math.exp(logRatio(response, t));
      putWeighted(out, response, t, clamp(ratio, s.min ?? -Infinity, s.max), 1);
    }
  },
  loss(s, t) {
    const ratio = clampedLogRatio(t).exp();
    return weighted(t, s.min === null ? ratio.min(s.max) : ratio.clip(s.min, s.max));
  },
  clamps: (_, library) => (library === 'verl' ? [VERL_TOKEN_CLAMP] : []),
  coupled: () => false,
  perSequence: () => false,
  detached: true,
  scope: () => 'token',
  foldsMismatch: false,
  countsEveryone: true,
  count: {
    trl(s, response) {
      let high = 0;
      for (let t = response.from; t < response.to; t++) {
        if (Math.exp(rawLogRatio(response, t)) > s.max && response.advantage > 0) high++;
      }
      return { low: null, high };
    },
    verl(s, response) {
      const { low, high: most } = VERL_TOKEN_CLAMP;
      let high = 0;
      for (let t = response.from; t < response.to; t++) {
        const ratio = Math.exp(clamp(rawLogRatio(response, t), low as number, most));
        if (ratio !== clamp(ratio, s.min ?? -Infinity, s.max)) high++;
      }
      return { low: 0, high };
    },
  },
  range: ({ max }) => ({
    level: 'token',
    unit: 'tokens',
    band: { low: null, high: max - 1 },
    ceiling: null,
    beyond: 'cap',
  }),
  withoutRange: '',
  ungated: (s) => s,
  // A lower bound at or below zero never binds.
  withBand: (s, { low, high }) => ({ ...s, min: low < 1 ? 1 - low : null, max: 1 + high }),
  bandOfRatio: false,
  words: ({ min, max }) => ({
    clips: `weight r at most ${max}${min === null ? '' : `, at least ${min}`}; gradient stays`,
    weight: 'sg[clamp(r)]',
  }),
  objectives: [
    {
      id: 'cispo',
      name: 'CISPO',
      title: 'CISPO',
      formula: String.raw`\frac{1}{\sum_i L_i}\sum_i\sum_t \mathrm{sg}\big[\mathrm{clip}(r_{i,t}, \cdot, \varepsilon_{\max})\big]\hat A_i \log\pi_\theta(y_{i,t})`,
      source: { title: 'MiniMax (2025), MiniMax-M1', url: 'https://arxiv.org/abs/2506.13585' },
      level: 'token',
      trl: trl({ kind: 'cispo', min: null, max: 5 }, TOKEN_MEAN),
      verl: verl({ kind: 'cispo', min: 1 - 10, max: 1 + 0.2 }, TOKEN_MEAN),
      difference:
        "TRL's epsilon_high is the largest weight itself (its default 0.2 caps weights at 0.2); verl's is 1 + epsilon.",
      colour: { light: '#8a4fb0', dark: '#cf9cf0' },
      racing: { low: 1, high: 4 },
      epsilonNote:
        'caps the weight r at 1 + ε high and keeps the gradient. Clipped: capped with A > 0, as TRL counts. ' +
        'Mass lost: the part of the weight beyond the cap, whatever the sign of A. There is no lower edge. ' +
        'TRL’s setting is the cap itself, 5: ε = 4.',
    },
  ],
} as const satisfies SurrogateKind<CispoSurrogate>;
