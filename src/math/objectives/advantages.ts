/**
 * Advantages from rewards, by each library's rule. Contract: pure float64; sequences of one group need not be
 * neighbours.
 *
 * Sources: TRL 1.10.0.dev0 (f2cd577), `trl/trainer/grpo_trainer.py`; verl 0.10.0.dev (1dda039),
 * `verl/trainer/ppo/core_algos.py`, `compute_*_advantage`.
 */

/**
 * - trl: (r - mean) / (sd + 1e-4), sd unbiased; a group of one gets 0 (`scale_rewards="group"`)
 * - trl_batch: (r - mean of the group) / (sd of all + 1e-4) (`scale_rewards="batch"`)
 * - verl: (r - mean) / (sd + 1e-6), sd unbiased; a group of one keeps r / (1 + 1e-6) (`grpo`: mean 0, sd 1)
 * - dr_grpo: r - mean (`scale_rewards="none"`)
 * - rloo: r minus the mean of the others (Ahmadian et al. 2024); a group of one keeps r
 * - reinforce_plus_plus: r, whitened over all tokens of the batch (reward at the last token, gamma 1)
 * - reinforce_plus_plus_baseline: r - mean of the group, whitened over all tokens; a group of one keeps r
 * - opo: r minus the mean of the group's rewards weighted by length; a group of one keeps r
 * - grpo_passk: the best of a group gets (best - second best) / (sd + 1e-6), the others 0; so does a group of
 *   one, which verl refuses
 */
export const ADVANTAGE_RULES = [
  'trl',
  'verl',
  'dr_grpo',
  'rloo',
  'trl_batch',
  'reinforce_plus_plus',
  'reinforce_plus_plus_baseline',
  'opo',
  'grpo_passk',
] as const;
export type AdvantageRule = (typeof ADVANTAGE_RULES)[number];

/** Rules from rewards alone, and verl's that need more than one reward per response. */
export const VARIANT_ADVANTAGES = [...ADVANTAGE_RULES, 'gdpo', 'optimal_token_baseline'] as const;
export type VariantAdvantages = (typeof VARIANT_ADVANTAGES)[number];

export const ADVANTAGE_TITLES: Readonly<Record<AdvantageRule, string>> = {
  trl: 'TRL: (r − mean) / (sd + 1e-4)',
  verl: 'verl: (r − mean) / (sd + 1e-6)',
  dr_grpo: 'Dr.GRPO: r − mean',
  rloo: 'RLOO: r − mean of the others',
  trl_batch: 'TRL, scale_rewards="batch": sd of the batch',
  reinforce_plus_plus: 'verl, REINFORCE++: whitened over tokens',
  reinforce_plus_plus_baseline: 'verl, REINFORCE++ with baseline',
  opo: 'verl, OPO: mean weighted by length',
  grpo_passk: 'verl, pass@k: the best of a group only',
};

export const VARIANT_ADVANTAGE_TITLES: Readonly<Record<VariantAdvantages, string>> = {
  ...ADVANTAGE_TITLES,
  gdpo: 'verl, GDPO: each part of the reward by itself',
  optimal_token_baseline: 'verl, optimal token baseline',
};

/** Rules that look at how long responses are. */
const BY_LENGTH: ReadonlySet<AdvantageRule> = new Set([
  'reinforce_plus_plus',
  'reinforce_plus_plus_baseline',
  'opo',
]);

/** [n] members of each group */
function membersOf(group: ArrayLike<number>): number[][] {
  const members = new Map<number, number[]>();
  for (let i = 0; i < group.length; i++) {
    const list = members.get(group[i]);
    if (list) list.push(i);
    else members.set(group[i], [i]);
  }
  return [...members.values()];
}

/** Mean and unbiased sd; a single value has sd 0. */
function spread(values: readonly number[]): { mean: number; sd: number } {
  const size = values.length;
  const mean = values.reduce((sum, x) => sum + x, 0) / size;
  let squares = 0;
  for (const x of values) squares += (x - mean) ** 2;
  return { mean, sd: size > 1 ? Math.sqrt(squares / (size - 1)) : 0 };
}

/** verl's `masked_whiten` of a value per response over its tokens. */
function whitened(values: Float64Array, lengths: ArrayLike<number>): Float64Array {
  let tokens = 0;
  let sum = 0;
  for (let i = 0; i < values.length; i++) {
    tokens += lengths[i];
    sum += lengths[i] * values[i];
  }
  const mean = sum / (tokens + 1e-8);
  let squares = 0;
  for (let i = 0; i < values.length; i++) {
    squares += lengths[i] * (values[i] - mean) ** 2;
  }
  const variance = (squares / (tokens + 1e-8)) * (tokens / (tokens - 1));
  return values.map((x) => (x - mean) / Math.sqrt(variance + 1e-8));
}

/**
 * @param reward [n]
 * @param group [n] any numbering
 * @param lengths [n] response tokens; some rules need them
 * @returns [n]
 * @throws RangeError where a rule needs lengths and there are none
 */
