/**
 * The race behind the checkpoints that ship with the lab, shown until there is one of the person's own. Fetched once and
 * only where it is needed; contract: no race, never an error.
 */
import { useEffect, useState } from 'react';
import { fetchShippedRace, siteFiles, type ShippedRace } from '../../../src/engine/trainer/client';
import type { PolicyManifest } from '../../../src/policy/manifest';
import { useLabState } from '../../state/react';

let known: Promise<ShippedRace | null> | undefined;

function shipped(policies: readonly PolicyManifest[]): Promise<ShippedRace | null> {
  const own = policies.find(({ races = [] }) => races.length > 0);
  if (own === undefined) return Promise.resolve(null);
  known ??= fetchShippedRace(siteFiles(new URL('models/', document.baseURI).href), own);
  return known;
}

/** null: not here yet, not wanted, or there is none */
export function useRecordedRace(wanted: boolean): ShippedRace | null {
  const [race, setRace] = useState<ShippedRace | null>(null);
  const policies = useLabState(({ opening }) =>
    opening.status === 'open' ? opening.policies : null,
  );
  useEffect(() => {
    if (!wanted || policies === null) return;
    let here = true;
    void shipped(policies).then((found) => {
      if (here) setRace(found);
    });
    return () => {
      here = false;
    };
  }, [wanted, policies]);
  return wanted ? race : null;
}
