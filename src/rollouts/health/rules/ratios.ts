/** Rules about the ratio of new to old: whether there is one, single tokens, the unnormalised weight, the band. */
import type { Evidence } from '../evidence/evidence';
import { FLOAT32_LOG } from '../evidence/measure';
import { COLUMN_TITLES, LENGTH_BINS, sizeEdge } from '../evidence/names';
import { OVERFLOW_LOG } from '../evidence/pair';
import {
  FOLLOW_FROM_MISMATCH,
  count,
  counted,
  inDigits,
  number,
  percent,
  rule,
  type Figure,
} from '../finding';
import { isPoor } from './pairs';

/** Largest |d_t| that still counts as "all ratios are 1": float32 rounding of log-probs below 100 nats. */
const ON_POLICY_LIMIT = 1e-5;

export const onPolicy = rule({
  id: 'on-policy',
  level: 'note',
  title: 'All ratios are 1',
  symptom: 'Clip share 0, ratio mean exactly 1, every objective the same',
  measure: 'largest |log ratio| of new to old, nats',
  threshold: ON_POLICY_LIMIT,
  fires: 'at or below',
  cause:
    'Old and new log-probs agree to rounding: this is on-policy data, as on the first minibatch after sampling. Every objective reduces to REINFORCE and nothing can be learned about clipping.',
  remedy: {
    any: 'To study ratios, log the new log-probs after at least one update.',
    trl: 'num_iterations > 1, or steps_per_generation above gradient_accumulation_steps.',
    verl: 'actor_rollout_ref.actor.ppo_mini_batch_size below data.train_batch_size.',
    slime: '--num-steps-per-rollout above 1.',
    nemoRl:
      'policy.train_global_batch_size below num_prompts_per_step * num_generations_per_prompt.',
    openRlhf: '--train.max_epochs above 1.',
    areal: 'actor.ppo_n_minibatches above 1.',
    msSwift: '--num_iterations above 1.',
  },
  sources: ['TRL: old_per_token_logps is None on policy'],
  hides: ['clipping-never', 'on-policy-noise'],
  shows: null,
  look(e) {
    if (!e.hasUpdate()) return null;
    const most = e.tally.largest.d;
    return {
      found: most <= ON_POLICY_LIMIT,
      statistic: most,
      interval: null,
      figures: [
        number('largest |log ratio|', most),
        percent('tokens with ratio exactly 1', e.count('zeroRatios') / e.count('tokens')),
      ],
      carriers: [],
    };
  },
});

/** nats; a real update of a policy moves its tokens by more */
const NOISE_SIZE = 2e-3;
/** standard errors, of independent tokens: the mean's with fewer than five prompts */
const PLAIN_DRIFT = 4;
/** L (log s)^2 over d^2: 1 for independent noise, more where an update moves whole responses */
const NO_DRIFT = 1.5;

