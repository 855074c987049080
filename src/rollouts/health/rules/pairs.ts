/**
 * Rules about two columns of the same tokens: what was copied, tempered, cut; whether the engine that
 * sampled and the trainer agree. Laws: where the first column drew the tokens, exp(second - first) averages 1;
 * less where it cut the tail and renormalised; never more.
 */
import { Evidence, type Estimate } from '../evidence/evidence';
import { PAIR_COLUMNS, type Column, type Pair } from '../evidence/names';
import type { HealthTally } from '../evidence/tally';
import {
  count,
  counted,
  inDigits,
  inPercent,
  number,
  percent,
  rule,
  type Figure,
} from '../finding';

/** nats per token between sampler and trainer that deserve attention */
export const SAMPLER_KL_LIMIT = 1e-3;
/** share of probability that the weights may miss or exceed */
const REACH_LIMIT = 1e-3;

export const carriersOf = (e: Evidence, pair: Pair) =>
  e.carriers(pair === 'so' ? 'pair.so' : 'token');

/** share of tokens */
const COPIED = 0.999;
const SELDOM = 0.1;
/** nats: log-probs of 10 nats in float32, or with six decimals, are off by so much */
const FLOAT32_SIZE = 1e-6;
/** Fewer responses of a file may look so by chance. */
export const FEW_RESPONSES = 0.01;
export const LEAST_RESPONSES = 3;

const ONE_COLUMN =
  'The sampler’s and the trainer’s log-probs are identical: one of them was copied from the other, so that no mismatch of the two engines can be seen here, whatever it is.';

export const copied = rule({
  id: 'copied-sampler',
  level: 'warning',
  title: 'Old log-probs are the sampler’s: copied, not compared',
  symptom:
    'KL between sampler and trainer exactly 0, yet clip shares are high on the first minibatch',
  measure: 'share of tokens with the same sampler and old log-prob to the last digit',
  threshold: COPIED,
  fires: `above (two engines never agree to the last digit on every token), or as many differ by less than ${FLOAT32_SIZE}, float32 rounding; or so in whole responses, ${LEAST_RESPONSES} at least, and in fewer than a tenth of the tokens of the others`,
  cause:
    'The two columns are identical: the sampler’s log-probs were copied as old. No mismatch can be seen, and all of it is inside the ratio new / old, which is why clipping sets in before any update.',
  remedy: {
    any: 'If that is wanted, judge the ratio as sampler against trainer. Otherwise recompute old log-probs with the trainer.',
    trl: 'vllm_importance_sampling_correction=True keeps both columns.',
    verl: 'algorithm.rollout_correction.bypass_mode=False recomputes old_log_probs; actor_rollout_ref.rollout.calculate_log_probs=True keeps the sampler’s.',
    slime: 'without --use-rollout-logprobs old log-probs are recomputed.',
    nemoRl: 'prev_logprobs are the trainer’s own; generation_logprobs are the engine’s.',
    openRlhf: 'action_log_probs are the actor’s own; rollout_log_probs are the engine’s.',
    areal:
      'actor.recompute_logprob: true (with actor.use_decoupled_loss: true) recomputes prox_logp.',
    primeRl:
      'the loss compares the trainer’s forward pass with the engine’s log-probs by design; write both.',
    msSwift:
      '--rollout_importance_sampling_mode, or --log_rollout_offpolicy_metrics true, keeps rollout_per_token_logps beside old_per_token_logps.',
  },
  sources: ['verl issue 7356'],
  hides: ['sampler-mismatch', 'truncation', 'clipping-always'],
  shows: 'two columns that are one',
  look(e) {
    if (!e.hasSampler()) return null;
    const equal = e.ofPair('so', 'equal');
    const looked = equal + e.ofPair('so', 'unequal');
    if (looked === 0) return null;
    const share = e.share(equal, looked);
    const whole = share.value > COPIED;
    const rounded = e.sizeQuantile('so', COPIED) <= FLOAT32_SIZE;
    // In some responses all tokens are the same, in the others hardly any.
    const [some, there] = [e.ofPair('so', 'equalResponses'), e.ofPair('so', 'equalThere')];
    const mixed =
      some >= LEAST_RESPONSES &&
      some > FEW_RESPONSES * e.having('sampler') &&
      equal - there < SELDOM * (looked - there);
    const outside = e.count('responsesOutside') / e.count('responses');
    return {
      found: whole || rounded || mixed,
      statistic: share.value,
      interval: share.interval,
      ...(whole
        ? {}
        : rounded
          ? { title: 'Old log-probs are the sampler’s, rounded: copied, not compared' }
          : {
              title: `Old log-probs are the sampler’s in ${some.toLocaleString('en-US')} of ${counted(e.having('sampler'), 'response')}: copied, not compared`,
            }),
      ...(e.hasUpdate()
        ? { adds: `Of the responses ${inPercent(outside)} lie outside the sequence band.` }
        : { cause: ONE_COLUMN }),
      figures: [
        percent('tokens identical in both columns', share.value),
        ...(e.hasUpdate()
          ? [
              percent('responses outside the sequence band', outside),
              percent(
                'tokens outside the token band',
                e.count('tokensOutside') / e.count('tokens'),
              ),
            ]
          : []),
      ],
      carriers: e.carriers('response'),
    };
  },
});

