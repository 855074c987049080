/** The example file that the lab ships: synthetic, and stamped as such in every line. */
import { message } from '../../src/message';
const EXAMPLE = 'example/rollouts.jsonl';

/** @throws Error with a sentence for a person */
export async function fetchExample(): Promise<Blob> {
  try {
    const response = await fetch(new URL(EXAMPLE, document.baseURI));
    if (!response.ok) throw new Error(`the site answered ${response.status}`);
    return await response.blob();
  } catch (error) {
    const why = message(error);
    throw new Error(`The example could not be fetched: ${why}. Try again when you are online.`, {
      cause: error,
    });
  }
}
