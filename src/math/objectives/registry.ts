/**
 * The one list of objectives: what each is called, its formula, where it comes from, and the settings that
 * each library recommends for it (null: the library has no such objective). Contract: adding an objective
 * means one entry here (and, if its surrogate is new, one case in `surrogates.ts`).
 *
 * Sources of settings: TRL's paper index and configuration defaults; verl's `ActorConfig` defaults and
 * recipes. TRL's default aggregation is the token mean for everything; the entries follow the papers' setup
 * that TRL recommends.
 */
import type {
  Aggregation,
  ClipSurrogate,
  Library,
  ObjectiveSettings,
  RatioLevel,
  Surrogate,
} from './types';

export const OBJECTIVE_IDS = [
  'reinforce',
  'grpo',
  'two_sided',
  'dapo',
  'dr_grpo',
  'gspo',
  'gspo_token',
  'luspo',
  'cispo',
  'gmpo',
  'sapo',
  'vespo',
  'rloo',
  'dppo_tv',
  'dppo_kl',
  'dro',
] as const;
export type ObjectiveId = (typeof OBJECTIVE_IDS)[number];

/**
 * Those with a clip range or a cap that epsilon sets, in the order of menus. The others have none:
 * REINFORCE has no ratio, SAPO and VESPO damp softly, DRO pulls back by a penalty.
 */
export const CLIPPED_IDS = [
  'gspo',
  'gspo_token',
  'luspo',
  'grpo',
  'two_sided',
  'dapo',
  'dr_grpo',
  'cispo',
  'gmpo',
  'rloo',
  'dppo_tv',
  'dppo_kl',
] as const satisfies readonly ObjectiveId[];
export type ClippedId = (typeof CLIPPED_IDS)[number];

export interface Objective {
  id: ObjectiveId;
  title: string;
  /** objective to maximise, LaTeX, per response unless it says otherwise */
  formula: string;
  source: { title: string; url: string };
  /** which level its ratio lives on, for plots */
  level: 'none' | 'token' | 'sequence';
  trl: ObjectiveSettings | null;
  verl: ObjectiveSettings | null;
  /** what differs between the libraries, one sentence for the page; empty where nothing does */
  difference: string;
}

/** verl's `clip_ratio_c` */
export const VERL_DUAL_CLIP = 3;
export const GSPO_BAND = { low: 3e-4, high: 4e-4 } as const;
export const GRPO_BAND = { low: 0.2, high: 0.2 } as const;
export const DAPO_BAND = { low: 0.2, high: 0.28 } as const;
/** arXiv:2602.05261 section 5.1, as TRL's paper index recommends */
export const LUSPO_BAND = { low: 2e-3, high: 2.5e-3 } as const;

const TOKEN_MEAN: Aggregation = { kind: 'token-mean' };
const SEQUENCE_MEAN: Aggregation = { kind: 'seq-mean-token-mean' };

function clip(level: RatioLevel, band: { low: number; high: number }): ClipSurrogate {
  return { kind: 'clip', level, low: band.low, high: band.high };
}

function trl(surrogate: Surrogate, aggregation: Aggregation): ObjectiveSettings {
  return { library: 'trl', surrogate, aggregation };
}

function verl(surrogate: Surrogate, aggregation: Aggregation): ObjectiveSettings {
  return { library: 'verl', surrogate, aggregation };
}

function dual(band: { low: number; high: number }): ClipSurrogate {
  return { ...clip('token', band), dual: VERL_DUAL_CLIP };
}

const SAPO: Surrogate = { kind: 'sapo', tauPositive: 1, tauNegative: 1.05 };
const GMPO: Surrogate = { kind: 'gmpo', low: 0.4, high: 0.4 };

