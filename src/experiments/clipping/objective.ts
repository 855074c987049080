/**
 * What the clip maps need to know of an objective: which ratio its band is held against, what its library
 * counts, its published epsilons. Contract: all of it follows from the registry's entry.
 */
import {
  kindOf,
  objective,
  settingsIn,
  type ClippedId,
  type ObjectiveSettings,
} from '../../math/objectives/registry';
import type { ClipRange, Library } from '../../math/objectives/types';

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