export const onPolicyNoise = rule({
  id: 'on-policy-noise',
  level: 'note',
  title: 'The ratios look like rounding noise, not like an update',
  symptom:
    'Ratios a little off 1 on what should be on-policy data; clip shares of GSPO above 0 before any update',
  measure: 'root mean square of the log ratio per token, nats',
  threshold: NOISE_SIZE,
  fires:
    'below, without drift: mean within its error, and no more variance of response means than independent tokens give',
  cause:
    'The log ratios are small and go nowhere: their mean is 0 within its error and over a response they cancel like independent noise. That is what other micro-batches, padding or kernels do to the same weights. An update moves tokens by more, and those of a response together.',
  remedy: {
    any: 'Compute old and new log-probs with the same micro-batches and kernels, or take the ratio as 1 on the first minibatch.',
    trl: 'on policy TRL takes the current log-probs, detached, as old ones.',
    verl: 'same log_prob_micro_batch_size_per_gpu and ppo_micro_batch_size_per_gpu, use_dynamic_bsz alike.',
    nemoRl: 'loss_fn.force_on_policy_ratio: true.',
  },
  sources: ['batch-variant kernels: the same weights give other log-probs in other micro-batches'],
  hides: ['clipping-never'],
  shows: null,
  look(e) {
    const most = e.tally.largest.d;
    if (most <= ON_POLICY_LIMIT || !e.hasUpdate()) return null;
    const size = e.estimate((of) => Math.sqrt(of('d2') / of('tokens')));
    const drift = e.estimate((of) => of('d') / of('tokens'));
    const inflation = e.estimate(
      (of) => of('logS2L') / of('responses') / (of('d2') / of('tokens')),
    );
    const still = drift.interval
      ? drift.interval[0] < 0 && drift.interval[1] > 0
      : Math.abs(drift.value) < (PLAIN_DRIFT * size.value) / Math.sqrt(e.count('tokens'));
    return {
      found: size.value < NOISE_SIZE && still && inflation.value < NO_DRIFT,
      statistic: size.value,
      interval: size.interval,
      figures: [
        number('root mean square of the log ratio', size.value),
        number('mean of the log ratio (drift)', drift.value),
        number('its standard error', drift.error),
        number('variance of response means over that of independent tokens', inflation.value),
      ],
      carriers: [],
    };
  },
});

/** One token or a few, not a policy that went elsewhere. */
const FEW_TOKENS = 1e-3;
const SINGLE = 2;
/** nats */
const CALM = 2;

export const overflowToken = rule({
  id: 'overflow-token',
  level: 'warning',
  title: 'Single tokens decide all sums, or overflow',
  symptom: 'Loss, KL or gradient norm of 1e30 or Infinity at one step, all others fine',
  measure: `number of tokens with |log new - log old|, or |log old - log sampler|, above ${OVERFLOW_LOG} nats`,
  threshold: 0,
  fires: `above, while fewer than one token in a thousand, or two at most, is concerned and 99 of a hundred differ by less than ${CALM}`,
  cause: `A ratio of e^${OVERFLOW_LOG} is no update: at single tokens one of the two log-probs is wrong (a masked or forbidden token, a filler, another tokenisation of that place). Nothing grows with length here; one token makes the whole sum.`,
  remedy: {
    any: 'Look at the token named; mask it, or clamp log-ratios before the exponential.',
    trl: 'TRL does not clamp; delta bounds only the loss of A < 0.',
    verl: 'log-ratios are clamped to ±20.',
    nemoRl: 'loss_fn.reference_policy_kl_penalty: kl_input_clamp_value.',
  },
  sources: ['Soup issue 342'],
  hides: ['explosion', 'infinite-loss', 'on-policy-noise', ...FOLLOW_FROM_MISMATCH],
  shows: 'the token whose ratio overflows',
  look(e) {
    const update = e.count('overflowTokens');
    const engine = e.hasSampler() ? e.ofPair('so', 'overflow') : 0;
    const pair = update > 0 || engine === 0 ? 'on' : 'so';
    const tokens = pair === 'on' ? update : engine;
    const share = tokens / e.count('tokens');
    // Single tokens, beside which the others agree.
    const calm = e.sizeQuantile(pair, 0.99) < CALM;
    const carriers = e
      .carriers(pair === 'on' ? 'token' : 'pair.so')
      .filter(({ score }) => score > OVERFLOW_LOG);
    const [first] = carriers;
    const most =
      pair === 'on'
        ? e.tally.largest.d
        : sizeEdge(e.histogram('so.size').findLastIndex((n) => n > 0));
    const between = pair === 'on' ? '' : ' between sampler and trainer';
    const column = pair === 'so' ? 'sampler' : update > 0 && engine > 0 ? 'old' : null;
    const whose =
      column === null ? '' : ` It stands in the ${COLUMN_TITLES[column]}, alone of three.`;
    return {
      found: tokens > 0 && (share < FEW_TOKENS || tokens <= SINGLE) && calm,
      statistic: tokens,
      interval: null,
      title:
        tokens === 1
          ? `One token ${most > FLOAT32_LOG ? 'overflows' : 'decides all sums'}: its log ratio${between} is ${pair === 'so' ? 'about ' : ''}${inDigits(most)}`
          : `${counted(tokens, 'token')} ${most > FLOAT32_LOG ? 'overflow' : 'decide all sums'}: log ratios${between} of up to ${inDigits(most)}`,
      adds: first?.tokens
        ? `The largest is token ${first.tokens[0] + 1} of the response named.${whose}`
        : '',
      figures: [
        count(`tokens beyond ${OVERFLOW_LOG} nats, new against old`, update),
        ...(e.hasSampler()
          ? [count(`tokens beyond ${OVERFLOW_LOG} nats, old against sampler`, engine)]
          : []),
        count('responses that hold the former', e.count('overflowResponses')),
        number('largest |log ratio| of a token', most),
        count('tokens whose ratio is Infinity in float32', e.count('infiniteTokens')),
      ],
      carriers,
    };
  },
});

