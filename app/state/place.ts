/**
 * The browser's address bar. Contract: entries that we wrote are marked, so that going back to one is
 * told from an address that a person typed.
 */
import type { Place } from './address';

const OURS = { lab: true } as const;

const isOurs = (state: unknown): boolean =>
  typeof state === 'object' && state !== null && 'lab' in state;

export const browserPlace: Place = {
  read: () => location.hash,
  push: (hash) => history.pushState(OURS, '', hash),
  replace: (hash) => history.replaceState(OURS, '', hash),
  beforeActs: (heard) => {
    for (const act of ['pointerdown', 'pointerup', 'click']) addEventListener(act, heard, true);
  },
  listen: (heard) =>
    addEventListener('hashchange', () => heard(isOurs(history.state) ? 'travelled' : 'typed')),
};
