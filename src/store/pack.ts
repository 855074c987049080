/**
 * Rollouts as they are stored. Contract: the same values; arrays that are views of larger buffers or of
 * memory shared between threads become arrays of their own, because a structured clone of a view copies the
 * whole buffer and one of shared memory is refused.
 */
import { columnsOf, type Rollouts } from '../rollouts/rollouts';

type Column = ReturnType<typeof columnsOf>[number];

const isOwn = (array: Column) =>
  array.byteLength === array.buffer.byteLength && array.buffer instanceof ArrayBuffer;

export function compact(rollouts: Rollouts): Rollouts {
  const views = columnsOf(rollouts).filter((column) => !isOwn(column));
  const own = new Map<unknown, Column>(views.map((view) => [view, view.slice()]));
  const copied = <T extends object>(fields: T): T =>
    Object.fromEntries(
      Object.entries(fields).map(([name, value]) => [name, own.get(value) ?? value]),
    ) as T;
  const { tables } = rollouts;
  if (tables === undefined) return copied(rollouts);
  const entries = Object.entries(tables).map(([name, table]) => [name, copied(table)] as const);
  return { ...copied(rollouts), tables: Object.fromEntries(entries) };
}

/** Bytes of the arrays and texts; what the browser adds is its own. */
export function bytesOf(rollouts: Rollouts): number {
  const texts = [...rollouts.prompts, ...(rollouts.tokenTexts ?? [])];
  return (
    columnsOf(rollouts).reduce((sum, { byteLength }) => sum + byteLength, 0) +
    texts.reduce((sum, text) => sum + 2 * text.length, 0)
  );
}
