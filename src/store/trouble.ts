/** What IndexedDB's failures mean to a person. */
import { StoreFull, StoreSilent, StoreUnavailable } from './kept-run';
import { message } from '../message';

function explain(error: unknown): Error {
  if (error instanceof StoreFull || error instanceof StoreUnavailable) return error;
  const name = error instanceof Error ? error.name : '';
  return name === 'QuotaExceededError'
    ? new StoreFull('The browser’s storage for this site is full.', { cause: error })
    : new StoreUnavailable(`This browser does not let the lab keep runs (${message(error)}).`, {
        cause: error,
      });
}

/** ms */
const SLICE = 250;
const PATIENCE = 5000;

/**
 * The same promise, but not for ever: in a frame of a page without an origin Chromium's IndexedDB neither
 * opens nor fails. Time is counted in slices, so that a thread that was busy meanwhile is not taken for a
 * browser that says nothing.
 * @throws StoreSilent
 */
export async function answered<T>(answer: Promise<T>): Promise<T> {
  let settled = false;
  const settle = () => {
    settled = true;
  };
  const settling = answer.then(settle, settle);
  for (let waited = 0; waited < PATIENCE && !settled; waited += SLICE) {
    await Promise.race([settling, new Promise((resolve) => setTimeout(resolve, SLICE))]);
  }
  if (!settled) throw new StoreSilent('Its storage does not answer here.');
  return answer;
}

/** @throws StoreFull, StoreUnavailable */
export async function safely<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw explain(error);
  }
}
