/**
 * What the clip maps need to know of an objective: which ratio its band is held against, what its library
 * counts, its library's epsilons. Contract: all of it follows from the registry's entry.
 */
import {
  type ClippedId,
  kindOf,
  objective,
  type ObjectiveSettings,
  settingsIn,
} from '../../math/objectives/registry';
import type { Band, ClipRange, Library } from '../../math/objectives/types';

export type { Band } from '../../math/objectives/types';

/** Which ratio is compared with the band: r, log r, s, rho. */
export type RatioClipLevel = Exclude<ClipRange['level'], 'divergence'>;

/** What a map needs to know of an objective. */
export interface ClippedObjective extends ClipRange {
  settings: ObjectiveSettings;
}

/** From the registry: the library's entry, or the other's where it has no such objective. */
export function clippedObjective(id: ClippedId, library: Library = 'trl'): ClippedObjective {
  const settings = settingsIn(objective(id), library);
  const range = kindOf(settings.surrogate).range?.(settings.surrogate);
  if (!range) throw new RangeError(`Objective "${id}" has no clip range.`);
  return { settings, ...range };
}

/** Logarithms of the band's edges at this level; -Infinity below a ratio of 0. */
export function edges(level: RatioClipLevel, { low, high }: Band): [number, number] {
  if (level === 'token-log') return [-low, high];
  return [low < 1 ? Math.log1p(-low) : -Infinity, Math.log1p(high)];
}

/** z sigma / sqrt(L) on either side */
export function adaptiveBand({ sigma }: { sigma: number }, z: number, length: number): Band {
  const epsilon = (z * sigma) / Math.sqrt(length);
  return { low: epsilon, high: epsilon };
}

/** As published: GSPO's paper (arXiv:2507.18071), section 5.1. */
export const PAPER_BANDS = {
  gspo: { low: 3e-4, high: 4e-4 },
  grpo: { low: 0.2, high: 0.27 },
} as const satisfies Record<string, Band>;

/** Both ends of a band times a factor. */
export const scaledBand = ({ low, high }: Band, by: number): Band => ({
  low: low * by,
  high: high * by,
});