/** tokens that one policy is sure of; the sharper one is surer of nearly all of them */
const LEAST_SURE = 20;
const ONE_WAY = 0.9;
const NEAR_ONE = 0.03;
/** Without an interval: of the logarithm of the exponent; sure tokens; those of them that move one way. */
const PLAIN_EXPONENT = 0.15;
const PLAIN_SURE = 40;
const PLAIN_WAY = 0.97;
/** The mean weight of the column that drew is so much nearer to 1 than that of the other; tails make both jump. */
const PLAIN_NEARER = 4;

interface Temper {
  /** log second = exponent * log first - log Z */
  exponent: Estimate;
  /** which column drew the tokens, by the law of the mean weight */
  drawn: Column;
  surer: number;
}

/**
 * The exponent that turns the first distribution into the second. Where the first drew the tokens,
 * h = exp(second - first) - 1 has mean 0 in every context, so it is uncorrelated with log Z, which is the same for
 * all tokens of a context: exponent = cov(second, h) / cov(first, h). Where the second drew them, the same with
 * h = exp(first - second) - 1. An instrumental variable, with nothing assumed about the policy.
 */
function temperOf(e: Evidence, pair: Pair): Temper {
  const forward = e.tokenMean(pair, 'forward');
  const back = e.tokenMean(pair, 'back');
  const first = Math.abs(forward.value) <= Math.abs(back.value);
  const [h, hu, hw] = first
    ? (['forward', 'forwardU', 'forwardW'] as const)
    : (['back', 'backU', 'backW'] as const);
  const exponent = e.estimate((of) => {
    const tokens = of(`${pair}.tokens`);
    const mean = of(`${pair}.${h}`) / tokens;
    const left = of(`${pair}.${hu}`) / tokens - (mean * of(`${pair}.u`)) / tokens;
    const right = of(`${pair}.${hw}`) / tokens - (mean * of(`${pair}.w`)) / tokens;
    return right / left;
  });
  return {
    exponent,
    drawn: PAIR_COLUMNS[pair][first ? 0 : 1],
    surer: e.ofPair(pair, 'surer') / e.ofPair(pair, 'sure'),
  };
}

/**
 * Whether the law of the mean weight holds for one of the columns, to two per cent or within its error.
 * @param most an error beyond this says nothing
 */
export const someoneDrew = (e: Evidence, pair: Pair, most = Infinity) =>
  (['forward', 'back'] as const).some((way) => {
    const { value, interval } = e.tokenMean(pair, way);
    return (
      Math.abs(value) < (interval === null ? 0.1 : 0.02) ||
      (Math.abs(value) < most && interval !== null && interval[0] < 0 && interval[1] > 0)
    );
  });

/** Of few prompts, and far temperatures. */
function oneDrewRather(e: Evidence): boolean {
  const [near, far] = (['forward', 'back'] as const)
    .map((way) => Math.abs(e.tokenMean('so', way).value))
    .sort((a, b) => a - b);
  return PLAIN_NEARER * near < far;
}

