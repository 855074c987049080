/** What IndexedDB's failures mean to a person. */
import { StoreFull, StoreUnavailable } from './kept-run';

function explain(error: unknown): Error {
  if (error instanceof StoreFull || error instanceof StoreUnavailable) return error;
  const name = error instanceof Error ? error.name : '';
  const message = error instanceof Error ? error.message : String(error);
  return name === 'QuotaExceededError'
    ? new StoreFull('The browser gives this site no more room.', { cause: error })
    : new StoreUnavailable(`This browser does not let the lab keep runs (${message}).`, {
        cause: error,
      });
}

/** @throws StoreFull, StoreUnavailable */
export async function safely<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw explain(error);
  }
}
