/**
 * Group advantages from rewards, by each library's rule. Contract: pure; sequences of one group need not
 * be neighbours.
 *
 * - trl: (r - mean) / (sd + 1e-4), sd unbiased; a group of one gets 0 (`GRPOTrainer`, scale_rewards group)
 * - verl: (r - mean) / (sd + 1e-6), sd unbiased; a group of one keeps r / (1 + 1e-6)
 *   (`compute_grpo_outcome_advantage`: mean 0, sd 1)
 * - dr_grpo: r - mean
 * - rloo: r minus the mean of the others (Ahmadian et al. 2024); a group of one keeps r
 */
export const ADVANTAGE_RULES = ['trl', 'verl', 'dr_grpo', 'rloo'] as const;
export type AdvantageRule = (typeof ADVANTAGE_RULES)[number];

/**
 * @param reward [n]
 * @param group [n] any numbering
 * @returns [n]
 */
export function groupAdvantages(
  reward: ArrayLike<number>,
  group: ArrayLike<number>,
  rule: AdvantageRule,
): Float64Array {
  const n = reward.length;
  const members = new Map<number, number[]>();
  for (let i = 0; i < n; i++) {
    const key = group[i] as number;
    const list = members.get(key);
    if (list) list.push(i);
    else members.set(key, [i]);
  }
  const out = new Float64Array(n);
  for (const list of members.values()) {
    const size = list.length;
    const mean = list.reduce((sum, i) => sum + (reward[i] as number), 0) / size;
    let squares = 0;
    for (const i of list) squares += ((reward[i] as number) - mean) ** 2;
    const sd = size > 1 ? Math.sqrt(squares / (size - 1)) : 0;
    for (const i of list) {
      const r = reward[i] as number;
      switch (rule) {
        case 'trl':
          out[i] = (r - mean) / (sd + 1e-4);
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
      }
    }
  }
  return out;
}
