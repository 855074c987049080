/**
 * REINFORCE: A log pi, no ratio and nothing clipped.
 * verl: `compute_policy_loss_gpg` (token mean) and its bypass-mode REINFORCE (mean of sums). TRL has none.
 */
import { putWeighted, TOKEN_MEAN, verl } from '../arithmetic';
import type { SurrogateKind } from '../types';

export interface ReinforceSurrogate {
  kind: 'reinforce';
}

export const reinforce = {
  kind: 'reinforce',
  apply(_, response, out) {
    for (let t = response.from; t < response.to; t++) putWeighted(out, response, t, 1, 1);
  },
  loss: (_, t) => t.advantage.mul(t.logProb).mul(-1),
  clamps: () => [],
  coupled: () => false,
  perSequence: () => false,
  detached: true,
  scope: () => 'token',
  foldsMismatch: false,
  countsEveryone: false,
  count: { trl: null, verl: null },
  range: null,
  withoutRange: 'has no ratio',
  ungated: (s) => s,
  withBand: null,
  bandOfRatio: false,
  words: () => ({ clips: 'nothing', weight: '1' }),
  objectives: [
    {
      id: 'reinforce',
      name: 'REINFORCE',
      title: 'REINFORCE',
      formula: String.raw`\frac{1}{N}\sum_i \sum_t \hat A_i \log \pi_\theta(y_{i,t})`,
      source: {
        title: 'Williams (1992), Simple statistical gradient-following algorithms',
        url: 'https://doi.org/10.1007/BF00992696',
      },
      level: 'none',
      trl: null,
      verl: verl({ kind: 'reinforce' }, TOKEN_MEAN),
      difference: "verl's GPG takes the token mean, its bypass-mode REINFORCE the mean of sums.",
      colour: { light: '#3a3f45', dark: '#e0e2e0' },
    },
  ],
} as const satisfies SurrogateKind<ReinforceSurrogate>;