export const temperature = rule({
  id: 'temperature',
  level: 'warning',
  title: 'One column is tempered, the other is raw',
  symptom:
    'Importance weights between sampler and trainer off from the first step although both have the same weights; entropy differs',
  measure:
    'exponent between the two distributions (1 / temperature of the second relative to the first)',
  threshold: 1,
  fires:
    'its interval excludes 1 by 3 % or more, and the surer tokens all move one way (with fewer than five prompts, which carry no interval: 15 % from 1, and 97 % one way)',
  cause:
    'Sampler and trainer differ as a distribution and the same one at another temperature do: one side divides the logits by the sampling temperature and the other does not.',
  remedy: {
    any: 'Take both log-probs at the sampling temperature.',
    trl: 'vLLM: logprobs_mode="processed_logprobs"; the trainer divides by args.temperature.',
    verl: 'actor_rollout_ref.rollout.temperature reaches both; vLLM needs logprobs_mode="processed_logprobs".',
    nemoRl:
      'policy.generation.temperature; log-probs of the trainer are taken at temperature 1 unless told.',
    slime: '--rollout-temperature must reach the trainer’s log-probs.',
    openRlhf:
      '--rollout.temperature reaches actor and engine; vLLM needs logprobs_mode="processed_logprobs".',
    areal: 'gconfig.temperature and actor.temperature must be the same.',
    primeRl:
      'sampling.temperature of the orchestrator; vLLM needs logprobs_mode="processed_logprobs".',
    msSwift: '--temperature reaches both; vLLM needs logprobs_mode="processed_logprobs".',
  },
  sources: ['TRL issue 4159', 'vLLM engine argument logprobs_mode'],
  hides: ['impossible-reach', 'truncation', 'sampler-mismatch', 'k1-negative', 'routing-tails'],
  shows: 'one column surer than the other wherever either is sure',
  look(e) {
    if (!e.hasSampler() || e.ofPair('so', 'sure') < LEAST_SURE) return null;
    const kl = e.pairSum('so', 'k3') / e.pairSum('so', 'tokens');
    const { exponent, drawn, surer } = temperOf(e, 'so');
    const sharper = exponent.value > 1;
    const oneWay = sharper ? surer > ONE_WAY : surer < 1 - ONE_WAY;
    const away =
      exponent.interval !== null &&
      (exponent.interval[0] > 1 + NEAR_ONE || exponent.interval[1] < 1 - NEAR_ONE) &&
      exponent.value > 0;
    // Too few prompts for an interval: what is plain is told all the same.
    const plain =
      exponent.interval === null &&
      Math.abs(Math.log(exponent.value)) > PLAIN_EXPONENT &&
      e.ofPair('so', 'sure') >= PLAIN_SURE &&
      (sharper ? surer > PLAIN_WAY : surer < 1 - PLAIN_WAY) &&
      (someoneDrew(e, 'so', 0) || oneDrewRather(e));
    // The column that drew the tokens is at the sampling temperature; log old = exponent * log sampler - log Z.
    const bySampler = drawn === 'sampler';
    const hot = bySampler ? exponent.value : 1 / exponent.value;
    const [at, raw] = bySampler ? ['sampler’s', 'trainer’s'] : ['trainer’s', 'sampler’s'];
    const reach = e.tokenMean('so', 'forward');
    return {
      found: kl > SAMPLER_KL_LIMIT && (plain || (oneWay && away && someoneDrew(e, 'so'))),
      statistic: exponent.value,
      interval: exponent.interval,
      title: `Raw against tempered log-probs: a temperature of about ${hot.toFixed(2)} explains the difference`,
      adds: `The tokens were drawn from the ${at} column (its weights average 1), and it is the ${raw} at temperature ${hot.toFixed(2)}${
        exponent.interval ? ` (${temperatureRange(exponent.interval, !bySampler)})` : ''
      }: if the ${raw} is raw, the ${at} is at ${hot.toFixed(2)}; if the ${at} is raw, the ${raw} is at ${(1 / hot).toFixed(2)}.`,
      figures: [
        number('exponent between the distributions', exponent.value),
        number('temperature', hot),
        percent('mean of old / sampler', 1 + reach.value),
        percent('mean of sampler / old', 1 + e.tokenMean('so', 'back').value),
        percent('sure tokens of which the trainer is surer', surer),
      ],
      carriers: e.carriers('pair.so'),
    };
  },
});

function temperatureRange([low, high]: readonly [number, number], inverse: boolean): string {
  const [from, to] = inverse ? [1 / high, 1 / low] : [low, high];
  return `${from.toFixed(2)} to ${to.toFixed(2)}`;
}

