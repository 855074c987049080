/**
 * The objectives of `src/math/objectives` as differentiable losses: their `loss`, on jax-js arrays.
 *
 * Contract: for the same log-probs, `objectiveLoss` has the value and, differentiated, the gradient of
 * `evaluateObjective` to float32 rounding; a test holds every objective of the registry to that, in both
 * libraries' conventions. Shapes: B responses, T padded token places. Every array handed in is consumed.
 */
import { lax, nn, numpy as np } from '@jax-js/jax';
import { kindOf, type ObjectiveSettings } from '../math/objectives/registry';
import type { Term } from '../math/objectives/types';

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

type Operand = Term | number;

/**
 * Arrays are reference-counted and each use consumes one: operations here borrow, what they make is noted in
 * `made`, and whoever started disposes of it all in the end.
 */
class ArrayTerm implements Term {
  constructor(
    readonly array: np.Array,
    private readonly made: np.Array[],
  ) {
    made.push(array);
  }

  private make(array: np.Array): ArrayTerm {
    return new ArrayTerm(array, this.made);
  }
  private get own(): np.Array {
    return this.array.ref;
  }

  add(x: Operand): Term {
    return this.make(this.own.add(borrowed(x)));
  }
  sub(x: Operand): Term {
    return this.make(this.own.sub(borrowed(x)));
  }
  mul(x: Operand): Term {
    return this.make(this.own.mul(borrowed(x)));
  }
  div(x: Operand): Term {
    return this.make(this.own.div(borrowed(x)));
  }
  exp(): Term {
    return this.make(np.exp(this.own));
  }
  log(): Term {
    return this.make(np.log(this.own));
  }
  square(): Term {
    return this.make(np.square(this.own));
  }
  sigmoid(): Term {
    return this.make(nn.sigmoid(this.own));
  }
  clip(low: number, high: number): Term {
    return this.make(np.clip(this.own, low, high));
  }
  min(x: Operand): Term {
    return this.make(np.minimum(this.own, borrowed(x)));
  }
  max(x: Operand): Term {
    return this.make(np.maximum(this.own, borrowed(x)));
  }
  sum(): Term {
    return this.make(this.own.sum(-1, { keepdims: true }));
  }
  stop(): Term {
    return this.make(lax.stopGradient(this.own));
  }
  less(x: Operand): Term {
    return this.make(this.own.less(borrowed(x)));
  }
  greater(x: Operand): Term {
    return this.make(this.own.greater(borrowed(x)));
  }
  lessEqual(x: Operand): Term {
    return this.make(this.own.lessEqual(borrowed(x)));
  }
  greaterEqual(x: Operand): Term {
    return this.make(this.own.greaterEqual(borrowed(x)));
  }
  or(condition: Term): Term {
    return this.make(np.logicalOr(this.own, borrowed(condition)));
  }
  choose(yes: Operand, no: Operand): Term {
    return this.make(np.where(this.own, borrowed(yes), borrowed(no)));
  }
}

function arrayOf(term: Term): np.Array {
  if (!(term instanceof ArrayTerm)) throw new TypeError('A loss mixes terms of two makers.');
  return term.array;
}

const borrowed = (x: Operand) => (typeof x === 'number' ? x : arrayOf(x).ref);

/** The aggregation that an objective's coefficients come from: per-sequence losses exist once. */
export function lossAggregation({
  surrogate,
  aggregation,
}: ObjectiveSettings): ObjectiveSettings['aggregation'] {
  return kindOf(surrogate).perSequence(surrogate) ? { kind: 'seq-mean-token-sum' } : aggregation;
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
  { surrogate, library }: ObjectiveSettings,
  logp: np.Array,
  inputs: LossInputs,
  kl?: KlTerm,
): np.Array {
  const kind = kindOf(surrogate);
  if (!kind.loss) {
    throw new RangeError(
      `"${kind.kind}" chooses tokens over the whole batch; it is not trained here.`,
    );
  }
  const made: np.Array[] = [];
  const term = (array: np.Array) => new ArrayTerm(array, made);
  const mask = term(inputs.mask);
  const logOld = term(inputs.logpOld);
  const logProb = term(logp).mul(mask);
  let loss = kind.loss(surrogate, {
    library,
    logProb,
    logOld,
    logRatio: logProb.sub(logOld).mul(mask),
    advantage: term(inputs.advantage),
    length: term(inputs.length),
  });
  if (kl) {
    const gap = term(kl.logpReference).sub(logProb).mul(mask);
    loss = loss.add(gap.exp().sub(gap).sub(1).mul(kl.beta));
  }
  const total = arrayOf(loss.mul(mask).mul(term(inputs.coefficient))).ref.sum();
  for (const array of made) array.dispose();
  return total;
}
