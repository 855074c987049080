/**
 * What every experiment reads off `Rollouts` first. Contract: bad rollouts are refused with a sentence
 * (`ExperimentInputError`) before any kernel sees them; everything returned is float64.
 */
import { compensatedMean, compensatedMeanDifference } from '../../math/summation';
import { sequenceCount, tokenCount, type FloatArray, type Rollouts } from '../../rollouts/rollouts';
import type { ExperimentContext } from '../experiment';

export class ExperimentInputError extends Error {
  override name = 'ExperimentInputError';
}

/** @throws ExperimentInputError naming the sequence or column that is wrong */
export function checkRollouts(rollouts: Rollouts): void {
  const n = sequenceCount(rollouts);
  const tokens = tokenCount(rollouts);
  for (let i = 0; i < n; i++) {
    if (!(rollouts.offsets[i + 1] > rollouts.offsets[i])) {
      throw new ExperimentInputError(
        `Response ${i} has no tokens, so it has no sequence weight. Leave empty responses out.`,
      );
    }
  }
  const columns = [
    ['logpOld', rollouts.logpOld, tokens],
    ['logpNew', rollouts.logpNew, tokens],
    ['logpRef', rollouts.logpRef, tokens],
    ['entropyOld', rollouts.entropyOld, tokens],
    ['entropyNew', rollouts.entropyNew, tokens],
    ['group', rollouts.group, n],
  ] as const;
  for (const [name, column, expected] of columns) {
    if (column && column.length !== expected) {
      throw new ExperimentInputError(
        `Column "${name}" has ${column.length} entries where ${expected} are expected. ` +
          'Check that the file was read completely.',
      );
    }
  }
}

/** [n] response lengths in tokens */
export function responseLengths(rollouts: Rollouts): Uint32Array {
  const n = sequenceCount(rollouts);
  const lengths = new Uint32Array(n);
  for (let i = 0; i < n; i++) {
    lengths[i] = rollouts.offsets[i + 1] - rollouts.offsets[i];
  }
  return lengths;
}

/** [tokens] d_t = log pi_theta - log pi_old, nats */
export function logRatios(rollouts: Rollouts): Float64Array {
  const out = new Float64Array(rollouts.logpOld.length);
  for (let t = 0; t < out.length; t++) {
    out[t] = rollouts.logpNew[t] - rollouts.logpOld[t];
  }
  return out;
}

/** [n] log s = mean of d_t over each response's tokens, compensated */
export function meanLogRatios({ logpOld, logpNew, offsets }: Rollouts): Float64Array {
  return perSequence(offsets, (from, to) => compensatedMeanDifference(logpNew, logpOld, from, to));
}

/** [n] mean over each response's tokens, compensated */
export function sequenceMeans(values: FloatArray, offsets: Uint32Array): Float64Array {
  return perSequence(offsets, (from, to) => compensatedMean(values, from, to));
}

/** [n] what `of` gives for each response's tokens [from, to) */
function perSequence(offsets: Uint32Array, of: (from: number, to: number) => number): Float64Array {
  const n = offsets.length - 1;
  return Float64Array.from({ length: n }, (_, i) => of(offsets[i], offsets[i + 1]));
}

/** Work between two yields, ms: a timer of a page waits 4 ms, so that yielding at every stage would take longer than work. */
const YIELD_AFTER = 10;
let yielded = 0;

/**
 * Between chunks of work: reports progress, yields to the event loop every 10 ms (an abort may have come), and stops
 * when the run was aborted.
 * @throws the signal's reason
 */
export async function stage(context: ExperimentContext, fraction: number): Promise<void> {
  context.progress?.(fraction);
  if (performance.now() - yielded >= YIELD_AFTER) {
    await new Promise((resolve) => setTimeout(resolve, 0));
    yielded = performance.now();
  }
  context.signal?.throwIfAborted();
}
