/**
 * The objectives of `src/math/objectives` as differentiable losses: the same surrogates, in jax-js.
 *
 * Contract: for the same log-probs, `objectiveLoss` has the value and, differentiated, the gradient of
 * `evaluateObjective` to float32 rounding; a test holds every objective of the registry to that, in both
 * libraries' conventions. Shapes: B responses, T padded token places. Every array handed in is consumed.
 */
import { lax, nn, numpy as np } from '@jax-js/jax';
import type {
  ClipSurrogate,
  Library,
  ObjectiveSettings,
  Surrogate,
} from '../math/objectives/types';
import { isPerSequence, VERL_EPSILON } from '../math/objectives/surrogates';

/** Everything but the policy's own log-probs; constants to the gradient. */
export interface LossInputs {
  /** [B, T] log pi_old(y_t), nats */
  logpOld: np.Array;
  /** [B, T] 1 at response tokens, else 0 */
  mask: np.Array;
  /** [B, 1] */
  advantage: np.Array;
  /** [B, 1] response tokens, at least 1 (also in rows that only pad) */
  length: np.Array;
  /** [B, 1] the aggregation's coefficient of each token of the row (`coefficients`) */
  coefficient: np.Array;
}

/** verl clamps token log-ratios to +-20 and a sequence's to at most 10. */
const VERL_TOKEN_LIMIT = 20;
const VERL_SEQUENCE_LIMIT = 10;
const VESPO_LOG_MIN = Math.log(1e-8);

/** Arrays are reference-counted and each use consumes one: inside, `use` borrows, `free` ends. */
class Terms {
  constructor(
    /** [B, T] log pi_theta, zero where masked */
    private readonly logp: np.Array,
    /** [B, T] d_t, zero where masked */
    private readonly d: np.Array,
    private readonly inputs: LossInputs,
    readonly library: Library,
  ) {}

  get logProb(): np.Array {
    return this.logp.ref;
  }
  get mask(): np.Array {
    return this.inputs.mask.ref;
  }
  get advantage(): np.Array {
    return this.inputs.advantage.ref;
  }
  get logOld(): np.Array {
    return this.inputs.logpOld.ref;
  }
  get rawLogRatio(): np.Array {
    return this.d.ref;
  }
  /** [B, 1], with the 1e-8 that verl keeps beside lengths where it does */
  get length(): np.Array {
    return this.inputs.length.ref;
  }
  /** [B, T] as the library clamps it */
  get logRatio(): np.Array {
    return this.library === 'verl'
      ? np.clip(this.d.ref, -VERL_TOKEN_LIMIT, VERL_TOKEN_LIMIT)
      : this.d.ref;
  }
  /** [B, 1] sum of d_t */
  get sumLogRatio(): np.Array {
    return this.d.ref.sum(-1, { keepdims: true });
  }

  free(): void {
    for (const array of [this.logp, this.d, ...Object.values(this.inputs)]) array.dispose();
  }
}

/** Log of the ratio that the clip sees: [B, T] or [B, 1]. */
function clipLogRatio(s: ClipSurrogate, t: Terms): np.Array {
  if (s.level === 'token') return t.logRatio;
  let log = t.sumLogRatio;
  if (s.level !== 'sequence-sum') log = log.div(t.length);
  if (s.level === 'sequence-token') {
    // sg[s] pi_theta / sg[pi_theta]: the value of s, the gradient of one token.
    log = lax.stopGradient(log).add(t.logProb).sub(lax.stopGradient(t.logProb));
  }
  return t.library === 'verl' ? np.minimum(log, VERL_SEQUENCE_LIMIT) : log;
}

/** -min(r A, clip(r) A), with TRL's cap on the free branch and verl's on the loss. */
function clipped(s: ClipSurrogate, t: Terms): np.Array {
  const ratio = np.exp(clipLogRatio(s, t));
  const capped = s.delta === undefined ? ratio.ref : np.minimum(ratio.ref, s.delta);
  const free = capped.mul(t.advantage);
  const bound = np.clip(ratio, 1 - s.low, 1 + s.high).mul(t.advantage);
  let loss = np.minimum(free, bound).mul(-1);
  if (s.dual !== undefined) {
    const ceiling = t.advantage.mul(-s.dual);
    loss = np.where(t.advantage.less(0), np.minimum(loss.ref, ceiling), loss);
  }
  return s.level === 'sequence-sum' ? loss.div(t.length) : loss;
}

function gmpo(low: number, high: number, t: Terms): np.Array {
  const inside = np.clip(t.rawLogRatio, -low, high);
  const chosen = np.where(
    t.advantage.greater(0),
    np.minimum(t.rawLogRatio, inside.ref),
    np.maximum(t.rawLogRatio, inside),
  );
  const verl = t.library === 'verl';
  const denominator = () => (verl ? t.length.add(VERL_EPSILON) : t.length);
  const weight = np.exp(chosen.sum(-1, { keepdims: true }).div(denominator()));
  const advantage = verl ? t.advantage.mul(t.length).div(denominator()) : t.advantage;
  return weight.mul(advantage).mul(-1).div(t.length);
}

