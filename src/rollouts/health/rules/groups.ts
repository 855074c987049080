/** Rules about groups, rewards and advantages: each comes before any advice about clip ranges. */
import type { Carrier } from '../evidence/carriers';
import { normalQuantile } from '../../../math/stats/distributions';
import { CONFIDENCE, type Evidence } from '../evidence/evidence';
import { S } from '../evidence/names';
import { count, counted, inDigits, inPercent, number, percent, rule } from '../finding';

const ALL_ALONE = 0.9;
/** Fewer responses may well be of different prompts. */
const LEAST_RESPONSES = 4;

/** Share of responses that are alone in their group. */
function alone(e: Evidence): number {
  const singles = e.perGroup.filter((sums) => sums[S.responses] === 1).length;
  return singles / e.count('responses');
}

/** "p0_0_0" -> "p0_0" -> "p0": names of responses that begin with the name of their prompt. */
function stem(name: string, counters: number): string {
  let text = name;
  for (let k = 0; k < counters; k++) text = text.replace(/[_\-:/.]\d+$/, '');
  return text;
}

const MOST_COUNTERS = 4;

/** Groups of the names' stems, where those make groups: with as few counters cut off as it takes. */
function stems(names: readonly (string | number)[]): { groups: number; largest: number } | null {
  const texts = names.map((name) => String(name).replace(/^.*\u0000/, ''));
  for (let counters = 1; counters <= MOST_COUNTERS; counters++) {
    const sizes = new Map<string, number>();
    for (const text of texts) {
      const own = stem(text, counters);
      sizes.set(own, (sizes.get(own) ?? 0) + 1);
    }
    // As many stems as responses, so none of them goes through arguments of a call.
    let largest = 0;
    for (const size of sizes.values()) largest = Math.max(largest, size);
    // One stem for all is a common prefix, not a prompt.
    if (sizes.size > 1 && names.length >= 2 * sizes.size) return { groups: sizes.size, largest };
  }
  return null;
}

/** Groups by the text of the prompt, where those are fewer than half of the groups. */
function byPrompt(e: Evidence): number | null {
  const [known, texts] = [e.count('promptGroups'), e.count('promptTexts')];
  return known >= ALL_ALONE * e.groups && 2 * texts <= known && texts > 0 ? texts : null;
}

const NO_GROUPS = [
  'no-signal',
  'advantages-zero',
  'clipping-never',
  'clipping-always',
  'group-of-one',
] as const;

export const uidPerResponse = rule({
  id: 'uid-per-response',
  level: 'warning',
  title: 'Every response has a uid of its own: no groups',
  symptom:
    'Advantages all 0 or all equal to the reward; GRPO behaves like REINFORCE without a baseline',
  measure: 'share of responses that are alone in their group',
  threshold: ALL_ALONE,
  fires:
    'above, where the names of the groups share stems (p0_0, p0_1) as responses to one prompt do, or the texts of their prompts are the same',
  cause:
    'Every group has one response: the group id was made per response, not per prompt. A group of one has nothing to compare with, so group advantages are 0.',
  remedy: {
    any: 'Group by prompt: write the prompt’s id (the part of the name before the counters, or the prompt itself).',
    verl: 'V1 trainer: uid is per sample; use the part before the underscores, or the prompt’s index. In the older trainer set uid before batch.repeat(n).',
  },
  sources: ['verl V1 trainer'],
  hides: NO_GROUPS,
  shows: null,
  look(e) {
    const share = alone(e);
    if (e.count('responses') < LEAST_RESPONSES) return null;
    const found = stems(e.groupNames);
    const prompts = byPrompt(e);
    const told = [
      found &&
        `Cut before their counters the names make ${counted(found.groups, 'group')} of up to ${found.largest}.`,
      prompts !== null && `The texts of the prompts make ${counted(prompts, 'group')}.`,
    ].filter((text) => typeof text === 'string');
    return {
      found: share > ALL_ALONE && told.length > 0,
      statistic: share,
      interval: e.share(Math.round(share * e.count('responses')), e.count('responses')).interval,
      adds: told.join(' '),
      figures: [
        percent('responses alone in their group', share),
        count('groups', e.groups),
        count('responses', e.count('responses')),
        ...(found ? [count('groups by the stem of the name', found.groups)] : []),
        ...(prompts !== null ? [count('groups by the text of the prompt', prompts)] : []),
      ],
      carriers: groupCarriers(e, (sums) => (sums[S.responses] === 1 ? 1 : 0)),
    };
  },
});

