/** The rule about what grows over training steps. */
import { count, inDigits, number, rule } from '../finding';
import { stepFigures, type StepFigures } from '../steps';
import { SAMPLER_KL_LIMIT } from './pairs';

/** Fewer steps tell no trend. */
const LEAST_STEPS = 6;
/** The last third against the first. */
const GROWTH = 4;
/** times the size at the beginning (KL goes with its square) from which on a step stands out */
const STANDS_OUT = 4;
/** Growth that stays below a tenth of the limit does not matter yet. */
const MATTERS = SAMPLER_KL_LIMIT / 10;

const median = (values: readonly number[]) => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};

/** KL(sampler || old) by step. */
function series(steps: readonly StepFigures[]): { kl: number; step: number }[] {
  return steps.flatMap(({ step, samplerKl }) =>
    samplerKl === null ? [] : [{ step, kl: samplerKl }],
  );
}

export const growingMismatch = rule({
  id: 'growing-mismatch',
  level: 'warning',
  title: 'The mismatch of sampler and trainer grows over the steps',
  symptom: 'A run that was fine for hours falls apart; restarting helps for a while',
  measure: 'KL(sampler || old) of the last third of the steps over that of the first (medians)',
  threshold: GROWTH,
  fires: `above, where a step exceeds ${MATTERS} nats per token`,
  cause:
    'Sampler and trainer move apart step by step: weights that are no longer synchronised, an optimiser state or cache in low precision, quantisation that fits the first weights only, or a policy that becomes sharper than the kernels are exact.',
  remedy: {
    any: 'Look at what changed at the step named: weight synchronisation, KV cache reuse across updates, learning rate. Compare the sampler’s weights with the trainer’s there.',
    trl: 'vllm_importance_sampling_correction=True bounds the harm.',
    verl: 'algorithm.rollout_correction.rollout_is=token; watch rollout_corr/kl.',
    slime: '--use-tis; --check-weight-update-equal.',
    nemoRl: 'loss_fn.use_importance_sampling_correction: true bounds the harm.',
    openRlhf: '--algo.advantage.is_correction_enable bounds the harm.',
    areal: 'rollout.max_head_offpolicyness bounds how old samples may be.',
    primeRl: 'orchestrator.max_off_policy_steps bounds how old samples may be.',
    msSwift: '--rollout_importance_sampling_mode sequence_mask bounds the harm.',
  },
  sources: ['vime issue 64'],
  hides: ['sampler-mismatch', 'k1-negative'],
  shows: null,
  look(_e, tally) {
    const steps = series(stepFigures(tally));
    if (steps.length < LEAST_STEPS) return null;
    const third = Math.floor(steps.length / 3);
    const [early, late] = [
      median(steps.slice(0, third).map(({ kl }) => kl)),
      median(steps.slice(-third).map(({ kl }) => kl)),
    ];
    // A change near the end leaves the median of the last third alone; its last steps tell.
    const last = median(steps.slice(-3).map(({ kl }) => kl));
    const growth = Math.max(late, last) / early;
    const most = steps.reduce((largest, { kl }) => Math.max(largest, kl), -Infinity);
    const base = STANDS_OUT * early;
    const stays = (i: number) => steps.slice(i).every(({ kl }) => kl > base);
    const first = steps.findIndex(({ kl }, i) => kl > base && stays(i));
    const over = steps.find(({ kl }) => kl > SAMPLER_KL_LIMIT);
    const [firstStep] = first < 0 ? [] : [steps[first]?.step];
    return {
      found: growth > GROWTH && most > MATTERS && first >= 0,
      firstStep: firstStep ?? null,
      statistic: growth,
      interval: null,
      title: `The mismatch of sampler and trainer grows${firstStep === undefined ? '' : ` from step ${firstStep} on`}`,
      adds: [
        firstStep === undefined
          ? ''
          : `Up to then KL was about ${inDigits(early)} nats per token; from step ${firstStep} on every step exceeds ${STANDS_OUT} times that.`,
        over
          ? `The limit of ${SAMPLER_KL_LIMIT} is first exceeded at step ${over.step}.`
          : `No step exceeds ${SAMPLER_KL_LIMIT} yet.`,
      ]
        .filter((text) => text !== '')
        .join(' '),
      figures: [
        number('KL of the first third of the steps, nats per token', early),
        number('KL of the last three steps', last),
        ...(firstStep === undefined ? [] : [count('first step that stands out', firstStep)]),
        ...(over ? [count(`first step above ${SAMPLER_KL_LIMIT}`, over.step)] : []),
        count('steps', steps.length),
      ],
      carriers: [],
    };
  },
});
