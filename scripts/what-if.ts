/**
 * `npm run analyze -- FILE --what-if VARIANT --what-if VARIANT ...`: the same file under other objectives, bands or
 * corrections (`src/experiments/objectives/what-if.ts` says how a variant is written).
 */
import type { WhatIf } from '../src/experiments/objectives/what-if';

/** How many responses that change sides are named on the screen; the JSON has all. */
const NAMED = 12;

const percent = (share: number) => `${(100 * share).toPrecision(3)} %`;

export interface NamedResponses {
  group: ArrayLike<number>;
  groupIds: ArrayLike<string | number>;
  sample: ArrayLike<number>;
}

function named(indices: readonly number[], { group, groupIds, sample }: NamedResponses): string {
  if (indices.length === 0) return 'none';
  const first = indices.slice(0, NAMED).map((i) => {
    const id = groupIds[group[i]];
    return `${typeof id === 'string' && id.length > 24 ? `${id.slice(0, 24)}…` : id}#${sample[i]}`;
  });
  const rest = indices.length - first.length;
  return `${indices.length}: ${first.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}

export function whatIfLines(result: WhatIf, responses: NamedResponses): string[] {
  const { sides, changes, tokens, sequences } = result;
  const lines = ['', 'What if'];
  sides.forEach((side, k) => {
    lines.push(
      `  ${k === 0 ? 'first' : 'if   '} ${side.name}`,
      `         loss ${side.loss.toPrecision(8)}; gradient ${side.mass.toPrecision(5)}, shared by ` +
        `${percent(side.effectiveResponses)} of the responses, effectively`,
      `         clipped: ${side.clippedTokens} of ${tokens} tokens; without any gradient though A is not 0: ` +
        `${side.silentTokens} tokens, ${side.silentResponses} of ${sequences} responses` +
        (side.clipShare === null ? '' : `; as ${side.library} logs it ${percent(side.clipShare)}`),
    );
    const change = changes[k];
    if (k === 0 || change === undefined) return;
    lines.push(
      `         against the first: ${percent(change.moved)} of the gradient goes to other responses; cosine of ` +
        `the gradients over tokens ${change.cosine === null ? 'undefined' : change.cosine.toPrecision(4)}`,
      `         silenced ${named(change.silenced, responses)}`,
      `         woken ${named(change.woken, responses)}`,
    );
  });
  if (!result.corrected) {
    lines.push('  The file has no sampler log-probs: corrections change nothing.');
  }
  if (!result.entropies) lines.push('  The file has no entropies: top-entropy changes nothing.');
  if (result.lacking !== null) {
    lines.push(`  The file lacks ${result.lacking}: advantages are as they are.`);
  }
  if (!result.references) {
    lines.push('  The file has no log-probs of a reference policy: beta changes nothing.');
  }
  return lines;
}

/** The form of it in the JSON: documented in docs/export. */
export function whatIfJson({ sides, changes, corrected, entropies, references, lacking }: WhatIf) {
  return {
    corrected,
    entropies,
    references,
    lacking,
    variants: sides.map((side, k) => ({
      name: side.name,
      loss: side.loss,
      gradient_mass: side.mass,
      clipped_tokens: side.clippedTokens,
      silent_tokens: side.silentTokens,
      silent_responses: side.silentResponses,
      clip_share: side.clipShare,
      effective_responses: side.effectiveResponses,
      share: Array.from(side.share),
      silenced: changes[k]?.silenced ?? [],
      woken: changes[k]?.woken ?? [],
      moved: changes[k]?.moved ?? 0,
      cosine: changes[k]?.cosine ?? null,
    })),
  };
}