/** "old probability that the sampler can reach", and what goes with it */
function reachFigures(e: Evidence, reach: Estimate): Figure[] {
  return [
    percent('old probability that the sampler can reach (mean of old / sampler)', 1 + reach.value),
    percent('standard error', reach.error),
    number(
      'KL(sampler || old), k3, nats per token',
      e.pairSum('so', 'k3') / e.pairSum('so', 'tokens'),
    ),
  ];
}

export const impossibleReach = rule({
  id: 'impossible-reach',
  level: 'warning',
  title: 'The weights old / sampler average more than 1: impossible',
  symptom: 'Mean importance weight between sampler and trainer above 1, whatever is tried',
  measure: 'mean of pi_old / pi_sampler over tokens, less 1',
  threshold: REACH_LIMIT,
  fires: 'the whole interval above',
  cause:
    'Where the sampler drew the tokens from what it reports, the weights average 1, or less if it cut the tail: they are the share of old probability that it can reach. More than 1 is impossible, so the tokens were not drawn from the column called sampler: log-probs of another temperature, before penalties or masks, of other weights, or of other tokens.',
  remedy: {
    any: 'Ask the engine for the log-probs of the distribution that it samples from.',
    trl: 'vLLM: logprobs_mode="processed_logprobs".',
    verl: 'vLLM: logprobs_mode="processed_logprobs"; no repetition or presence penalty in rollout sampling.',
    openRlhf: 'vLLM: logprobs_mode="processed_logprobs".',
    areal: 'gconfig.temperature and actor.temperature must be the same; no penalties in gconfig.',
    primeRl: 'vLLM: logprobs_mode="processed_logprobs"; repetition_penalty 1.0.',
    msSwift: 'vLLM: logprobs_mode="processed_logprobs"; --repetition_penalty 1.0.',
  },
  sources: ['TRL issue 4159', 'the mismatch experiment: weights average 1'],
  hides: ['truncation', 'sampler-mismatch'],
  shows: 'tokens with weights far above 1',
  look(e) {
    if (!e.hasSampler()) return null;
    const reach = e.tokenMean('so', 'forward');
    return {
      found: reach.interval !== null && reach.interval[0] > REACH_LIMIT,
      statistic: reach.value,
      interval: reach.interval,
      title: `The weights old / sampler average ${inPercent(1 + reach.value)}: impossible if the sampler drew the tokens from what it reports`,
      figures: reachFigures(e, reach),
      carriers: e.carriers('pair.so'),
    };
  },
});

export const truncation = rule({
  id: 'truncation',
  level: 'warning',
  title: 'The sampler looks truncated (top-p, top-k or min-p)',
  symptom: 'Sampler surer of every token than the trainer; bias that no precision explains',
  measure:
    'mean of pi_old / pi_sampler over tokens, less 1 (its negative is the share of old probability cut off)',
  threshold: -REACH_LIMIT,
  fires: 'the whole interval below',
  cause:
    'The mean of old / sampler over the sampled tokens is the share of the old probability that the sampler can reach: 1 at any temperature, less with top-p, top-k or min-p. The sampler’s log-probs are those of another distribution than the trainer’s.',
  remedy: {
    any: 'Sample from the whole distribution in training, or take raw log-probs and know the bias.',
    trl: 'top_p=1.0, top_k=0, min_p=None.',
    verl: 'actor_rollout_ref.rollout.top_p=1.0, top_k=-1.',
    nemoRl: 'policy.generation.top_p: 1.0, top_k: null.',
    slime: '--rollout-top-p 1.0 --rollout-top-k -1.',
    openRlhf: '--rollout.top_p 1.0.',
    areal: 'gconfig.top_p: 1.0, and no gconfig.top_k that cuts.',
    primeRl: 'no top_p, top_k or min_p in extra_body of the training sampling.',
    msSwift: '--top_p 1.0, and a --top_k that cuts nothing.',
  },
  sources: ['the mismatch experiment: weights average 1'],
  hides: ['sampler-mismatch', 'k1-negative'],
  shows: 'the sampler surer of every token',
  look(e) {
    if (!e.hasSampler()) return null;
    const reach = e.tokenMean('so', 'forward');
    return {
      found: reach.interval !== null && reach.interval[1] < -REACH_LIMIT,
      statistic: reach.value,
      interval: reach.interval,
      figures: [
        ...reachFigures(e, reach),
        percent(
          'tokens that the trainer is surer of',
          e.ofPair('so', 'surer') / Math.max(1, e.ofPair('so', 'sure')),
        ),
      ],
      carriers: e.carriers('pair.so'),
    };
  },
});

