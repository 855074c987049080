/**
 * The covariance of log-prob and advantage, which drives entropy down, held back at the tokens where it is largest
 * (Cui et al. 2025): Clip-Cov takes a few such tokens out of the loss, KL-Cov pulls them back by coefficient |d_t|.
 * With means over all tokens of the batch, cov_t = (A_t - mean A) (log pi_theta(y_t) - mean log pi_theta).
 *
 * verl 0.10.0.dev (1dda039), `verl/trainer/ppo/core_algos.py`, `compute_policy_loss_clip_cov` and
 * `compute_policy_loss_kl_cov`; defaults of `verl/trainer/config/actor/actor.yaml`. Log-ratios are not clamped.
 * TRL has neither.
 *
 * Clip-Cov draws at random among the tokens between its bounds. Here the draw has a fixed seed and goes by
 * covariance, so that it depends neither on the order of responses nor on the moment.
 */
import { Random, STREAM } from '../../philox';
import { CompensatedSum } from '../../summation';
import { clamp, rawLogRatio, TOKEN_MEAN, verl } from '../arithmetic';
import type { ObjectiveBatch, SurrogateKind } from '../types';
import { GRPO_BAND } from './clip';

export interface ClipCovSurrogate {
  kind: 'clip-cov';
  /** the PPO clip that the selection is added to */
  low: number;
  high: number;
  /** `clip_cov_ratio`: share of all tokens that are taken out, at least one token; 0 = none */
  share: number;
  /** `clip_cov_lb`, `clip_cov_ub`: tokens whose covariance lies between may be taken */
  least: number;
  most: number;
}

export interface KlCovSurrogate {
  kind: 'kl-cov';
  /** `kl_cov_ratio`: share of all tokens that are pulled back, at least one token */
  share: number;
  /** `ppo_kl_coef` */
  coefficient: number;
}

const SEED = 2025;

/** [tokens] advantage of each token */
function advantages({ offsets, advantage, tokenAdvantage }: ObjectiveBatch): Float64Array {
  if (tokenAdvantage) return Float64Array.from(tokenAdvantage);
  const out = new Float64Array(offsets.at(-1) as number);
  advantage.forEach((a, i) => out.fill(a, offsets[i], offsets[i + 1]));
  return out;
}

function meanOf(values: ArrayLike<number>): number {
  const sum = new CompensatedSum();
  for (let t = 0; t < values.length; t++) sum.add(values[t]);
  return sum.value / values.length;
}

/** [tokens] cov_t */
export function tokenCovariances(batch: ObjectiveBatch): Float64Array {
  const own = advantages(batch);
  const center = { advantage: meanOf(own), logp: meanOf(batch.logpNew) };
  return own.map((a, t) => (a - center.advantage) * (batch.logpNew[t] - center.logp));
}

const chosen = (tokens: number, indices: readonly number[]): Uint8Array => {
  const out = new Uint8Array(tokens);
  for (const t of indices) out[t] = 1;
  return out;
};

/** -A r is above -A clip(r): what PPO's clip has taken already. */
const isClipped = (ratio: number, a: number, { low, high }: { low: number; high: number }) =>
  -a * clamp(ratio, 1 - low, 1 + high) > -a * ratio;

const quantity = (tokens: number, share: number) => Math.max(1, Math.floor(tokens * share));

function selectClipCov(s: ClipCovSurrogate, batch: ObjectiveBatch): Uint8Array {
  const tokens = batch.logpNew.length;
  if (s.share === 0) return new Uint8Array(tokens);
  const covariance = tokenCovariances(batch);
  const own = advantages(batch);
  const candidates: number[] = [];
  covariance.forEach((cov, t) => {
    const ratio = Math.exp(batch.logpNew[t] - batch.logpOld[t]);
    if (cov > s.least && cov < s.most && !isClipped(ratio, own[t], s)) candidates.push(t);
  });
  candidates.sort((i, j) => covariance[j] - covariance[i]);
  const random = new Random(SEED, STREAM.synthetic);
  const taken = Math.min(quantity(tokens, s.share), candidates.length);
  for (let k = 0; k < taken; k++) {
    const other = k + random.integer(candidates.length - k);
    [candidates[k], candidates[other]] = [candidates[other], candidates[k]];
  }
  return chosen(tokens, candidates.slice(0, taken));
}

function selectKlCov(s: KlCovSurrogate, batch: ObjectiveBatch): Uint8Array {
  const covariance = tokenCovariances(batch);
  const tokens = covariance.length;
  const out = new Uint8Array(tokens);
  if (s.share === 0 || tokens === 0) return out;
  const least = covariance.toSorted()[Math.max(0, tokens - quantity(tokens, s.share))];
  let left = quantity(tokens, s.share);
  // Of equal ones the first.
  for (const enough of [(x: number) => x > least, (x: number) => x === least]) {
    for (let t = 0; t < tokens && left > 0; t++) {
      if (!enough(covariance[t])) continue;
      out[t] = 1;
      left--;
    }
  }
  return out;
}