export const OBJECTIVES: readonly Objective[] = [
  {
    id: 'reinforce',
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
  },
  {
    id: 'grpo',
    title: 'GRPO (PPO clip, token)',
    formula: String.raw`\frac{1}{G}\sum_i \frac{1}{L_i}\sum_t \min\!\big(r_{i,t}\hat A_i,\ \mathrm{clip}(r_{i,t}, 1-\varepsilon_{l}, 1+\varepsilon_{h})\hat A_i\big)`,
    source: { title: 'Shao et al. (2024), DeepSeekMath', url: 'https://arxiv.org/abs/2402.03300' },
    level: 'token',
    trl: trl(clip('token', GRPO_BAND), SEQUENCE_MEAN),
    verl: verl(dual(GRPO_BAND), TOKEN_MEAN),
    difference:
      "TRL's `grpo` is the mean of sequence means; verl's default is the token mean with dual clip at 3 and log-ratios clamped to ±20.",
  },
  {
    id: 'two_sided',
    title: 'GRPO with two-sided clip',
    formula: String.raw`\frac{1}{G}\sum_i \frac{1}{L_i}\sum_t \min\!\big(\min(r_{i,t},\delta)\hat A_i,\ \mathrm{clip}(r_{i,t}, 1-\varepsilon_{l}, 1+\varepsilon_{h})\hat A_i\big)`,
    source: {
      title: 'Prime Intellect (2025), INTELLECT-2',
      url: 'https://arxiv.org/abs/2505.07291',
    },
    level: 'token',
    trl: trl({ ...clip('token', GRPO_BAND), delta: 3 }, SEQUENCE_MEAN),
    verl: null,
    difference: "TRL's delta and verl's dual clip are the same idea: a ceiling for A < 0.",
  },
  {
    id: 'dapo',
    title: 'DAPO (clip higher, token mean)',
    formula: String.raw`\frac{1}{\sum_i L_i}\sum_i \sum_t \min\!\big(r_{i,t}\hat A_i,\ \mathrm{clip}(r_{i,t}, 1-\varepsilon_{l}, 1+\varepsilon_{h})\hat A_i\big)`,
    source: { title: 'Yu et al. (2025), DAPO', url: 'https://arxiv.org/abs/2503.14476' },
    level: 'token',
    trl: trl(clip('token', DAPO_BAND), TOKEN_MEAN),
    verl: verl(dual(DAPO_BAND), TOKEN_MEAN),
    difference: 'verl adds dual clip at 3 and clamps log-ratios to ±20.',
  },
  {
    id: 'dr_grpo',
    title: 'Dr.GRPO',
    formula: String.raw`\frac{1}{G\,L_{\max}}\sum_i \sum_t \min\!\big(r_{i,t}\hat A_i,\ \mathrm{clip}(r_{i,t}, 1-\varepsilon, 1+\varepsilon)\hat A_i\big)`,
    source: {
      title: 'Liu et al. (2025), Understanding R1-Zero-like training',
      url: 'https://arxiv.org/abs/2503.20783',
    },
    level: 'token',
    trl: trl(clip('token', GRPO_BAND), { kind: 'seq-mean-token-sum-norm', length: null }),
    verl: verl(dual(GRPO_BAND), { kind: 'seq-mean-token-sum-norm', length: null }),
    difference:
      'Both divide by a constant length; verl adds dual clip at 3 and clamps log-ratios to ±20.',
  },
  {
    id: 'gspo',
    title: 'GSPO',
    formula: String.raw`\frac{1}{G}\sum_i \min\!\big(s_i\hat A_i,\ \mathrm{clip}(s_i, 1-\varepsilon_{l}, 1+\varepsilon_{h})\hat A_i\big),\quad s_i=\Big(\tfrac{\pi_\theta(y_i)}{\pi_{\text{old}}(y_i)}\Big)^{1/L_i}`,
    source: {
      title: 'Zheng et al. (2025), Group Sequence Policy Optimization',
      url: 'https://arxiv.org/abs/2507.18071',
    },
    level: 'sequence',
    trl: trl(clip('sequence', GSPO_BAND), SEQUENCE_MEAN),
    verl: verl(clip('sequence-token', GSPO_BAND), SEQUENCE_MEAN),
    difference:
      'Same loss unless a log s exceeds 10, where verl caps it; TRL counts clipped sequences, verl counts the tokens of clipped sequences.',
  },
  {
    id: 'gspo_token',
    title: 'GSPO-token',
    formula: String.raw`\frac{1}{G}\sum_i \frac{1}{L_i}\sum_t \min\!\big(s_{i,t}\hat A_{i},\ \mathrm{clip}(s_{i,t}, 1-\varepsilon_{l}, 1+\varepsilon_{h})\hat A_{i}\big),\quad s_{i,t}=\mathrm{sg}[s_i]\,\tfrac{\pi_\theta(y_{i,t})}{\mathrm{sg}[\pi_\theta(y_{i,t})]}`,
    source: {
      title: 'Zheng et al. (2025), Group Sequence Policy Optimization, section 4.3',
      url: 'https://arxiv.org/abs/2507.18071',
    },
    level: 'sequence',
    trl: trl(clip('sequence-token', GSPO_BAND), SEQUENCE_MEAN),
    verl: null,
    difference:
      "Equal to GSPO in value and gradient while advantages are per response; verl's `gspo` is this form.",
  },
  {
    id: 'luspo',
    title: 'LUSPO',
    formula: String.raw`\frac{1}{G}\sum_i L_i \min\!\big(s_i\hat A_i,\ \mathrm{clip}(s_i, 1-\varepsilon_{l}, 1+\varepsilon_{h})\hat A_i\big)`,
    source: {
      title: 'Length-Unbiased Sequence Policy Optimization (2026)',
      url: 'https://arxiv.org/abs/2602.05261',
    },
    level: 'sequence',
    trl: trl(clip('sequence', LUSPO_BAND), { kind: 'seq-mean-token-sum' }),
    verl: null,
    difference: '',
  },
  {
    id: 'cispo',
    title: 'CISPO',
    formula: String.raw`\frac{1}{\sum_i L_i}\sum_i\sum_t \mathrm{sg}\big[\mathrm{clip}(r_{i,t}, \cdot, \varepsilon_{\max})\big]\hat A_i \log\pi_\theta(y_{i,t})`,
    source: { title: 'MiniMax (2025), MiniMax-M1', url: 'https://arxiv.org/abs/2506.13585' },
    level: 'token',
    trl: trl({ kind: 'cispo', min: null, max: 5 }, TOKEN_MEAN),
    verl: verl({ kind: 'cispo', min: 1 - 10, max: 1 + 0.2 }, TOKEN_MEAN),
    difference:
      "TRL's epsilon_high is the largest weight itself (its default 0.2 caps weights at 0.2); verl's is 1 + epsilon.",
  },
  {
    id: 'gmpo',
    title: 'GMPO',
    formula: String.raw`\frac{1}{G}\sum_i \hat A_i \Big(\prod_t \min\!\big(r_{i,t}^{\sigma_i},\ \mathrm{clip}(r_{i,t}, e^{-\varepsilon}, e^{\varepsilon})^{\sigma_i}\big)^{\sigma_i}\Big)^{1/L_i},\quad \sigma_i=\mathrm{sgn}\,\hat A_i`,
    source: {
      title: 'Zhao et al. (2025), Geometric-Mean Policy Optimization',
      url: 'https://arxiv.org/abs/2507.20673',
    },
    level: 'sequence',
    trl: trl(GMPO, SEQUENCE_MEAN),
    verl: verl(GMPO, SEQUENCE_MEAN),
    difference:
      'Same loss; verl counts a token beyond either edge, TRL only where the clip takes effect.',
  },
  {
    id: 'sapo',
    title: 'SAPO',
    formula: String.raw`\frac{1}{G}\sum_i \frac{1}{L_i}\sum_t \tfrac{4}{\tau}\,\sigma\big(\tau(r_{i,t}-1)\big)\hat A_i`,
    source: {
      title: 'Soft Adaptive Policy Optimization (2025)',
      url: 'https://arxiv.org/abs/2511.20347',
    },
    level: 'token',
    trl: trl(SAPO, SEQUENCE_MEAN),
    verl: verl(SAPO, SEQUENCE_MEAN),
    difference: 'Nothing is ever clipped: TRL logs no share, verl logs zero.',
  },
  {
    id: 'vespo',
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
  },
  {
    id: 'rloo',
    title: 'RLOO (unnormalised sequence ratio)',
    formula: String.raw`\frac{1}{G}\sum_i \min\!\big(\rho_i\hat A_i,\ \mathrm{clip}(\rho_i, 1-\varepsilon, 1+\varepsilon)\hat A_i\big),\quad \rho_i=\textstyle\prod_t r_{i,t}`,
    source: {
      title: 'Ahmadian et al. (2024), Back to basics',
      url: 'https://arxiv.org/abs/2402.14740',
    },
    level: 'sequence',
    trl: trl(clip('sequence-sum', GRPO_BAND), SEQUENCE_MEAN),
    verl: null,
    difference: 'In verl RLOO is a rule for advantages; the loss is the token-level one.',
  },
  {
    id: 'dppo_tv',
    title: 'DPPO, total variation',
    formula: String.raw`\frac{1}{N}\sum_i\sum_t M_{i,t}\,\mathrm{sg}[\min(r_{i,t},c)]\hat A_i\log\pi_\theta(y_{i,t}),\quad M=[\,|\pi_\theta-\pi_{\text{old}}|\le\varepsilon\,]`,
    source: { title: 'Divergence PPO (2026)', url: 'https://arxiv.org/abs/2602.04879' },
    level: 'token',
    trl: null,
    verl: verl({ kind: 'dppo', divergence: 'tv', low: 0.2, high: 0.2, cap: 3 }, TOKEN_MEAN),
    difference: '',
  },
  {
    id: 'dppo_kl',
    title: 'DPPO, binary KL',
    formula: String.raw`\frac{1}{N}\sum_i\sum_t M_{i,t}\,\mathrm{sg}[\min(r_{i,t},c)]\hat A_i\log\pi_\theta(y_{i,t}),\quad M=[\,\mathrm{KL}_2(\pi_{\text{old}}\|\pi_\theta)\le\varepsilon\,]`,
    source: { title: 'Divergence PPO (2026)', url: 'https://arxiv.org/abs/2602.04879' },
    level: 'token',
    trl: null,
    verl: verl({ kind: 'dppo', divergence: 'kl', low: 0.05, high: 0.05, cap: 3 }, TOKEN_MEAN),
    difference: '',
  },
  {
    id: 'dro',
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
  },
];

/** Total over OBJECTIVE_IDS: the registry's test checks that every id has its entry. */
export function objective(id: ObjectiveId): Objective {
  const found = OBJECTIVES.find((entry) => entry.id === id);
  if (!found) throw new RangeError(`The registry has no objective "${id}".`);
  return found;
}

export interface Overrides {
  /** replaces the band of ratio-clipping objectives (not CISPO, GMPO, SAPO: their knobs mean other things) */
  low?: number;
  high?: number;
  /** constant length of Dr.GRPO */
  length?: number;
}

/** The library's settings for an objective with a person's own band or length; null where it has none. */
export function recommended(
  id: ObjectiveId,
  library: Library,
  overrides: Overrides = {},
): ObjectiveSettings | null {
  const settings = objective(id)[library];
  if (!settings) return null;
  const { surrogate, aggregation } = settings;
  return {
    library,
    surrogate:
      surrogate.kind === 'clip'
        ? {
            ...surrogate,
            low: overrides.low ?? surrogate.low,
            high: overrides.high ?? surrogate.high,
          }
        : surrogate,
    aggregation:
      aggregation.kind === 'seq-mean-token-sum-norm'
        ? { ...aggregation, length: overrides.length ?? aggregation.length }
        : aggregation,
  };
}