export const groupOfOne = rule({
  id: 'group-of-one',
  level: 'warning',
  title: 'Every group has one response',
  symptom: 'Advantages all 0 (or not a number); loss 0 from the first step',
  measure: 'share of responses that are alone in their group',
  threshold: ALL_ALONE,
  fires: 'above',
  cause:
    'A group of one has nothing to compare with: its advantage is 0 under every group rule. Either one response is sampled per prompt, or the group id is unique per response, or each file holds one response of each group.',
  remedy: {
    any: 'Sample several responses per prompt and write the prompt’s id as group.',
    trl: 'num_generations of 2 or more.',
    verl: 'actor_rollout_ref.rollout.n of 2 or more; uid per prompt.',
    nemoRl: 'grpo.num_generations_per_prompt.',
    slime: '--n-samples-per-prompt.',
    openRlhf: '--rollout.n_samples_per_prompt of 2 or more.',
    areal: 'gconfig.n_samples of 2 or more.',
    primeRl: 'orchestrator.group_size of 2 or more.',
    msSwift: '--num_generations of 2 or more.',
  },
  sources: ['verl V1 trainer'],
  hides: ['no-signal', 'advantages-zero', 'clipping-never', 'clipping-always'],
  shows: null,
  look(e) {
    const share = alone(e);
    if (e.count('responses') < LEAST_RESPONSES) return null;
    const others = e.count('advantageKnown') - e.count('advantageZero');
    return {
      found: share > ALL_ALONE,
      adds:
        others > 0
          ? `The advantages of ${counted(others, 'response')} are not 0: they were taken over other groups than these, so the group that is written here is the response’s own, or the baseline is no group’s.`
          : '',
      statistic: share,
      interval: e.share(Math.round(share * e.count('responses')), e.count('responses')).interval,
      figures: [
        percent('responses alone in their group', share),
        count('groups', e.groups),
        count('responses', e.count('responses')),
      ],
      carriers: groupCarriers(e, (sums) => (sums[S.responses] === 1 ? 1 : 0)),
    };
  },
});

/** Whole groups as carriers, the highest scores first. */
function groupCarriers(e: Evidence, score: (sums: Float64Array) => number): Carrier[] {
  return [...e.tally.groups]
    .map(([group, sums]) => ({ group, score: score(sums) }))
    .filter((one) => one.score > 0)
    .sort((a, b) => b.score - a.score || (String(a.group) < String(b.group) ? -1 : 1))
    .slice(0, 5)
    .map(({ group, score: height }): Carrier => {
      const [step, name] =
        typeof group === 'string' && group.includes('\u0000')
          ? (group.split('\u0000') as [string, string])
          : ['', group];
      return {
        at: null,
        step: step === '' ? null : Number(step),
        group: name,
        sample: null,
        tokens: null,
        score: height,
        excerpt: null,
      };
    });
}

export const duplicates = rule({
  id: 'duplicates',
  level: 'warning',
  title: 'Responses occur twice',
  symptom: 'Groups of twice their size; intervals too narrow; the same loss from half of the data',
  measure: 'number of responses that are exact copies of an earlier one',
  threshold: 0,
  fires: 'above, counting only responses that a sampler writes twice less than once in 1e13 draws',
  cause:
    'The same log-probs stand there again, to the last digit, and the response’s own probability rules out that it was sampled twice.',
  remedy: {
    any: 'Find what wrote them twice: a file read twice or appended to on restart, the same batch gathered from each rank, one seed for all samples of a group (then sampling is what is broken).',
    verl: 'actor_rollout_ref.rollout.seed must differ between samples.',
  },
  sources: ['gathering from every rank; vLLM requests with one seed'],
  // The lowest log-prob comes once per copy.
  hides: ['floor-value'],
  shows: null,
  look(e, tally) {
    const { looked, copies, sampled } = tally.copies.count();
    if (looked === 0) return null;
    return {
      found: copies > 0,
      statistic: copies,
      interval: null,
      title: `${counted(copies, 'response')} of ${looked.toLocaleString('en-US')} ${copies === 1 ? 'is a duplicate' : 'are duplicates'}`,
      figures: [
        count('copies', copies),
        percent('of the responses looked at', copies / looked),
        count(sampled ? 'responses looked at (a sample)' : 'responses looked at', looked),
      ],
      carriers: e.carriers('copy'),
    };
  },
});