const SOURCE = {
  title: 'Cui et al. (2025), The entropy mechanism of reinforcement learning for reasoning models',
  url: 'https://arxiv.org/abs/2505.22617',
} as const;

const COMMON = {
  loss: null,
  clamps: () => [],
  coupled: () => false,
  perSequence: () => false,
  detached: false,
  scope: (): 'token' => 'token',
  foldsMismatch: false,
  // An advantage of 0 is no mean advantage.
  countsEveryone: true,
  range: null,
  bandOfRatio: false,
} as const;

export const clipCov = {
  ...COMMON,
  kind: 'clip-cov',
  select: selectClipCov,
  apply(s, response, out) {
    const { advantage, from, to, selected } = response;
    for (let t = from; t < to; t++) {
      const ratio = Math.exp(rawLogRatio(response, t));
      const gone = selected?.[t] === 1;
      const bound = clamp(ratio, 1 - s.low, 1 + s.high);
      out.loss[t] = gone ? 0 : Math.max(-advantage * ratio, -advantage * bound);
      out.weight[t] = ratio;
      out.gate[t] = gone || isClipped(ratio, advantage, s) ? 0 : 1;
      out.slope[t] = -advantage * ratio * out.gate[t];
    }
  },
  count: {
    trl: null,
    // The tokens that are taken out, not those that PPO's clip holds.
    verl: (_, { from, to, selected }) => ({
      low: null,
      high: selected?.subarray(from, to).reduce((sum, own) => sum + own, 0) ?? 0,
    }),
  },
  withoutRange: 'is clipped by ε as PPO is, and beside that at tokens chosen over the whole batch',
  ungated: (s) => ({ ...s, low: 1, high: Infinity, share: 0 }),
  withBand: (s, { low, high }) => ({ ...s, low, high }),
  words: ({ low, high, share, least, most }) => ({
    clips: `token ratio r, ε ${low} / ${high}; of tokens with covariance ${least} to ${most} as many as ${share} of all`,
    weight: 'r',
  }),
  objectives: [
    {
      id: 'clip_cov',
      name: 'Clip-Cov',
      title: 'Clip-Cov',
      formula: String.raw`\frac{1}{N}\sum_i\sum_t \mathbb{1}[(i,t)\notin C]\,\min\!\big(r_{i,t}\hat A_i,\ \mathrm{clip}(r_{i,t}, 1-\varepsilon, 1+\varepsilon)\hat A_i\big)`,
      source: SOURCE,
      level: 'token',
      trl: null,
      verl: verl({ kind: 'clip-cov', ...GRPO_BAND, share: 2e-4, least: 1, most: 5 }, TOKEN_MEAN),
      difference:
        'TRL has none. verl draws the tokens of C anew each time; here the draw has a fixed seed.',
      colour: { light: '#6b7d1f', dark: '#b9cf5a' },
    },
  ],
} as const satisfies SurrogateKind<ClipCovSurrogate>;

export const klCov = {
  ...COMMON,
  kind: 'kl-cov',
  select: selectKlCov,
  apply({ coefficient }, response, out) {
    const { advantage, from, to, selected } = response;
    for (let t = from; t < to; t++) {
      const d = rawLogRatio(response, t);
      const ratio = Math.exp(d);
      const pull = selected?.[t] === 1 ? coefficient : 0;
      out.loss[t] = -advantage * ratio + pull * Math.abs(d);
      out.weight[t] = ratio;
      out.gate[t] = 1;
      out.slope[t] = -advantage * ratio + pull * Math.sign(d);
    }
  },
  count: { trl: null, verl: null },
  withoutRange: 'pulls back tokens chosen over the whole batch',
  ungated: (s) => s,
  withBand: null,
  words: ({ share, coefficient }) => ({
    clips: 'nothing',
    weight: `r, minus ${coefficient} sign(d) at the ${share} of all tokens with the largest covariance`,
  }),
  objectives: [
    {
      id: 'kl_cov',
      name: 'KL-Cov',
      title: 'KL-Cov',
      formula: String.raw`\frac{1}{N}\sum_i\sum_t \Big(r_{i,t}\hat A_i - \beta\,\mathbb{1}[(i,t)\in C]\,|d_{i,t}|\Big)`,
      source: SOURCE,
      level: 'token',
      trl: null,
      verl: verl({ kind: 'kl-cov', share: 2e-4, coefficient: 0.1 }, TOKEN_MEAN),
      difference: 'TRL has none. verl logs no clip share.',
      colour: { light: '#3d6b52', dark: '#7fbf9b' },
    },
  ],
} as const satisfies SurrogateKind<KlCovSurrogate>;
