/** Where the numbers of a race come from, for the files that its figures become. Contract: pure. */
import { factsOf, raceHashes } from '../../../src/engine/stamp';
import type { Stamp } from '../../../src/export/stamp';
import type { PolicyManifest } from '../../../src/policy/manifest';
import { VERSION } from '../../version';
import { looksOf } from './names';
import type { PresentRace } from './session';

/**
 * @param race null: none was run, and only kept ones are shown
 * @param link address of the race; null where the page's settings are others by now
 */
export function stampOfRace(
  race: Pick<PresentRace, 'settings' | 'backend' | 'own'> | null,
  link: string | null,
  shipped: readonly PolicyManifest[],
): Stamp {
  const stamp = { app: VERSION, exportedAt: new Date().toISOString(), settings: null };
  if (race === null) {
    return { ...stamp, source: 'kept races', link: null, seed: null, policies: [], backend: null };
  }
  const { policy, start, seed, racers } = race.settings;
  const names = looksOf(racers).map(({ name }) => name);
  return {
    ...stamp,
    source: `race of ${names.join(', ')} from ${policy}, ${race.own?.name ?? start}`,
    link,
    seed,
    // A start that the person brought has no hash that others could know.
    policies: raceHashes({ policy, start: race.own === null ? start : '' }, shipped),
    backend: race.backend && factsOf(race.backend),
  };
}
