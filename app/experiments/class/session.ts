/** What was handed in, kept while the tab is open, whichever page is in view. */
import { createStore } from 'zustand/vanilla';
import type { Handed } from '../../../src/class/gather';

/** More than a school has; each is a few kB. */
export const MOST_FILES = 500;

export const handedIn = createStore<{ handed: readonly Handed[] }>(() => ({ handed: [] }));

/** The same text twice at once, as a camera reads it, is one. */
export function handIn(more: readonly Handed[]): void {
  handedIn.setState(({ handed }) => ({ handed: [...handed, ...more].slice(0, MOST_FILES) }));
}

export const handInScanned = (text: string): boolean => {
  if (handedIn.getState().handed.some((one) => one.text === text)) return false;
  handIn([{ name: 'a scanned code', text }]);
  return true;
};

export const clearHandedIn = (): void => handedIn.setState({ handed: [] });
