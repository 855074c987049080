/**
 * DPPO: tokens whose probability moved too far are masked (total variation or binary KL of "this token or
 * another"), the others get the detached weight min(r, cap).
 * verl: `compute_policy_loss_dppo_tv` and `compute_policy_loss_dppo_kl`. TRL has none.
 */
import {
  clamp,
  clampedLogRatio,
  logRatio,
  putWeighted,
  rawLogRatio,
  TOKEN_MEAN,
  verl,
  VERL_EPSILON,
  VERL_LOG_RATIO_LIMIT,
  VERL_TOKEN_CLAMP,
} from '../arithmetic';
import type { SurrogateKind } from '../types';

export interface DppoSurrogate {
  kind: 'dppo';
  divergence: 'tv' | 'kl';
  low: number;
  high: number;
  cap: number;
}

/** KL(pi_old || pi_theta) of "this token or another", nats, with verl's 1e-8. */
function binaryKl(logOld: number, logNew: number): number {
  const p = Math.exp(logNew);
  const q = Math.exp(logOld);
  return (
    q * (logOld - logNew) + (1 - q) * Math.log((1 - q + VERL_EPSILON) / (1 - p + VERL_EPSILON))
  );
}

/** True where the token passes (arXiv:2602.04879). */
function passes(s: DppoSurrogate, logOld: number, logNew: number, advantage: number): boolean {
  const p = Math.exp(logNew);
  const q = Math.exp(logOld);
  if (s.divergence === 'tv') return advantage > 0 ? p - q <= s.high : p - q >= -s.low;
  const kl = binaryKl(logOld, logNew);
  return advantage > 0 ? kl <= s.high || p <= q : kl <= s.low || p >= q;
}

const shared = {
  source: { title: 'Divergence PPO (2026)', url: 'https://arxiv.org/abs/2602.04879' },
  level: 'token',
  trl: null,
  difference: '',
  epsilonNote:
    'masks tokens whose probability moved too far: ε is a divergence, low for falling and high for ' +
    'rising tokens. A normal law of log-ratios does not predict it.',
} as const;

export const dppo = {
  kind: 'dppo',
  apply(s, response, out) {
    const { batch, advantage } = response;
    for (let t = response.from; t < response.to; t++) {
      const weight = Math.min(Math.exp(logRatio(response, t)), s.cap);
      const [a, b] = [batch.logpOld[t], batch.logpNew[t]];
      putWeighted(out, response, t, weight, passes(s, a, b, advantage) ? 1 : 0);
    }
  },
  loss(s, t) {
    const logNew = t.logProb.stop();
    const p = logNew.exp();
    const q = t.logOld.exp();
    const up = t.advantage.greater(0);
    const rest = (x: typeof p) =>
      x
        .mul(-1)
        .add(1 + VERL_EPSILON)
        .log();
    const valid = () => {
      if (s.divergence === 'tv') {
        const moved = p.sub(q);
        return up.choose(moved.lessEqual(s.high), moved.greaterEqual(-s.low));
      }
      const kl = q.mul(t.logOld.sub(logNew)).add(
        q
          .mul(-1)
          .add(1)
          .mul(rest(q).sub(rest(p))),
      );
      return up.choose(
        kl.lessEqual(s.high).or(p.lessEqual(q)),
        kl.lessEqual(s.low).or(p.greaterEqual(q)),
      );
    };
    const weight = clampedLogRatio(t).exp().min(s.cap).stop();
    return weight.mul(valid().choose(1, 0)).mul(t.advantage).mul(t.logProb).mul(-1);
  },
  clamps: (_, library) => (library === 'verl' ? [VERL_TOKEN_CLAMP] : []),
  coupled: () => false,
  perSequence: () => false,
  detached: true,
  scope: () => 'token',
  foldsMismatch: false,
  countsEveryone: false,
  count: {
    trl: null,
    verl(s, response, gate) {
      const { low: least, high: most } = VERL_TOKEN_CLAMP;
      let low = 0;
      let high = 0;
      for (let t = response.from; t < response.to; t++) {
        if (gate[t] === 0) high++;
        else if (Math.exp(clamp(rawLogRatio(response, t), least as number, most)) > s.cap) low++;
      }
      return { low, high };
    },
  },
  range: ({ divergence, low, high, cap }) => ({
    level: 'divergence',
    unit: 'tokens',
    band: { low, high },
    ceiling: null,
    beyond: 'gate',
    distance: (a, b) =>
      divergence === 'tv' ? Math.exp(b) - Math.exp(a) : Math.sign(b - a) * binaryKl(a, b),
    logWeight: (d) =>
      Math.min(clamp(d, -VERL_LOG_RATIO_LIMIT, VERL_LOG_RATIO_LIMIT), Math.log(cap)),
  }),
  withoutRange: '',
  ungated: (s) => ({ ...s, low: Infinity, high: Infinity }),
  withBand: (s, { low, high }) => ({ ...s, low, high }),
  bandOfRatio: false,
  words: ({ divergence, low, cap }) => ({
    clips: `tokens whose ${divergence === 'tv' ? 'total variation' : 'binary KL'} exceeds ${low}`,
    weight: `sg[min(r, ${cap})]`,
  }),
  objectives: [
    {
      id: 'dppo_tv',
      name: 'DPPO-TV',
      title: 'DPPO, total variation',
      formula: String.raw`\frac{1}{N}\sum_i\sum_t M_{i,t}\,\mathrm{sg}[\min(r_{i,t},c)]\hat A_i\log\pi_\theta(y_{i,t}),\quad M=[\,|\pi_\theta-\pi_{\text{old}}|\le\varepsilon\,]`,
      verl: verl({ kind: 'dppo', divergence: 'tv', low: 0.2, high: 0.2, cap: 3 }, TOKEN_MEAN),
      colour: { light: '#2c5fa8', dark: '#7fb0f5' },
      racing: { low: 0.2, high: 0.2 },
      ...shared,
    },
    {
      id: 'dppo_kl',
      name: 'DPPO-KL',
      title: 'DPPO, binary KL',
      formula: String.raw`\frac{1}{N}\sum_i\sum_t M_{i,t}\,\mathrm{sg}[\min(r_{i,t},c)]\hat A_i\log\pi_\theta(y_{i,t}),\quad M=[\,\mathrm{KL}_2(\pi_{\text{old}}\|\pi_\theta)\le\varepsilon\,]`,
      verl: verl({ kind: 'dppo', divergence: 'kl', low: 0.05, high: 0.05, cap: 3 }, TOKEN_MEAN),
      colour: { light: '#5b7fb0', dark: '#5b8fd0' },
      racing: { low: 0.05, high: 0.05 },
      ...shared,
    },
  ],
} as const satisfies SurrogateKind<DppoSurrogate>;