export const advantagesZero = rule({
  id: 'advantages-zero',
  level: 'warning',
  title: 'All advantages are 0',
  symptom: 'Loss 0 (or KL alone), gradient norm 0, reward flat',
  measure: 'share of responses with an advantage of 0',
  threshold: 1,
  fires: 'equal; or all advantages are one number other than 0 while rewards differ',
  cause:
    'No response has an advantage other than 0: in every group all responses got the same reward, or advantages were not filled in when this was written. Nothing is learned from this batch.',
  remedy: {
    any: 'Look at the rewards: all right, all wrong, or a reward function that returns a constant. Log after advantages are computed.',
    trl: 'reward_funcs; frac_reward_zero_std in the logs.',
    verl: 'algorithm.filter_groups.enable=True (DAPO) drops such groups.',
    nemoRl: 'grpo.use_dynamic_sampling: true drops such groups.',
    openRlhf: '--algo.dynamic_filtering_enable drops such groups.',
    slime: '--dynamic-sampling-filter-path drops such groups.',
    msSwift: '--dynamic_sample true draws others.',
  },
  sources: ['DAPO, arXiv:2503.14476, section 3.2'],
  hides: ['no-signal', 'clipping-never', 'clipping-always'],
  shows: null,
  look(e) {
    const known = e.count('advantageKnown');
    if (known < LEAST_RESPONSES) return null;
    const share = e.share(e.count('advantageZero'), known);
    const [n, sum] = [e.count('rewarded'), e.sum('advantage')];
    const spread = n * e.sum('advantageAdvantage') - sum * sum;
    const rewards = e.tally.rewards[1] - e.tally.rewards[0];
    const one = n >= LEAST_OF_ONE && rewards > 0 && sum !== 0 && spread < 1e-12 * sum * sum;
    return {
      found: share.value === 1 || one,
      ...(one
        ? {
            title: `All advantages are the same, ${inDigits(sum / n)}: no response is preferred to another`,
            cause:
              'The rewards differ and the advantages do not: a constant stands in the column, or they were averaged over the batch before this was written. Training makes every response likelier, or every one less likely, whatever its reward.',
          }
        : {}),
      statistic: share.value,
      interval: share.interval,
      figures: [
        percent('responses with advantage 0', share.value),
        number('smallest reward', e.tally.rewards[0]),
        number('largest reward', e.tally.rewards[1]),
      ].filter(({ value }) => Number.isFinite(value)),
      carriers: [],
    };
  },
});

export const noSignal = rule({
  id: 'no-signal',
  level: 'note',
  title: 'Most responses carry no signal',
  symptom: 'Effective batch much smaller than the nominal one',
  measure: 'share of responses with an advantage of 0',
  threshold: 0.5,
  fires: 'the whole interval above',
  cause:
    'More than half of the advantages are 0 (groups in which every response got the same reward): they take part in denominators but not in gradients.',
  remedy: {
    any: 'Choose prompts that are solved sometimes, or sample more responses per prompt.',
    verl: 'algorithm.filter_groups.enable=True (DAPO).',
    nemoRl: 'grpo.use_dynamic_sampling: true.',
    openRlhf: '--algo.dynamic_filtering_enable.',
    slime: '--dynamic-sampling-filter-path.',
    primeRl: 'filter_zero_advantages = true in the orchestrator’s training section.',
    msSwift: '--dynamic_sample true.',
  },
  sources: ['DAPO, arXiv:2503.14476, section 3.2'],
  hides: [],
  shows: null,
  look(e) {
    const known = e.count('advantageKnown');
    if (known === 0) return null;
    const share = e.share(e.count('advantageZero'), known);
    return {
      found: share.interval !== null && share.interval[0] > 0.5,
      statistic: share.value,
      interval: share.interval,
      figures: [percent('responses with advantage 0', share.value)],
      carriers: [],
    };
  },
});

/** Where rewards are not known, no normalised advantage of a batch of 100 is larger. */
const LEAST_BOUND = 10;

export const advantageSize = rule({
  id: 'advantage-size',
  level: 'warning',
  title: 'Advantages of impossible size',
  symptom: 'Gradient norm explodes on single responses; clipping seems to help and does not',
  measure: 'largest |advantage|',
  threshold: LEAST_BOUND,
  fires:
    'above the largest of 10, the square root of the number of responses, and the range of the rewards',
  cause:
    'Divided by a standard deviation, an advantage is at most the square root of the number of responses that it was taken over; without division it is at most the range of the rewards. This one is neither: a standard deviation of about 0 in the divisor, a reward scale, or a sum over tokens.',
  remedy: {
    any: 'Check the divisor (groups whose rewards are equal up to rounding) and whether advantages were multiplied by length.',
    trl: 'scale_rewards="group" adds 1e-4 to the divisor.',
    verl: 'algorithm.norm_adv_by_std_in_grpo; epsilon is 1e-6.',
    slime: '--disable-grpo-std-normalization leaves the divisor out.',
    areal: 'actor.adv_norm, actor.reward_norm: their eps.',
    msSwift: '--scale_rewards none leaves the divisor out.',
  },
  sources: ['|x - mean| / sd <= (n - 1) / sqrt(n)'],
  hides: ['advantage-order', 'clipping-never', 'clipping-always'],
  shows: null,
  look(e) {
    const most = e.tally.largest.advantage;
    if (e.count('advantageKnown') === 0) return null;
    const [least, greatest] = e.tally.rewards;
    const range = greatest >= least ? greatest - least : 0;
    const bound = Math.max(LEAST_BOUND, Math.sqrt(e.count('responses')), range);
    return {
      found: most > bound,
      statistic: most,
      interval: null,
      figures: [
        number('largest |advantage|', most),
        number('largest possible here', bound),
        ...(range > 0 ? [number('range of the rewards', range)] : []),
      ],
      carriers: e.carriers('advantage'),
    };
  },
});