/** Effective sample size over n below which weights are unusable in practice. */
const POOR_SAMPLE = 0.1;

/** Whether so few responses carry the weight that an estimate from them is worth little. */
export function isPoor(effectiveShare: number, n: number): boolean {
  // Of a handful of responses even one is more than a tenth.
  const least = Math.max(POOR_SAMPLE * n, Math.min(2, n / 2));
  return !(effectiveShare * n >= least);
}

export const samplerMismatch = rule({
  id: 'sampler-mismatch',
  level: 'warning',
  title: 'Sampler and trainer disagree',
  symptom: 'Reward falls or entropy drifts although the trainer’s own metrics look right',
  measure: 'KL(sampler || old) by k3, nats per token',
  threshold: SAMPLER_KL_LIMIT,
  fires: 'above, or an effective sample size of sequence weights below a tenth',
  cause:
    'The engine that sampled gives the same tokens other probabilities than the trainer: other precision, other kernels, stale weights, another routing of experts.',
  remedy: {
    any: 'Bring the precisions together (or both to float16/float32), check that weights are synchronised before sampling, and correct by importance weights.',
    trl: 'vllm_importance_sampling_correction=True, vllm_importance_sampling_mode="sequence_mask".',
    verl: 'algorithm.rollout_correction.rollout_is=token (or sequence), rollout_is_threshold=2.0.',
    nemoRl: 'loss_fn.use_importance_sampling_correction: true.',
    slime: '--use-tis.',
    openRlhf:
      '--algo.advantage.is_correction_enable with --algo.advantage.is_correction_type tis, icepop or seq-mask-tis.',
    areal: 'actor.use_decoupled_loss: true; actor.rejection_sampling.',
    primeRl: 'trainer.loss.dppo_mask_low and dppo_mask_high mask tokens that moved too far.',
    msSwift:
      '--rollout_importance_sampling_mode sequence_mask (or token_truncate, ...), --rollout_importance_sampling_threshold 2.0.',
  },
  sources: ['verl docs on rollout correction', 'the mismatch experiment'],
  hides: [],
  shows: 'tokens on which the engines disagree',
  look(e) {
    if (!e.hasSampler()) return null;
    const kl = e.tokenMean('so', 'k3');
    const k1 = e.tokenMean('so', 'k1');
    const effective = e.tally.weights.mismatch.effectiveShare();
    const poor = isPoor(effective, e.having('sampler'));
    const far = kl.value > SAMPLER_KL_LIMIT;
    return {
      found: far || poor,
      statistic: kl.value,
      interval: kl.interval,
      adds: far
        ? ''
        : 'Per token they differ little, over whole responses a lot: the weights of sequences are worth little.',
      figures: [
        number('KL(sampler || old), k3, nats per token', kl.value),
        number('the same by k1 (mean log sampler - log old)', k1.value),
        number('standard error of k1', k1.error),
        percent('effective sample size of sequence weights over n', effective),
      ],
      carriers: e.carriers('pair.so'),
    };
  },
});

export const negativeKl = rule({
  id: 'k1-negative',
  level: 'note',
  title: 'One estimate of KL is negative beside a positive one',
  symptom: 'kl below 0 in the logs (k1), k3 above 0',
  measure: 'mean of log first - log second over tokens (k1), nats',
  threshold: 0,
  fires: 'the whole interval below, and beyond k3 in size',
  cause:
    'k1 and k3 estimate the same KL only where the first column drew the tokens: then k1 cannot be below 0 beyond its error. k3 is never negative, term by term, so it hides the same bias.',
  remedy: {
    any: 'Do not average the two; find which distribution drew the tokens (temperature, penalties, other weights), and whether the new log-probs were taken after training on these very tokens.',
  },
  sources: ['Schulman (2020), Approximating KL divergence'],
  hides: [],
  shows: 'tokens that the second column finds likelier than the first',
  look(e) {
    if (e.pairs().length === 0) return null;
    const looks = e.pairs().map((pair) => {
      const k1 = e.tokenMean(pair, 'k1');
      const k3 = e.tokenMean(pair, 'k3');
      const found =
        k1.interval !== null && k1.interval[1] < 0 && -k1.value > k3.value && k3.value > 1e-7;
      return { pair, k1, k3, found };
    });
    const { pair, k1, k3, found } = looks.find((one) => one.found) ?? looks[0];
    const [first, second] = PAIR_COLUMNS[pair];
    return {
      found,
      statistic: k1.value,
      interval: k1.interval,
      title: `KL(${first} || ${second}) is negative by k1 (${inDigits(k1.value)}) and positive by k3 (${inDigits(k3.value)})`,
      adds:
        pair === 'so'
          ? 'The tokens were drawn from something else than the sampler’s column.'
          : 'The new policy finds these tokens likelier on average than the one that drew them: it was trained on them (or the larger part of the advantages is positive). That is no error, but k1 is no KL here.',
      figures: looks.flatMap((one) => [
        number(`k1 of ${PAIR_COLUMNS[one.pair].join(' against ')}, nats per token`, one.k1.value),
        number(`k3 of ${PAIR_COLUMNS[one.pair].join(' against ')}, nats per token`, one.k3.value),
      ]),
      carriers: carriersOf(e, pair),
    };
  },
});

