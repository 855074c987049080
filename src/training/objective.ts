/** From a racer's settings to an objective of `src/math/objectives`, in a library's convention. */
import type { RacerSettings } from '../link/training';
import type { AdvantageRule } from '../math/objectives/advantages';
import { recommended } from '../math/objectives/registry';
import type { Library, ObjectiveSettings } from '../math/objectives/types';

/** @returns null where the library has no such objective */
export function racerObjective(racer: RacerSettings, library: Library): ObjectiveSettings | null {
  const { objective, epsilonLow: low, epsilonHigh: high } = racer;
  const settings = recommended(objective, library, { low, high });
  if (settings === null) return null;
  const { surrogate } = settings;
  switch (surrogate.kind) {
    case 'cispo':
      // Bounds are ratios; a lower one at or below zero never binds.
      return {
        ...settings,
        surrogate: { kind: 'cispo', min: low < 1 ? 1 - low : null, max: 1 + high },
      };
    case 'gmpo':
      return { ...settings, surrogate: { kind: 'gmpo', low, high } };
    default:
      return settings;
  }
}

/** What is trained: TRL's convention where TRL has the objective, else verl's. */
export function trainedObjective(racer: RacerSettings): ObjectiveSettings {
  const settings = racerObjective(racer, 'trl') ?? racerObjective(racer, 'verl');
  if (settings === null) throw new Error(`No library has the objective "${racer.objective}".`);
  return settings;
}

/** Responses with advantage 0 still move the weights, or are counted as clipped. */
export function countsEveryone({ surrogate }: ObjectiveSettings): boolean {
  return surrogate.kind === 'dro' || surrogate.kind === 'cispo';
}

/** Dr.GRPO leaves the standard deviation out of the advantage; that is half of what it is. */
export function advantageRule(racer: RacerSettings): AdvantageRule {
  return racer.objective === 'dr_grpo' ? 'dr_grpo' : 'trl';
}