/** Of one group: covariance of advantage and reward, and both variances, each times the count. */
function within(sums: Float64Array): { cov: number; rewards: number; advantages: number } {
  const n = sums[S.rewarded];
  if (n < 2) return { cov: 0, rewards: 0, advantages: 0 };
  const [r, a] = [sums[S.reward] / n, sums[S.advantage] / n];
  return {
    cov: sums[S.advantageReward] - n * a * r,
    rewards: Math.max(0, sums[S.rewardReward] - n * r * r),
    advantages: Math.max(0, sums[S.advantageAdvantage] - n * a * a),
  };
}

/** correlation */
const CLEARLY = 0.9;
const LEAST_TURNED = 2;
/** responses of a single group that tell */
const LEAST_OF_ONE = 8;
const TURNED_SHARE = 0.05;

export const advantageSign = rule({
  id: 'advantage-sign',
  level: 'warning',
  title: 'The sign of the advantages contradicts the rewards',
  symptom: 'Reward falls steadily while the loss looks healthy',
  measure: 'correlation of advantage and reward within groups',
  threshold: 0,
  fires:
    'below, and in most groups; or below -0.9 in two groups and 5 % of them while nearly all others are above 0.9',
  cause:
    'Within groups, responses with more reward have less advantage: training makes the better responses less likely. A loss minimised that should be maximised, a cost taken for a reward, or a column in another order of responses.',
  remedy: {
    any: 'advantage = reward - mean(reward of the group), with that sign; check that both columns are in the same order of responses.',
  },
  sources: ['A = (r - mean) / sd'],
  hides: ['advantage-order', 'clipping-never', 'clipping-always'],
  shows: null,
  look(e) {
    const groups = e.perGroup
      .map((sums) => ({ ...within(sums), n: sums[S.rewarded] }))
      .filter((one) => one.rewards > 1e-12 && one.advantages > 1e-12);
    if (groups.length === 0) return null;
    const total = (name: 'cov' | 'rewards' | 'advantages') =>
      groups.reduce((sum, one) => sum + one[name], 0);
    const correlation = total('cov') / Math.sqrt(total('rewards') * total('advantages'));
    const against = groups.filter((one) => one.cov < 0).length;
    const share = e.share(against, groups.length);
    // A handful of groups is enough where all of them are against.
    const most =
      (share.interval !== null && share.interval[0] > 0.5) ||
      (share.value === 1 &&
        correlation < -CLEARLY &&
        (groups.length >= 2 || e.sum('rewarded') >= LEAST_OF_ONE));
    // Every group either follows its rewards or is against them: some were turned round.
    const each = groups.filter(({ n }) => n >= LEAST_RESPONSES);
    const of = ({ cov, rewards, advantages }: (typeof groups)[number]) =>
      cov / Math.sqrt(rewards * advantages);
    const turned = each.filter((one) => of(one) < -CLEARLY).length;
    const right = each.filter((one) => of(one) > CLEARLY).length;
    const some =
      turned >= LEAST_TURNED &&
      turned > TURNED_SHARE * each.length &&
      turned + right > ALL_ALONE * each.length;
    return {
      found: (correlation < 0 && most) || some,
      statistic: correlation,
      interval: share.interval && [1 - 2 * share.interval[1], 1 - 2 * share.interval[0]],
      title: `The sign of the advantages contradicts the rewards in ${counted(against, 'group')} of ${groups.length}`,
      adds: `The interval is that of the share of groups with the right sign less the share with the wrong one.`,
      figures: [
        number('correlation of advantage and reward within groups', correlation),
        percent('groups with the wrong sign', share.value),
        count('groups that tell', groups.length),
      ],
      carriers: groupCarriers(e, (sums) => Math.max(0, -within(sums).cov)),
    };
  },
});