export const infiniteLoss = rule({
  id: 'infinite-loss',
  level: 'warning',
  title: 'A loss is infinite here',
  symptom: 'Infinity or NaN in a loss',
  measure: `number of tokens or responses whose ratio exceeds float32 (log ratio above ${FLOAT32_LOG})`,
  threshold: 0,
  fires: 'above',
  cause:
    'exp of the log ratio is Infinity in float32: for tokens in every token-level loss, for sums over responses in every loss with the unnormalised weight rho (RLOO by sequence, VESPO, sequence-level correction).',
  remedy: {
    any: 'Use the length-normalised s, clamp log-ratios, or truncate the weights.',
    trl: 'importance_sampling_level="sequence" with loss_type of GSPO; RLOO uses rho.',
    verl: 'policy_loss.loss_mode=gspo; log-ratios are clamped.',
  },
  sources: ['exp(88.73) = Infinity in float32'],
  hides: [],
  shows: 'the token with the largest ratio',
  look(e) {
    const tokens = e.count('infiniteTokens');
    const sums = e.count('infiniteSums');
    return {
      found: tokens + sums > 0,
      statistic: tokens + sums,
      interval: null,
      figures: [
        count('tokens with an infinite ratio in float32', tokens),
        count('responses with an infinite rho in float32', sums),
        number('largest |log rho|', e.tally.largest.logRho),
      ],
      carriers: e.carriers('response'),
    };
  },
});

/** From here on most responses are worth something. */
const FAIR_SAMPLE = 0.5;
/** Longest and shortest third are compared where they are this far apart in length. */
const LENGTH_CONTRAST = 1.5;

interface Third {
  lengths: [number, number];
  /** root mean square of log rho: drift and spread alike */
  size: number;
}

function third(e: Evidence, bins: readonly number[]): Third | null {
  const { tally } = e;
  const lengths = e.histogram('lengths');
  const least = e.count('responses') / 3;
  let n = 0;
  let squares = 0;
  let range: [number, number] = [Infinity, 0];
  for (const bin of bins) {
    if (n >= least) break;
    const here = lengths[bin];
    if (here === 0) continue;
    n += here;
    squares += tally.lengthSquares[bin];
    range = [Math.min(range[0], tally.lengthLeast[bin]), Math.max(range[1], tally.lengthMost[bin])];
  }
  return n < 3 ? null : { lengths: range, size: Math.sqrt(squares / n) };
}

/** The shortest and the longest third of the responses, by bins of length; null where lengths hardly differ. */
function thirds(e: Evidence): [Third, Third] | null {
  const bins = Array.from({ length: LENGTH_BINS }, (_, bin) => bin);
  const short = third(e, bins);
  const long = third(e, bins.reverse());
  return short && long && long.lengths[0] >= LENGTH_CONTRAST * short.lengths[1]
    ? [short, long]
    : null;
}