export function groupAdvantages(
  reward: ArrayLike<number>,
  group: ArrayLike<number>,
  rule: AdvantageRule,
  lengths?: ArrayLike<number>,
): Float64Array {
  const n = reward.length;
  const length = (i: number): number => {
    const own = lengths?.[i];
    if (own === undefined)
      throw new RangeError(`The rule "${rule}" needs the lengths of responses.`);
    return own;
  };
  if (BY_LENGTH.has(rule) && n > 0) length(0);
  const out = new Float64Array(n);
  const all = rule === 'trl_batch' ? spread(Array.from(reward)).sd : 0;
  for (const list of membersOf(group)) {
    const size = list.length;
    const own = list.map((i) => reward[i]);
    const { mean, sd } = spread(own);
    let baseline = mean;
    if (rule === 'opo') {
      const tokens = list.reduce((sum, i) => sum + length(i), 0);
      baseline = list.reduce((sum, i) => sum + length(i) * reward[i], 0) / tokens;
    }
    const [best, second] = [...own].sort((a, b) => b - a);
    const winner = list[own.indexOf(best)];
    for (const i of list) {
      const r = reward[i];
      switch (rule) {
        case 'trl':
          out[i] = (r - mean) / (sd + 1e-4);
          break;
        case 'trl_batch':
          out[i] = (r - mean) / (all + 1e-4);
          break;
        case 'verl':
          out[i] = size > 1 ? (r - mean) / (sd + 1e-6) : r / (1 + 1e-6);
          break;
        case 'dr_grpo':
          out[i] = r - mean;
          break;
        case 'rloo':
          out[i] = size > 1 ? ((r - mean) * size) / (size - 1) : r;
          break;
        case 'reinforce_plus_plus':
          out[i] = r;
          break;
        case 'reinforce_plus_plus_baseline':
        case 'opo':
          out[i] = size > 1 ? r - baseline : r;
          break;
        case 'grpo_passk':
          out[i] = second !== undefined && i === winner ? (best - second) / (sd + 1e-6) : 0;
          break;
      }
    }
  }
  return rule === 'reinforce_plus_plus' || rule === 'reinforce_plus_plus_baseline'
    ? whitened(out, lengths as ArrayLike<number>)
    : out;
}

/**
 * verl's GDPO: each reward is normalised within its group as verl's GRPO does it, the weighted sum is whitened
 * over tokens.
 * @param rewards one [n] per component
 * @param weights one per component; left out = 1
 */
export function gdpoAdvantages(
  rewards: readonly ArrayLike<number>[],
  group: ArrayLike<number>,
  lengths: ArrayLike<number>,
  weights?: readonly number[],
): Float64Array {
  const sum = new Float64Array(group.length);
  rewards.forEach((reward, k) => {
    const weight = weights?.[k] ?? 1;
    groupAdvantages(reward, group, 'verl').forEach((a, i) => {
      sum[i] = sum[i] + weight * a;
    });
  });
  return whitened(sum, lengths);
}

export interface BaselineColumns {
  /** [n + 1] */
  offsets: Uint32Array;
  /** [tokens] log pi_old(y_t), nats */
  logpOld: ArrayLike<number>;
  /** [tokens] sum_v p_v^2 under pi_old */
  collisionOld: ArrayLike<number>;
}

/**
 * verl's optimal token baseline: at step t of a group, the rewards weighted by W_t = sum_{j <= t}
 * (1 - 2 pi_j + sum pi_j^2) of each response that is at least that long. Reward at the last token, gamma 1; a
 * group of one has no baseline, and what of the longest response no other reaches has none either.
 * @param weights [tokens] mismatch weights, squared into W; left out = 1
 * @returns [tokens]
 */
export function optimalTokenAdvantages(
  reward: ArrayLike<number>,
  group: ArrayLike<number>,
  { offsets, logpOld, collisionOld }: BaselineColumns,
  weights?: ArrayLike<number>,
): Float64Array {
  const out = new Float64Array(offsets.at(-1) as number);
  const span = (i: number) => [offsets[i], offsets[i + 1]] as const;
  for (const list of membersOf(group)) {
    const ordered = list.map((i) => span(i)[1] - span(i)[0]).sort((a, b) => b - a);
    const reached = list.length > 1 ? ordered[1] : 0;
    const path = new Map(list.map((i) => [i, 0]));
    for (let t = 0; t < ordered[0]; t++) {
      let numerator = 0;
      let denominator = 1e-8;
      for (const i of list) {
        const at = span(i)[0] + t;
        if (at >= span(i)[1]) continue;
        const weight = weights ? weights[at] ** 2 : 1;
        const own = 1 - 2 * Math.exp(logpOld[at]) + collisionOld[at];
        const total = (path.get(i) as number) + own * weight;
        path.set(i, total);
        numerator += reward[i] * total;
        denominator += total;
      }
      for (const i of list) {
        const at = span(i)[0] + t;
        if (at >= span(i)[1]) continue;
        out[at] = reward[i] - (t < reached ? numerator / denominator : 0);
      }
    }
  }
  return out;
}