/** From so many groups and responses on a correlation tells. */
const LEAST_GROUPS = 8;
const FOLLOWS = 0.7;

export const advantageOrder = rule({
  id: 'advantage-order',
  level: 'warning',
  title: 'The advantages do not follow from the rewards',
  symptom: 'Loss and gradient norms look right, reward does not move',
  measure: 'correlation of advantage and reward within groups',
  threshold: FOLLOWS,
  fires:
    'the whole interval below (Fisher’s), where advantages are one per response and eight groups or more have both',
  cause:
    'Within a group an advantage rises with its reward, whatever it is divided by: the correlation is 1 under every group rule, and little less where a penalty was added. Here it is not: the two columns are in another order of responses, or the advantages are made of other rewards.',
  remedy: {
    any: 'Write both before batches are sorted, shuffled or balanced by length, or after, but at the same place; write the reward that advantages are made of.',
    trl: 'rewards and advantages are shuffled together with the batch from _generate_and_score_completions on; write both from there.',
    verl: 'batch.reorder (balance_batch) moves every column: write after it.',
  },
  sources: ['A = (r - mean) / sd is linear in r'],
  hides: ['clipping-never', 'clipping-always'],
  shows: null,
  look(e) {
    if (e.count('unevenAdvantages') > 0) return null;
    const groups = e.perGroup
      .filter((sums) => sums[S.rewarded] >= 2)
      .map((sums) => ({ ...within(sums), n: sums[S.rewarded] }))
      .filter((one) => one.rewards > 1e-12 && one.advantages > 1e-12);
    if (groups.length < LEAST_GROUPS) return null;
    const total = (name: 'cov' | 'rewards' | 'advantages' | 'n') =>
      groups.reduce((sum, one) => sum + one[name], 0);
    const correlation = total('cov') / Math.sqrt(total('rewards') * total('advantages'));
    const z = normalQuantile(1 - (1 - CONFIDENCE) / 2);
    const half = z / Math.sqrt(Math.max(1, total('n') - groups.length - 3));
    const at = Math.atanh(Math.max(-0.999999, Math.min(0.999999, correlation)));
    const interval: [number, number] = [Math.tanh(at - half), Math.tanh(at + half)];
    return {
      found: interval[1] < FOLLOWS,
      statistic: correlation,
      interval,
      title: `The advantages do not follow from the rewards: correlation ${inDigits(correlation)} within groups`,
      figures: [
        number('correlation of advantage and reward within groups', correlation),
        count('groups that tell', groups.length),
      ],
      carriers: groupCarriers(e, (sums) => {
        const { cov, rewards, advantages } = within(sums);
        return rewards * advantages > 0 ? 1 - cov / Math.sqrt(rewards * advantages) : 0;
      }),
    };
  },
});

export const cut = rule({
  id: 'cut',
  level: 'note',
  title: 'Many responses were cut at the length limit',
  symptom: 'Lengths pile up at the limit; long responses are punished whatever they say',
  measure: 'share of responses that were cut, of those that say whether they were',
  threshold: 0.1,
  fires: 'above',
  cause:
    'A cut response has the longest length by construction; length curves mix its effect with that of length, and its reward is that of an answer that never came.',
  remedy: {
    any: 'Raise the limit, or leave cut responses out of the loss.',
    trl: 'max_completion_length; mask_truncated_completions=True.',
    verl: 'data.max_response_length; overlong reward shaping (DAPO).',
    nemoRl: 'grpo.overlong_filtering: true.',
    slime: '--rollout-max-response-len.',
    openRlhf: '--rollout.max_new_tokens; --reward.overlong_buffer_len.',
    areal: 'gconfig.max_new_tokens; actor.mask_no_eos_with_zero, actor.overlong_reward_penalty.',
    primeRl: 'max_completion_tokens of the training sampling.',
    msSwift: '--max_completion_length; --overlong_filter true.',
  },
  sources: ['DAPO, arXiv:2503.14476, section 3.4'],
  hides: [],
  shows: null,
  look(e) {
    const known = e.count('cutKnown');
    // A file that says nothing of it is not one without cut responses.
    if (known === 0) return null;
    const share = e.share(e.count('cut'), known);
    return {
      found: share.value > 0.1,
      statistic: share.value,
      interval: share.interval,
      title: `${inPercent(share.value)} of the responses were cut at the length limit`,
      figures: [
        percent('responses cut at the limit', share.value),
        count('responses that say whether they were', known),
      ],
      carriers: e.carriers('cut'),
    };
  },
});
