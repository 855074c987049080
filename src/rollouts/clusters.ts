/**
 * Clusters of a bootstrap: which responses answer the same prompt. Groups and clusters are two things. A
 * group is one draw of a prompt, over which advantages are computed; the same text may be drawn again
 * (short prompts are few: 15 of one operator are held out), and its responses then share whatever the
 * prompt does to them. Groups of equal text are therefore one cluster.
 *
 * Contract: a pure function of `group` and `prompts`, remembered per Rollouts, which never change. A
 * prompt without text is unlike any other.
 */
import type { Rollouts } from './rollouts';

export interface PromptClusters {
  /** [n] cluster of each response, from 0 */
  cluster: Uint32Array;
  /** how many: distinct prompts, with or without responses */
  clusters: number;
}

const known = new WeakMap<Rollouts, PromptClusters>();

export function promptClusters(rollouts: Rollouts): PromptClusters {
  let found = known.get(rollouts);
  if (!found) known.set(rollouts, (found = derive(rollouts)));
  return found;
}

function derive({ group, prompts }: Rollouts): PromptClusters {
  const ofText = new Map<string, number>();
  let clusters = 0;
  const ofGroup = Uint32Array.from(prompts, (text) => {
    const seen = text === '' ? undefined : ofText.get(text);
    if (seen !== undefined) return seen;
    ofText.set(text, clusters);
    return clusters++;
  });
  return { cluster: group.map((g) => ofGroup[g]), clusters };
}
