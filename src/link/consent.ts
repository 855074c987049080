/**
 * What a link may not do unasked. It never loads anything that is not shipped with the site: it can only
 * name policies, and the engine knows no other address than the site's own. What is left is size.
 */
import { runSize, type RunSettings } from './settings';

/** Eight times the default run: minutes on a laptop without a GPU. */
export const UNASKED_RESPONSES = 4096;
/** About 150 MB of columns. */
export const UNASKED_TOKENS = 5_000_000;

const count = (n: number) => n.toLocaleString('en-US');

/** A sentence that a person has to agree to before a link's run starts; null where none is needed. */
export function consentFor(run: RunSettings): string | null {
  const { responses, tokens } = runSize(run);
  if (run.source.kind === 'policies') {
    if (responses <= UNASKED_RESPONSES) return null;
    return `This link asks a policy for ${count(responses)} responses, which can take long without a GPU.`;
  }
  if (tokens <= UNASKED_TOKENS) return null;
  const megabytes = Math.round((tokens * 30) / 1e6);
  return (
    `This link asks for ${count(responses)} synthetic responses, up to ${count(tokens)} tokens and ` +
    `${count(megabytes)} MB of memory.`
  );
}