function lengthFigures(byLength: [Third, Third] | null): Figure[] {
  return (byLength ?? []).map(({ lengths: [from, to], size }, i) =>
    number(
      `root mean square of log rho, ${i === 0 ? 'shortest' : 'longest'} third (L ${from} to ${to})`,
      size,
    ),
  );
}

export const explosion = rule({
  id: 'explosion',
  level: 'warning',
  title: 'Unnormalised sequence ratios explode',
  symptom: 'Sequence-level importance weights of 0 or thousands; one response makes the gradient',
  measure: 'effective sample size of rho = exp(sum d) over n',
  threshold: FAIR_SAMPLE,
  fires: 'below (below a tenth: a warning)',
  cause:
    'A few responses carry all of the weight rho = exp(sum d); compare the length-normalised s.',
  remedy: {
    any: 'Use the length-normalised weight (GSPO) or token ratios; nothing here needs another clip range.',
    trl: 'importance_sampling_level="sequence".',
    verl: 'actor_rollout_ref.actor.policy_loss.loss_mode=gspo.',
    nemoRl: 'loss_fn.sequence_level_importance_ratios: true.',
    openRlhf: '--actor.policy_loss_type gspo.',
    slime: '--advantage-estimator gspo.',
    areal: 'actor.importance_sampling_level: sequence.',
    msSwift: '--importance_sampling_level sequence.',
  },
  sources: ['GSPO, arXiv:2507.18071', 'the weights experiment'],
  hides: [],
  shows: null,
  look(e) {
    if (!e.hasUpdate()) return null;
    const n = e.count('responses');
    const rho = e.tally.weights.rho.effectiveShare();
    const poor = isPoor(rho, n);
    const byLength = thirds(e);
    const withLength =
      byLength === null
        ? 'Lengths differ too little here to tell what of it they make.'
        : byLength[1].size > LENGTH_CONTRAST * byLength[0].size
          ? 'It grows with length: log rho is a sum over tokens.'
          : 'It does not grow with length here: a few tokens or prompts make it, not the sum.';
    return {
      found: !(rho >= FAIR_SAMPLE),
      level: poor ? 'warning' : 'note',
      title: poor
        ? 'Unnormalised sequence ratios explode'
        : 'Unnormalised sequence ratios waste responses',
      statistic: rho,
      interval: null,
      adds: withLength,
      figures: [
        percent('effective sample size of rho over n', rho),
        percent('effective sample size of s over n', e.tally.weights.s.effectiveShare()),
        number('largest |log rho|', e.tally.largest.logRho),
        number('largest |log s|', e.tally.largest.logS),
        ...lengthFigures(byLength),
      ],
      carriers: e.carriers('response'),
    };
  },
});

function clippingFigures(e: Evidence): Figure[] {
  const { token, sequence } = e.bands;
  const [tokens, responses] = [e.count('tokens'), e.count('responses')];
  return [
    percent(
      `GRPO, tokens clipped at ${token.low}/${token.high}`,
      e.count('tokensClipped') / tokens,
    ),
    percent(
      `GSPO, responses clipped at ${sequence.low}/${sequence.high}`,
      e.count('responsesClipped') / responses,
    ),
    percent('token ratios outside the token band', e.count('tokensOutside') / tokens),
    percent('sequence weights outside the sequence band', e.count('responsesOutside') / responses),
  ];
}

/** Share outside the band from which on one calls it always active. A clip needs the sign of A as well. */
const ALWAYS_OUTSIDE = 0.98;

