/**
 * Work that several callers wait for, such as loading a policy. Contract: whoever began it can cancel it; the others
 * then begin it anew and never fail for a cancellation that was not theirs.
 */
export interface SharedWork<T> {
  result: Promise<T>;
  /** of the caller that began it */
  signal: AbortSignal | undefined;
}

/**
 * @param signal of the caller that joins
 * @param again begins the work anew; it must no longer find what was cancelled
 */
export function join<T>(
  work: SharedWork<T>,
  signal: AbortSignal | undefined,
  again: () => Promise<T>,
): Promise<T> {
  return work.result.catch((error: unknown) => {
    if (work.signal?.aborted && !signal?.aborted) return again();
    throw error;
  });
}
