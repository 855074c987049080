/**
 * A ratio held inside a band: -min(r A, clip(r, 1 - low, 1 + high) A), r per token (PPO, GRPO, DAPO,
 * Dr.GRPO), per response as the geometric mean of its tokens' ratios (GSPO, GSPO-token, LUSPO) or as their
 * product (RLOO). With dual clip (verl) or a capped ratio (TRL's delta).
 *
 * TRL: `GRPOTrainer._compute_loss`, `RLOOTrainer`. verl: `core_algos.py`, `compute_policy_loss_vanilla` and
 * `compute_policy_loss_gspo`, which clamp d_t to +-20 and log s to at most 10.
 */
import {
  clamp,
  clampedLogRatio,
  logRatio,
  rawLogRatio,
  saturated,
  SEQUENCE_MEAN,
  sumLogRatio,
  TOKEN_MEAN,
  trl,
  verl,
  VERL_SEQUENCE_LOG_RATIO_LIMIT,
  VERL_TOKEN_CLAMP,
} from '../arithmetic';
import type {
  Band,
  LossTerms,
  ResponseView,
  SurrogateBuffers,
  SurrogateKind,
  Term,
} from '../types';

/**
 * Where the importance ratio lives:
 * - token: r_t = exp(d_t) (PPO, GRPO)
 * - sequence: s = exp(mean d_t), differentiated through all tokens (GSPO)
 * - sequence-token: sg[s] pi_theta / sg[pi_theta] (GSPO-token): same value and gradient as GSPO
 * - sequence-sum: rho = exp(sum d_t), one loss per sequence (TRL's RLOO)
 */
export type RatioLevel = 'token' | 'sequence' | 'sequence-token' | 'sequence-sum';

export interface ClipSurrogate {
  kind: 'clip';
  level: RatioLevel;
  /** the band is 1 - low .. 1 + high */
  low: number;
  high: number;
  /** verl's dual clip: the loss of a negative advantage never exceeds -dual * A (Ye et al. 2020) */
  dual?: number;
  /** TRL's two-sided clip: the unclipped ratio is capped at delta (INTELLECT-2) */
  delta?: number;
}

/** verl's `clip_ratio_c` */
export const VERL_DUAL_CLIP = 3;
export const GSPO_BAND = { low: 3e-4, high: 4e-4 } as const;
export const GRPO_BAND = { low: 0.2, high: 0.2 } as const;
export const DAPO_BAND = { low: 0.2, high: 0.28 } as const;
/** arXiv:2602.05261 section 5.1, as TRL's paper index recommends */
export const LUSPO_BAND = { low: 2e-3, high: 2.5e-3 } as const;
/** for this lab's small policies: wider than a large model's band */
const LAB_SEQUENCE_BAND = { low: 3e-3, high: 4e-3 } as const;

const at = (level: RatioLevel, { low, high }: Band): ClipSurrogate => ({
  kind: 'clip',
  level,
  low,
  high,
});
const dual = (band: Band): ClipSurrogate => ({ ...at('token', band), dual: VERL_DUAL_CLIP });
const CONSTANT_LENGTH = { kind: 'seq-mean-token-sum-norm', length: null } as const;

interface Clipped {
  loss: number;
  /** 1 where the unclipped branch is the one that counts */
  gate: number;
}

/** -min(r A, clip(r) A) with dual or two-sided clip. */
function clippedLoss(ratio: number, advantage: number, s: ClipSurrogate): Clipped {
  const capped = s.delta !== undefined && ratio > s.delta;
  const free = (capped ? (s.delta as number) : ratio) * advantage;
  const bound = clamp(ratio, 1 - s.low, 1 + s.high) * advantage;
  let loss = -Math.min(free, bound);
  let gate = free <= bound && !capped ? 1 : 0;
  if (s.dual !== undefined && advantage < 0) {
    const ceiling = -advantage * s.dual;
    if (loss > ceiling) {
      loss = ceiling;
      gate = 0;
    }
  }
  return { loss, gate };
}

function apply(s: ClipSurrogate, response: ResponseView, out: SurrogateBuffers): void {
  const { from, to, advantage, library } = response;
  if (s.level === 'token') {
    for (let t = from; t < to; t++) {
      const ratio = Math.exp(logRatio(response, t));
      const { loss, gate } = clippedLoss(ratio, advantage, s);
      out.loss[t] = loss;
      out.weight[t] = ratio;
      out.gate[t] = saturated(response, t) ? 0 : gate;
      out.slope[t] = -advantage * ratio * out.gate[t];
    }
    return;
  }
  const length = to - from;
  const sum = sumLogRatio(response);
  let log = s.level === 'sequence-sum' ? sum : sum / length;
  const cut = library === 'verl' && log > VERL_SEQUENCE_LOG_RATIO_LIMIT;
  if (cut) log = VERL_SEQUENCE_LOG_RATIO_LIMIT;
  const ratio = Math.exp(log);
  const clipped = clippedLoss(ratio, advantage, s);
  const gate = cut ? 0 : clipped.gate;
  // RLOO has one loss per sequence; its tokens share it so that `tokenLoss` still adds up.
  const share = s.level === 'sequence-sum' ? 1 / length : 1;
  for (let t = from; t < to; t++) {
    out.loss[t] = clipped.loss * share;
    out.weight[t] = ratio;
    out.gate[t] = gate;
    out.slope[t] = -advantage * ratio * gate;
  }
}

