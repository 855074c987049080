/**
 * VESPO: a detached gamma weight of the unnormalised sequence ratio, phi(rho) = e^lambda rho^k e^(-lambda rho),
 * phi(1) = 1. TRL: loss type `vespo`, `get_gamma_weights`, whose clamps are kept and which folds weights
 * against the sampler's mismatch into rho. verl has no such loss.
 */
import { clamp, putWeighted, rawLogRatio, TOKEN_MEAN, trl, weighted } from '../arithmetic';
import type { SurrogateKind } from '../types';

export interface VespoSurrogate {
  kind: 'vespo';
  kPositive: number;
  lambdaPositive: number;
  kNegative: number;
  lambdaNegative: number;
}

const LOG_MIN = Math.log(1e-8);
const LOG_MAX = 20;
const LAMBDA_MIN = 1e-4;

function phi(logRho: number, advantage: number, s: VespoSurrogate): number {
  const positive = advantage >= 0;
  const k = positive ? s.kPositive : s.kNegative;
  const lambda = Math.max(positive ? s.lambdaPositive : s.lambdaNegative, LAMBDA_MIN);
  const log = clamp(logRho, LOG_MIN, LOG_MAX);
  const weight = Math.exp(lambda + k * log - lambda * Math.exp(log));
  return Number.isFinite(weight) ? weight : 0;
}

export const vespo = {
  kind: 'vespo',
  apply(s, response, out) {
    const { from, to, advantage, mismatch } = response;
    let sum = 0;
    let extra = 0;
    for (let t = from; t < to; t++) {
      sum += clamp(rawLogRatio(response, t), -LOG_MAX, LOG_MAX);
      if (mismatch) extra += clamp(Math.log(mismatch[t]), LOG_MIN, LOG_MAX);
    }
    const weight = phi(sum + extra, advantage, s);
    for (let t = from; t < to; t++) putWeighted(out, response, t, weight, 1);
  },
  loss(s, t) {
    const sum = t.logRatio.clip(-LOG_MAX, LOG_MAX).sum();
    const log = sum.clip(LOG_MIN, LOG_MAX).stop();
    const negative = t.advantage.less(0);
    const lambda = negative.choose(
      Math.max(s.lambdaNegative, LAMBDA_MIN),
      Math.max(s.lambdaPositive, LAMBDA_MIN),
    );
    const k = negative.choose(s.kNegative, s.kPositive);
    const exponent = lambda.add(k.mul(log)).sub(lambda.mul(log.exp()));
    return weighted(t, exponent.exp());
  },
  clamps: () => [
    { of: 'token', low: -LOG_MAX, high: LOG_MAX },
    { of: 'sum', low: LOG_MIN, high: LOG_MAX },
  ],
  coupled: () => false,
  perSequence: () => false,
  detached: true,
  scope: () => 'response',
  foldsMismatch: true,
  countsEveryone: false,
  count: { trl: null, verl: null },
  range: null,
  withoutRange: 'damps softly',
  ungated: (s) => s,
  withBand: null,
  bandOfRatio: false,
  words: () => ({ clips: 'nothing', weight: 'sg[gamma weight of ρ]' }),
  objectives: [
    {
      id: 'vespo',
      name: 'VESPO',
      title: 'VESPO',
      formula: String.raw`\frac{1}{\sum_i L_i}\sum_i\sum_t \mathrm{sg}\big[\rho_i^{k} e^{\lambda(1-\rho_i)}\big]\hat A_i\log\pi_\theta(y_{i,t}),\quad \rho_i=\textstyle\prod_t r_{i,t}`,
      source: {
        title: 'Variational Sequence-Level Soft Policy Optimization (2026)',
        url: 'https://arxiv.org/abs/2602.10693',
      },
      level: 'sequence',
      trl: trl(
        { kind: 'vespo', kPositive: 2, lambdaPositive: 3, kNegative: 3, lambdaNegative: 2 },
        TOKEN_MEAN,
      ),
      verl: null,
      difference: '',
      colour: { light: '#1f6f5c', dark: '#5fd0b0' },
    },
  ],
} as const satisfies SurrogateKind<VespoSurrogate>;
