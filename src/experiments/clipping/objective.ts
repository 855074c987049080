/**
 * What the clip maps need to know of an objective: which ratio its band is held against, what its library
 * counts, its published epsilons. Contract: all of it follows from the registry's entry.
 */
import { objective, type ClippedId } from '../../math/objectives/registry';
import type { ObjectiveSettings, Surrogate } from '../../math/objectives/types';

/** Which ratio is compared with the band: r, log r, s, rho. */
export type RatioClipLevel = 'token' | 'token-log' | 'sequence' | 'sequence-sum';
/** `divergence`: not a ratio, but how far the token's probability moved (DPPO) */
export type ClipLevel = RatioClipLevel | 'divergence';

export interface Band {
  low: number;
  high: number;
}

/** What a map needs to know of an objective. */
export interface ClippedObjective {
  settings: ObjectiveSettings;
  level: ClipLevel;
  /** what its library counts as clipped */
  unit: 'tokens' | 'sequences';
  /** published epsilons; GMPO's are of log r, CISPO's is the largest weight minus 1, without a lower edge */
  band: { low: number | null; high: number };
  /** ratios above it get no gradient whatever epsilon is (TRL's delta), or only where A < 0 (dual clip) */
  ceiling: { ratio: number; negativeOnly: boolean } | null;
}

/** From the registry: TRL's entry, or verl's where TRL has no such objective. */
export function clippedObjective(id: ClippedId): ClippedObjective {
  const { trl, verl } = objective(id);
  const settings = trl ?? verl;
  if (!settings) throw new RangeError(`Objective "${id}" has settings in neither library.`);
  return { settings, ...clipOf(settings.surrogate) };
}

function clipOf(s: Surrogate): Omit<ClippedObjective, 'settings'> {
  switch (s.kind) {
    case 'clip': {
      const { low, high, dual, delta } = s;
      return {
        level: s.level === 'sequence-token' ? 'sequence' : s.level,
        unit: s.level === 'sequence' || s.level === 'sequence-sum' ? 'sequences' : 'tokens',
        band: { low, high },
        ceiling:
          delta !== undefined
            ? { ratio: delta, negativeOnly: false }
            : dual !== undefined
              ? { ratio: dual, negativeOnly: true }
              : null,
      };
    }
    case 'gmpo':
      return {
        level: 'token-log',
        unit: 'tokens',
        band: { low: s.low, high: s.high },
        ceiling: null,
      };
    case 'cispo':
      return {
        level: 'token',
        unit: 'tokens',
        band: { low: null, high: s.max - 1 },
        ceiling: null,
      };
    case 'dppo':
      return {
        level: 'divergence',
        unit: 'tokens',
        band: { low: s.low, high: s.high },
        ceiling: null,
      };
    case 'reinforce':
    case 'sapo':
    case 'vespo':
    case 'dro':
      throw new RangeError(`Objectives of kind "${s.kind}" have no clip range.`);
  }
}