function vespo(s: Extract<Surrogate, { kind: 'vespo' }>, t: Terms): np.Array {
  const sum = np
    .clip(t.rawLogRatio, -VERL_TOKEN_LIMIT, VERL_TOKEN_LIMIT)
    .sum(-1, { keepdims: true });
  const log = lax.stopGradient(np.clip(sum, VESPO_LOG_MIN, VERL_TOKEN_LIMIT));
  const bySign = (positive: number, negative: number) =>
    np.where(t.advantage.less(0), negative, positive);
  const lambda = bySign(Math.max(s.lambdaPositive, 1e-4), Math.max(s.lambdaNegative, 1e-4));
  const exponent = lambda.ref
    .add(bySign(s.kPositive, s.kNegative).mul(log.ref))
    .sub(lambda.mul(np.exp(log)));
  return np.exp(exponent).mul(t.advantage).mul(t.logProb).mul(-1);
}

function dppo(s: Extract<Surrogate, { kind: 'dppo' }>, t: Terms): np.Array {
  const logNew = lax.stopGradient(t.logProb);
  const p = np.exp(logNew.ref);
  const q = np.exp(t.logOld);
  const up = () => t.advantage.greater(0);
  let valid: np.Array;
  if (s.divergence === 'tv') {
    const moved = p.sub(q);
    valid = np.where(up(), moved.ref.lessEqual(s.high), moved.greaterEqual(-s.low));
    logNew.dispose();
  } else {
    const rest = (x: np.Array) => np.log(x.mul(-1).add(1 + VERL_EPSILON));
    const kl = q.ref.mul(t.logOld.sub(logNew)).add(
      q.ref
        .mul(-1)
        .add(1)
        .mul(rest(q.ref).sub(rest(p.ref))),
    );
    const holds = (limit: number, outward: np.Array) =>
      np.logicalOr(kl.ref.lessEqual(limit), outward);
    valid = np.where(up(), holds(s.high, p.ref.lessEqual(q.ref)), holds(s.low, p.greaterEqual(q)));
    kl.dispose();
  }
  const weight = lax.stopGradient(np.minimum(np.exp(t.logRatio), s.cap));
  return weight
    .mul(np.where(valid, 1, 0))
    .mul(t.advantage)
    .mul(t.logProb)
    .mul(-1);
}

/** Loss of each token before aggregation: [B, T], or [B, 1] where a response shares it. */
function surrogateLoss(s: Surrogate, t: Terms): np.Array {
  switch (s.kind) {
    case 'clip':
      return clipped(s, t);
    case 'gmpo':
      return gmpo(s.low, s.high, t);
    case 'reinforce':
      return t.advantage.mul(t.logProb).mul(-1);
    case 'cispo': {
      const ratio = np.exp(t.logRatio);
      const weight = s.min === null ? np.minimum(ratio, s.max) : np.clip(ratio, s.min, s.max);
      return lax.stopGradient(weight).mul(t.advantage).mul(t.logProb).mul(-1);
    }
    case 'sapo': {
      const tau = np.where(t.advantage.greater(0), s.tauPositive, s.tauNegative);
      const gate = nn.sigmoid(np.exp(t.logRatio).sub(1).mul(tau.ref));
      return gate.mul(t.advantage).mul(-4).div(tau);
    }
    case 'vespo':
      return vespo(s, t);
    case 'dppo':
      return dppo(s, t);
    case 'dro':
      return t.advantage
        .mul(t.logProb)
        .mul(-1)
        .add(np.square(t.rawLogRatio).mul(0.5 * s.beta));
  }
}

/** The aggregation that an objective's coefficients come from: per-sequence losses exist once. */
export function lossAggregation(settings: ObjectiveSettings): ObjectiveSettings['aggregation'] {
  return isPerSequence(settings.surrogate) ? { kind: 'seq-mean-token-sum' } : settings.aggregation;
}

/** beta k3(pi_theta || pi_reference) per token, as TRL adds it to the token losses. */
export interface KlTerm {
  beta: number;
  /** [B, T] log-probs of the policy that training started from */
  logpReference: np.Array;
}

/**
 * @param logp [B, T] log pi_theta(y_t); what stands where the mask is 0 has no influence
 * @returns scalar, the sum of this batch's token losses times their coefficients
 */
export function objectiveLoss(
  settings: ObjectiveSettings,
  logp: np.Array,
  inputs: LossInputs,
  kl?: KlTerm,
): np.Array {
  const masked = logp.mul(inputs.mask.ref);
  const d = masked.ref.sub(inputs.logpOld.ref).mul(inputs.mask.ref);
  const terms = new Terms(masked, d, inputs, settings.library);
  let loss = surrogateLoss(settings.surrogate, terms);
  if (kl) {
    const gap = kl.logpReference.sub(terms.logProb).mul(terms.mask);
    loss = loss.add(np.exp(gap.ref).sub(gap).sub(1).mul(kl.beta));
  }
  const total = loss.mul(terms.mask).mul(inputs.coefficient.ref).sum();
  terms.free();
  return total;
}
