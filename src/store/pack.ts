/**
 * Rollouts as they are put away. Contract: the same values; arrays that are views of larger buffers or of
 * memory shared between threads become arrays of their own, because a structured clone of a view copies the
 * whole buffer and one of shared memory is refused.
 */
import { OPTIONAL_TOKEN_COLUMNS, type Rollouts } from '../rollouts/rollouts';

type Columns = Float32Array | Float64Array | Int32Array | Uint32Array | Uint8Array;

const isOwn = (array: Columns) =>
  array.byteLength === array.buffer.byteLength && array.buffer instanceof ArrayBuffer;

function own<T extends Columns>(array: T): T {
  return isOwn(array) ? array : (array.slice() as T);
}

export function compact(rollouts: Rollouts): Rollouts {
  const out: Rollouts = {
    ...rollouts,
    offsets: own(rollouts.offsets),
    tokenIds: own(rollouts.tokenIds),
    logpOld: own(rollouts.logpOld),
    logpNew: own(rollouts.logpNew),
    group: own(rollouts.group),
    reward: own(rollouts.reward),
    advantage: own(rollouts.advantage),
    finished: own(rollouts.finished),
  };
  for (const column of OPTIONAL_TOKEN_COLUMNS) {
    const values = rollouts[column];
    if (values !== undefined) out[column] = own(values);
  }
  return out;
}

/** Bytes of the arrays and texts; what the browser adds is its own. */
export function bytesOf(rollouts: Rollouts): number {
  const texts = [...rollouts.prompts, ...(rollouts.tokenTexts ?? [])];
  const arrays: (Columns | undefined)[] = [
    rollouts.offsets,
    rollouts.tokenIds,
    rollouts.logpOld,
    rollouts.logpNew,
    rollouts.group,
    rollouts.reward,
    rollouts.advantage,
    rollouts.finished,
    ...OPTIONAL_TOKEN_COLUMNS.map((column) => rollouts[column]),
  ];
  return (
    arrays.reduce((sum, array) => sum + (array?.byteLength ?? 0), 0) +
    texts.reduce((sum, text) => sum + 2 * text.length, 0)
  );
}
