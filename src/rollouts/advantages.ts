/** Group-relative advantages, as GRPO (Shao et al. 2024) and GSPO (Zheng et al. 2025) take them. */

/** TRL's guard against groups whose rewards are all alike. */
const EPSILON = 1e-4;

/**
 * A_i = (r_i - mean) / (std + 1e-4) within each group, std with n - 1 (TRL's rule; 0 for a group of
 * one or of equal rewards).
 * @param reward [n]
 * @param group [n] group index
 * @returns [n]
 */
export function groupAdvantages(reward: Float64Array, group: Uint32Array): Float64Array {
  const members = new Map<number, number[]>();
  group.forEach((g, i) => {
    const list = members.get(g);
    if (list) list.push(i);
    else members.set(g, [i]);
  });
  const advantage = new Float64Array(reward.length);
  for (const list of members.values()) {
    const rewards = list.map((i) => reward[i] as number);
    const mean = rewards.reduce((sum, r) => sum + r, 0) / rewards.length;
    const squares = rewards.reduce((sum, r) => sum + (r - mean) ** 2, 0);
    const std = rewards.length > 1 ? Math.sqrt(squares / (rewards.length - 1)) : 0;
    for (const i of list) advantage[i] = ((reward[i] as number) - mean) / (std + EPSILON);
  }
  return advantage;
}
