/** From a racer's settings to an objective of `src/math/objectives`, in a library's convention. */
import type { RacerSettings } from '../settings/training';
import type { AdvantageRule } from '../math/objectives/advantages';
import {
  kindOf,
  objective,
  recommended,
  settingsIn,
  withBand,
  type ObjectiveSettings,
} from '../math/objectives/registry';
import type { Library } from '../math/objectives/types';

const bandOf = ({ epsilonLow, epsilonHigh }: RacerSettings) => ({
  low: epsilonLow,
  high: epsilonHigh,
});

/** @returns null where the library has no such objective */
export function racerObjective(racer: RacerSettings, library: Library): ObjectiveSettings | null {
  const settings = recommended(racer.objective, library);
  return settings && withBand(settings, bandOf(racer));
}

/** What is trained: TRL's convention where TRL has the objective, else verl's. */
export function trainedObjective(racer: RacerSettings): ObjectiveSettings {
  return withBand(settingsIn(objective(racer.objective)), bandOf(racer));
}

/** Responses with advantage 0 still move the weights, or are counted as clipped. */
export function countsEveryone({ surrogate }: ObjectiveSettings): boolean {
  return kindOf(surrogate).countsEveryone;
}

export function advantageRule(racer: RacerSettings): AdvantageRule {
  return objective(racer.objective).advantages ?? 'trl';
}