/** Log of the ratio that the clip sees: [B, T] or [B, 1]. */
function logOfRatio(s: ClipSurrogate, t: LossTerms): Term {
  if (s.level === 'token') return clampedLogRatio(t);
  let log = t.logRatio.sum();
  if (s.level !== 'sequence-sum') log = log.div(t.length);
  // sg[s] pi_theta / sg[pi_theta]: the value of s, the gradient of one token.
  if (s.level === 'sequence-token') log = log.stop().add(t.logProb).sub(t.logProb.stop());
  return t.library === 'verl' ? log.min(VERL_SEQUENCE_LOG_RATIO_LIMIT) : log;
}

function loss(s: ClipSurrogate, t: LossTerms): Term {
  const ratio = logOfRatio(s, t).exp();
  const free = (s.delta === undefined ? ratio : ratio.min(s.delta)).mul(t.advantage);
  const bound = ratio.clip(1 - s.low, 1 + s.high).mul(t.advantage);
  let out = free.min(bound).mul(-1);
  if (s.dual !== undefined) {
    const ceiling = t.advantage.mul(-s.dual);
    out = t.advantage.less(0).choose(out.min(ceiling), out);
  }
  return s.level === 'sequence-sum' ? out.div(t.length) : out;
}

/** Log of the ratio that a library's count looks at, token by token. */
function countedLogs(s: ClipSurrogate, response: ResponseView): (t: number) => number {
  if (s.level === 'token') return (t) => rawLogRatio(response, t);
  const sum = sumLogRatio(response);
  const log = s.level === 'sequence-sum' ? sum : sum / (response.to - response.from);
  return () => log;
}

function countTrl(s: ClipSurrogate, response: ResponseView) {
  const { from, to, advantage } = response;
  const logAt = countedLogs(s, response);
  const ratioAt = (t: number) => Math.min(Math.exp(logAt(t)), s.delta ?? Infinity);
  // One ratio for all tokens of the response, but for the token level.
  const shared = s.level === 'token' ? NaN : ratioAt(from);
  let low = 0;
  let high = 0;
  for (let t = from; t < to; t++) {
    const ratio = s.level === 'token' ? ratioAt(t) : shared;
    if (ratio < 1 - s.low && advantage < 0) low++;
    if (ratio > 1 + s.high && advantage > 0) high++;
  }
  return { low, high };
}

function countVerl(s: ClipSurrogate, response: ResponseView) {
  const { from, to, advantage: a } = response;
  const logAt = countedLogs(s, response);
  let low = 0;
  let high = 0;
  for (let t = from; t < to; t++) {
    const ratio = Math.exp(
      s.level === 'token'
        ? clamp(logAt(t), VERL_TOKEN_CLAMP.low as number, VERL_TOKEN_CLAMP.high)
        : Math.min(logAt(t), VERL_SEQUENCE_LOG_RATIO_LIMIT),
    );
    const bound = clamp(ratio, 1 - s.low, 1 + s.high);
    if (-a * bound > -a * ratio) high++;
    if (s.dual !== undefined && a < 0 && Math.max(-a * ratio, -a * bound) > -a * s.dual) low++;
  }
  return { low, high };
}

const RATIOS: Record<RatioLevel, string> = {
  token: 'token ratio r',
  sequence: 'sequence weight s',
  'sequence-token': 'sequence weight s, token by token',
  'sequence-sum': 'unnormalised ratio ρ',
};

/** 3e-4 as papers write it */
export const epsilonText = (epsilon: number): string =>
  epsilon !== 0 && epsilon < 0.001 ? epsilon.toExponential() : String(epsilon);

