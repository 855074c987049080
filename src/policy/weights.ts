/** Points on the line between two sets of weights, a set as another arithmetic has it, and sets as 16-bit differences. */
import { inArithmetic, type Arithmetic } from '../math/arithmetic';
import type { Weights } from './graph/lift';

/**
 * theta_old + alpha (theta_new - theta_old), rounded to float32 once.
 * alpha = 0 and 1 return the given weights themselves, so that the ends are exact.
 * @throws when the two sets differ in names or shapes
 */
export function interpolateWeights(old: Weights, next: Weights, alpha: number): Weights {
  assertSameShapes(old, next);
  if (alpha === 0) return old;
  if (alpha === 1) return next;
  const result: Weights = new Map();
  for (const [name, { shape, values }] of old) {
    const target = next.get(name)?.values as Float32Array;
    const mixed = new Float32Array(values.length);
    for (let i = 0; i < values.length; i++) {
      const from = values[i];
      mixed[i] = from + alpha * (target[i] - from);
    }
    result.set(name, { shape, values: mixed });
  }
  return result;
}

export function assertSameShapes(expected: Weights, given: Weights): void {
  for (const [name, { shape }] of expected) {
    const other = given.get(name);
    if (!other) throw new Error(`The checkpoint has no tensor "${name}".`);
    if (other.shape.join() !== shape.join()) {
      throw new Error(
        `Tensor "${name}" is [${other.shape.join(', ')}] in the checkpoint, the graph expects ` +
          `[${shape.join(', ')}].`,
      );
    }
  }
  for (const name of given.keys()) {
    if (!expected.has(name)) throw new Error(`The graph has no place for tensor "${name}".`);
  }
}

/** A matrix that activations are multiplied with, by the exporters' naming; an embedding is looked up. */
const isMultiplied = (name: string) => /MatMul|Gemm/.test(name);

/** Theta as a weight-only engine of this arithmetic has it (`math/arithmetic.ts`); fp32 gives the given set itself. */
export function weightsIn(arithmetic: Arithmetic, weights: Weights): Weights {
  if (arithmetic === 'fp32') return weights;
  return new Map(
    Array.from(weights, ([name, { shape, values }]) => [
      name,
      { shape, values: inArithmetic(arithmetic, shape, values, isMultiplied(name)) },
    ]),
  );
}

/** Steps of training move weights by 1e-5 to 1e-1: scaled by this, halves hold that with all of their digits. */
const SCALE = 1024;

/**
 * A checkpoint as differences to another one, which `writeSafetensors` stores as F16: half the bytes, for those that are
 * compared with no close neighbour. A difference is exact to 2^-11 of itself (2^-35 at least); what that does to
 * log-probs stands in the policy's card.
 */
export function differenceOf(base: Weights, weights: Weights): Weights {
  assertSameShapes(base, weights);
  return new Map(
    [...weights].map(([name, { shape, values }]) => {
      const from = base.get(name)?.values as Float32Array;
      return [name, { shape, values: values.map((x, i) => (x - from[i]) * SCALE) }];
    }),
  );
}

/** @throws where the tensors are not those of `base` */
export function addDifference(base: Weights, difference: Weights): Weights {
  assertSameShapes(base, difference);
  return new Map(
    [...base].map(([name, { shape, values }]) => {
      const by = difference.get(name)?.values as Float32Array;
      return [name, { shape, values: values.map((x, i) => x + by[i] / SCALE) }];
    }),
  );
}