/** nats: a token on which two dense engines do not differ by rounding */
const WILD = 0.5;
/** nine tokens of ten differ by less */
const CALM = 0.05;
const WILD_SHARE = 1e-4;

/** Routing differs at every step; a step or two that make nearly all of it are another thing. */
const FEW_STEPS = 0.2;
const NEARLY_ALL_WILD = 0.8;
const STEPS_THAT_TELL = 6;

function ofFewSteps({ steps, bands }: HealthTally, wild: number): boolean {
  if (steps.size < STEPS_THAT_TELL) return false;
  const each = [...steps.values()]
    .map((step) => new Evidence(step, bands).sizesBeyond('so', WILD))
    .sort((a, b) => b - a);
  const most = each.slice(0, Math.floor(FEW_STEPS * each.length)).reduce((sum, n) => sum + n, 0);
  return most > NEARLY_ALL_WILD * wild;
}

export const routingTails = rule({
  id: 'routing-tails',
  level: 'warning',
  title: 'A few tokens differ wildly, the rest hardly',
  symptom:
    'KL between sampler and trainer spikes on single tokens of a mixture of experts; dense models of the same size are fine',
  measure: `share of tokens on which sampler and trainer differ by more than ${WILD} nats`,
  threshold: WILD_SHARE,
  fires: `above (three tokens at least), while nine tokens of ten differ by less than ${CALM}`,
  cause:
    'Rounding moves all tokens a little. A heavy tail over a calm bulk is what another choice of experts does: at those tokens the router of the trainer took other experts than that of the sampler.',
  remedy: {
    any: 'Replay the sampler’s routing in the trainer, or clip and mask by sequence (GSPO averages the tail out).',
    verl: 'actor_rollout_ref.actor.megatron.router_replay.mode=R3 with actor_rollout_ref.rollout.enable_rollout_routing_replay=True.',
    slime: '--use-rollout-routing-replay.',
    areal: 'rollout.return_routed_experts: true.',
    primeRl: 'trainer.enable_router_replay = true, with routed experts returned by the engine.',
  },
  sources: ['GSPO, arXiv:2507.18071, section 5.3', 'Rollout Routing Replay, arXiv:2510.11370'],
  hides: ['sampler-mismatch', 'k1-negative'],
  shows: 'single tokens far off beside calm ones',
  look(e, tally) {
    if (!e.hasSampler()) return null;
    const wild = e.sizesBeyond('so', WILD);
    const tokens = e.ofPair('so', 'tokens');
    const share = e.share(wild, tokens);
    const calm = e.sizeQuantile('so', 0.9);
    return {
      found: share.value > WILD_SHARE && wild >= 3 && calm <= CALM && !ofFewSteps(tally, wild),
      statistic: share.value,
      interval: share.interval,
      title: `${counted(wild, 'token')} differ by more than ${WILD} nats between sampler and trainer, nine of ten by less than ${inDigits(calm)}`,
      figures: [
        percent(`tokens beyond ${WILD} nats`, share.value),
        count('their number', wild),
        number('size that nine of ten stay below, nats', calm),
        number('KL(sampler || old), k3, nats per token', e.pairSum('so', 'k3') / tokens),
      ],
      carriers: e.carriers('pair.so'),
    };
  },
});
