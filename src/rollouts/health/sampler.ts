/**
 * What the health report finds between the policy that sampled and pi_old, which the trainer computed for the
 * same tokens: other precision, other weights, another distribution. Standard errors are over responses, whose
 * tokens depend on each other.
 */
import {
  effectiveSampleShareOfLogs,
  klTerms,
  mean,
  sequenceSums,
} from '../../math/diagnostics/divergence';
import type { FloatArray, Rollouts } from '../rollouts';
import { number, percent, share, type Finding } from './finding';
import { isPoor } from './ratios';

/** nats per token between sampler and trainer that deserve attention */
const SAMPLER_KL_LIMIT = 1e-3;
/** share of pi_old's probability that a sampler must cut off before it is called truncated */
const CUT_LIMIT = 1e-3;
/** A cut of this share must be beyond chance before its absence says anything; top-p 0.95 cuts 0.05. */
const VISIBLE_CUT = 0.02;
/** A difference counts from so many standard errors on. */
const CERTAIN = 3;

interface Mean {
  value: number;
  /** standard error; NaN for a single response */
  error: number;
}

/** Mean over tokens, its error over responses. */
function clusteredMean(values: Float64Array, offsets: Uint32Array): Mean {
  const value = mean(values);
  const sums = sequenceSums(values, offsets);
  let squares = 0;
  for (let i = 0; i < sums.length; i++) {
    const length = (offsets[i + 1] as number) - (offsets[i] as number);
    squares += ((sums[i] as number) - value * length) ** 2;
  }
  const n = sums.length;
  return { value, error: Math.sqrt((squares * n) / (n - 1)) / values.length };
}

/** Whether a mean is beyond a limit, rounding and chance aside. */
const beyond = ({ value, error }: Mean, limit: number) => value > limit && value > CERTAIN * error;

function agreement({ offsets }: Rollouts, k1: Float64Array, k3: Float64Array): Finding {
  const n = offsets.length - 1;
  const shift = clusteredMean(k1, offsets);
  const kl = mean(k3);
  const effective = effectiveSampleShareOfLogs(sequenceSums(k1, offsets).map((x) => -x));
  const size = { ...shift, value: Math.abs(shift.value) };
  // k3 alone misses a sampler that cuts the tail: what it cut is in no sample.
  const far = kl > SAMPLER_KL_LIMIT || beyond(size, SAMPLER_KL_LIMIT);
  const apart = far || isPoor(effective, n);
  return {
    id: 'sampler',
    level: apart ? 'warning' : 'fine',
    title: apart ? 'Sampler and trainer disagree' : 'Sampler and trainer agree',
    detail: apart
      ? `${far ? `They differ by more than ${SAMPLER_KL_LIMIT} nats per token` : 'Per token they differ little, over whole responses a lot'}: other precision, another engine, another temperature, a cut tail or stale weights. Consider mismatch weights.`
      : `They differ by at most ${SAMPLER_KL_LIMIT} nats per token, or by no more than chance.`,
    figures: [
      number('KL(sampler || old), k3, nats per token', kl),
      number('mean log sampler - log old, nats per token', shift.value),
      number('its standard error', shift.error),
      percent('effective sample size of sequence weights over n', effective),
    ],
  };
}

/**
 * The mean of pi_old / pi_sampler over sampled tokens is the share of pi_old's probability that the sampler can
 * reach: 1 whatever its temperature, less where it cuts the tail and renormalises.
 */
function truncation({ offsets }: Rollouts, k1: Float64Array): Finding {
  const cutOff = clusteredMean(
    k1.map((x) => -Math.expm1(-x)),
    offsets,
  );
  const cut = beyond(cutOff, CUT_LIMIT);
  const unclear = !cut && !(CERTAIN * cutOff.error <= VISIBLE_CUT);
  const identity =
    'The mean of old / sampler over the sampled tokens is the share of the old probability that the sampler can reach: 1 at any temperature, less with top-p, top-k or min-p.';
  return {
    id: 'truncation',
    level: cut ? 'warning' : 'fine',
    title: cut
      ? 'The sampler looks truncated (top-p, top-k or min-p)'
      : unclear
        ? 'Too little to tell whether the sampler is truncated'
        : 'No sign of a truncating sampler',
    detail: cut
      ? `${identity} Its log-probs are those of another distribution than the trainer's.`
      : identity,
    figures: [
      percent('old probability that the sampler can reach', 1 - cutOff.value),
      percent('standard error', cutOff.error),
      percent(
        'tokens at least as probable under the sampler',
        share(k1, (x) => x >= 0),
      ),
    ],
  };
}

export function sampler(rollouts: Rollouts, logpSampler: FloatArray): Finding[] {
  const { k1, k3 } = klTerms(logpSampler, rollouts.logpOld);
  return [agreement(rollouts, k1, k3), truncation(rollouts, k1)];
}
