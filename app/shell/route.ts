/** The experiment in view, as `#/NAME`. An address that is none of ours shows the first page. */
import { useSyncExternalStore } from 'react';
import { EXPERIMENT_PAGES, type ExperimentPageEntry } from '../experiments/registry';

function subscribe(changed: () => void): () => void {
  addEventListener('hashchange', changed);
  return () => removeEventListener('hashchange', changed);
}

export function pageOf(hash: string): ExperimentPageEntry {
  const id = /^#\/([a-z-]+)/.exec(hash)?.[1];
  return EXPERIMENT_PAGES.find((page) => page.id === id) ?? EXPERIMENT_PAGES[0];
}

export function useRoute(): ExperimentPageEntry {
  return pageOf(useSyncExternalStore(subscribe, () => location.hash));
}