export const clip = {
  kind: 'clip',
  apply,
  loss,
  clamps: ({ level }, library) =>
    library === 'trl'
      ? []
      : [
          level === 'token'
            ? VERL_TOKEN_CLAMP
            : { of: 'sequence', low: null, high: VERL_SEQUENCE_LOG_RATIO_LIMIT },
        ],
  coupled: ({ level }) => level === 'sequence' || level === 'sequence-sum',
  perSequence: ({ level }) => level === 'sequence-sum',
  detached: false,
  scope: ({ level }) => (level === 'token' ? 'token' : 'response'),
  foldsMismatch: false,
  countsEveryone: false,
  count: { trl: countTrl, verl: countVerl },
  range: ({ level, low, high, dual: ceiling, delta }) => ({
    level: level === 'sequence-token' ? 'sequence' : level,
    unit: level === 'sequence' || level === 'sequence-sum' ? 'sequences' : 'tokens',
    band: { low, high },
    ceiling:
      delta !== undefined
        ? { ratio: delta, negativeOnly: false }
        : ceiling !== undefined
          ? { ratio: ceiling, negativeOnly: true }
          : null,
    beyond: 'gate',
  }),
  withoutRange: '',
  ungated: ({ level }) => at(level, { low: 1, high: Infinity }),
  withBand: (s, { low, high }) => ({ ...s, low, high }),
  bandOfRatio: true,
  words: ({ level, low, high, dual: ceiling, delta }) => ({
    clips: [
      `${RATIOS[level]}, ε ${epsilonText(low)} / ${epsilonText(high)}`,
      ...(ceiling === undefined ? [] : [`dual clip at ${ceiling}`]),
      ...(delta === undefined ? [] : [`ratio capped at ${delta}`]),
    ].join(', '),
    weight: level === 'token' ? 'r' : level === 'sequence-sum' ? 'ρ' : 's',
  }),
  objectives: [
    {
      id: 'gspo',
      name: 'GSPO',
      title: 'GSPO',
      formula: String.raw`\frac{1}{G}\sum_i \min\!\big(s_i\hat A_i,\ \mathrm{clip}(s_i, 1-\varepsilon_{l}, 1+\varepsilon_{h})\hat A_i\big),\quad s_i=\Big(\tfrac{\pi_\theta(y_i)}{\pi_{\text{old}}(y_i)}\Big)^{1/L_i}`,
      source: {
        title: 'Zheng et al. (2025), Group Sequence Policy Optimization',
        url: 'https://arxiv.org/abs/2507.18071',
      },
      level: 'sequence',
      trl: trl(at('sequence', GSPO_BAND), SEQUENCE_MEAN),
      verl: verl(at('sequence-token', GSPO_BAND), SEQUENCE_MEAN),
      difference:
        'Same loss unless a log s exceeds 10, where verl caps it; TRL counts clipped sequences, verl counts the tokens of clipped sequences.',
      colour: { light: '#4b3fa6', dark: '#a89df7' },
      racing: LAB_SEQUENCE_BAND,
    },
    {
      id: 'gspo_token',
      name: 'GSPO-token',
      title: 'GSPO-token',
      formula: String.raw`\frac{1}{G}\sum_i \frac{1}{L_i}\sum_t \min\!\big(s_{i,t}\hat A_{i},\ \mathrm{clip}(s_{i,t}, 1-\varepsilon_{l}, 1+\varepsilon_{h})\hat A_{i}\big),\quad s_{i,t}=\mathrm{sg}[s_i]\,\tfrac{\pi_\theta(y_{i,t})}{\mathrm{sg}[\pi_\theta(y_{i,t})]}`,
      source: {
        title: 'Zheng et al. (2025), Group Sequence Policy Optimization, section 4.3',
        url: 'https://arxiv.org/abs/2507.18071',
      },
      level: 'sequence',
      trl: trl(at('sequence-token', GSPO_BAND), SEQUENCE_MEAN),
      verl: null,
      difference:
        "Equal to GSPO in value and gradient while advantages are per response; verl's `gspo` is this form.",
      colour: { light: '#7a6fd0', dark: '#7f73e0' },
      racing: LAB_SEQUENCE_BAND,
      epsilonNote: 'clips what GSPO clips; TRL counts the tokens of clipped responses.',
    },
    {
      id: 'luspo',
      name: 'LUSPO',
      title: 'LUSPO',
      formula: String.raw`\frac{1}{G}\sum_i L_i \min\!\big(s_i\hat A_i,\ \mathrm{clip}(s_i, 1-\varepsilon_{l}, 1+\varepsilon_{h})\hat A_i\big)`,
      source: {
        title: 'Length-Unbiased Sequence Policy Optimization (2026)',
        url: 'https://arxiv.org/abs/2602.05261',
      },
      level: 'sequence',
      trl: trl(at('sequence', LUSPO_BAND), { kind: 'seq-mean-token-sum' }),
      verl: null,
      difference: '',
      colour: { light: '#2f7d8c', dark: '#6fc3d3' },
      racing: LAB_SEQUENCE_BAND,
    },
    {
      id: 'grpo',
      name: 'GRPO',
      title: 'GRPO (PPO clip, token)',
      formula: String.raw`\frac{1}{G}\sum_i \frac{1}{L_i}\sum_t \min\!\big(r_{i,t}\hat A_i,\ \mathrm{clip}(r_{i,t}, 1-\varepsilon_{l}, 1+\varepsilon_{h})\hat A_i\big)`,
      source: {
        title: 'Shao et al. (2024), DeepSeekMath',
        url: 'https://arxiv.org/abs/2402.03300',
      },
      level: 'token',
      trl: trl(at('token', GRPO_BAND), SEQUENCE_MEAN),
      verl: verl(dual(GRPO_BAND), TOKEN_MEAN),
      difference:
        "TRL's `grpo` is the mean of sequence means; verl's default is the token mean with dual clip at 3 and log-ratios clamped to ±20.",
      colour: { light: '#a52c5c', dark: '#f08ab0' },
      racing: GRPO_BAND,
    },
    {
      id: 'two_sided',
      name: 'GRPO, two-sided',
      title: 'GRPO with two-sided clip',
      formula: String.raw`\frac{1}{G}\sum_i \frac{1}{L_i}\sum_t \min\!\big(\min(r_{i,t},\delta)\hat A_i,\ \mathrm{clip}(r_{i,t}, 1-\varepsilon_{l}, 1+\varepsilon_{h})\hat A_i\big)`,
      source: {
        title: 'Prime Intellect (2025), INTELLECT-2',
        url: 'https://arxiv.org/abs/2505.07291',
      },
      level: 'token',
      trl: trl({ ...at('token', GRPO_BAND), delta: 3 }, SEQUENCE_MEAN),
      verl: null,
      difference: "TRL's delta and verl's dual clip are the same idea: a ceiling for A < 0.",
      colour: { light: '#c0557f', dark: '#d9688f' },
      racing: GRPO_BAND,
      epsilonNote: 'gives no gradient above δ = 3 either, at every ε and whatever the sign of A.',
    },
    {
      id: 'dapo',
      name: 'DAPO',
      title: 'DAPO (clip higher, token mean)',
      formula: String.raw`\frac{1}{\sum_i L_i}\sum_i \sum_t \min\!\big(r_{i,t}\hat A_i,\ \mathrm{clip}(r_{i,t}, 1-\varepsilon_{l}, 1+\varepsilon_{h})\hat A_i\big)`,
      source: { title: 'Yu et al. (2025), DAPO', url: 'https://arxiv.org/abs/2503.14476' },
      level: 'token',
      trl: trl(at('token', DAPO_BAND), TOKEN_MEAN),
      verl: verl(dual(DAPO_BAND), TOKEN_MEAN),
      difference: 'verl adds dual clip at 3 and clamps log-ratios to ±20.',
      colour: { light: '#b8621b', dark: '#eea365' },
      racing: DAPO_BAND,
    },
    {
      id: 'dr_grpo',
      name: 'Dr.GRPO',
      title: 'Dr.GRPO',
      formula: String.raw`\frac{1}{G\,L_{\max}}\sum_i \sum_t \min\!\big(r_{i,t}\hat A_i,\ \mathrm{clip}(r_{i,t}, 1-\varepsilon, 1+\varepsilon)\hat A_i\big)`,
      source: {
        title: 'Liu et al. (2025), Understanding R1-Zero-like training',
        url: 'https://arxiv.org/abs/2503.20783',
      },
      level: 'token',
      trl: trl(at('token', GRPO_BAND), CONSTANT_LENGTH),
      verl: verl(dual(GRPO_BAND), CONSTANT_LENGTH),
      difference:
        'Both divide by a constant length; verl adds dual clip at 3 and clamps log-ratios to ±20.',
      colour: { light: '#7a3b1a', dark: '#c98a5a' },
      racing: GRPO_BAND,
      // Leaving the standard deviation out of the advantage is half of what it is.
      advantages: 'dr_grpo',
    },
    {
      id: 'rloo',
      name: 'RLOO',
      title: 'RLOO (unnormalised sequence ratio)',
      formula: String.raw`\frac{1}{G}\sum_i \min\!\big(\rho_i\hat A_i,\ \mathrm{clip}(\rho_i, 1-\varepsilon, 1+\varepsilon)\hat A_i\big),\quad \rho_i=\textstyle\prod_t r_{i,t}`,
      source: {
        title: 'Ahmadian et al. (2024), Back to basics',
        url: 'https://arxiv.org/abs/2402.14740',
      },
      level: 'sequence',
      trl: trl(at('sequence-sum', GRPO_BAND), SEQUENCE_MEAN),
      verl: null,
      difference: 'In verl RLOO is a rule for advantages; the loss is the token-level one.',
      colour: { light: '#5f666d', dark: '#b3bac1' },
      racing: GRPO_BAND,
      advantages: 'rloo',
    },
  ],
} as const satisfies SurrogateKind<ClipSurrogate>;