export const clippingAlways = rule({
  id: 'clipping-always',
  level: 'warning',
  title: 'Clipping is nearly always active',
  symptom: 'Clip share near one half, whatever the learning rate',
  measure: 'larger of the shares of token ratios and of sequence weights outside their band',
  threshold: ALWAYS_OUTSIDE,
  fires: 'above',
  cause:
    'Nearly all ratios lie outside the band: whether a response counts is decided by the sign of its advantage and of its ratio, hardly by their size. The band is too narrow for the distance between these policies.',
  remedy: {
    any: 'Widen the band, or take smaller or fewer steps per batch of rollouts.',
    trl: 'epsilon, epsilon_high; num_iterations, learning_rate.',
    verl: 'actor_rollout_ref.actor.clip_ratio_low, clip_ratio_high; ppo_epochs.',
    nemoRl: 'loss_fn.ratio_clip_min, ratio_clip_max.',
    slime: '--eps-clip, --eps-clip-high.',
    openRlhf: '--actor.eps_clip_low_high; --train.max_epochs.',
    areal: 'actor.eps_clip, actor.eps_clip_higher; actor.ppo_n_minibatches.',
    primeRl: 'trainer.loss.dppo_mask_low, dppo_mask_high.',
    msSwift: '--epsilon, --epsilon_high; --num_iterations.',
  },
  sources: ['GSPO, arXiv:2507.18071, section 5.1: 3e-4 and 4e-4'],
  hides: [],
  shows: null,
  look(e) {
    if (!e.hasUpdate()) return null;
    const tokens = e.share(e.count('tokensOutside'), e.count('tokens'));
    const responses = e.share(e.count('responsesOutside'), e.count('responses'));
    const more = tokens.value > responses.value ? tokens : responses;
    return {
      // Of a handful of responses all may well lie outside.
      found: more.value > ALWAYS_OUTSIDE && more.interval !== null && more.interval[0] > 0.5,
      statistic: more.value,
      interval: more.interval,
      figures: clippingFigures(e),
      carriers: e.carriers('response'),
    };
  },
});

export const clippingNever = rule({
  id: 'clipping-never',
  level: 'note',
  title: 'Clipping is never active',
  symptom: 'Clip share 0 at every step',
  measure: 'larger of the shares of tokens and of responses that are clipped',
  threshold: 0,
  fires: 'equal, where responses are enough to rule out a share of one half',
  cause: 'Neither band clips anything here: with these updates the clip range has no effect.',
  remedy: {
    any: 'If clipping is wanted, narrow the band; sequence weights vary by a few times 1e-4, token ratios by a tenth.',
    trl: 'epsilon=3e-4, epsilon_high=4e-4 for importance_sampling_level="sequence".',
    verl: 'clip_ratio_low=0.0003, clip_ratio_high=0.0004 for loss_mode=gspo.',
    nemoRl:
      'loss_fn.ratio_clip_min: 0.0003, ratio_clip_max: 0.0004 for sequence_level_importance_ratios.',
    openRlhf: '--actor.eps_clip_low_high 0.0003 0.0004 for --actor.policy_loss_type gspo.',
    slime: '--eps-clip 3e-4 --eps-clip-high 4e-4 for --advantage-estimator gspo.',
    areal:
      'actor.eps_clip: 3e-4, actor.eps_clip_higher: 4e-4 for importance_sampling_level: sequence.',
    msSwift: '--epsilon 3e-4 --epsilon_high 4e-4 for --importance_sampling_level sequence.',
  },
  sources: ['GSPO, arXiv:2507.18071, section 5.1: 3e-4 and 4e-4'],
  hides: [],
  shows: null,
  look(e) {
    if (e.count('advantageKnown') === e.count('advantageZero') || !e.hasUpdate()) return null;
    const tokens = e.share(e.count('tokensClipped'), e.count('tokens'));
    const responses = e.share(e.count('responsesClipped'), e.count('responses'));
    const more = tokens.value > responses.value ? tokens : responses;
    return {
      // Of a handful of responses none may well be clipped.
      found: more.value === 0 && responses.interval !== null && responses.interval[1] < 0.5,
      statistic: more.value,
      interval: more.interval,
      figures: clippingFigures(e),
      carriers: [],
    };
  },
});
