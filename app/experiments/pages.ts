/**
 * The component of every page of the manifest (`src/experiments/manifest`), loaded when it is shown: a page
 * that is missing or misnamed does not compile. A page's folder is `app/experiments/NAME/`; its `index.tsx`
 * exports the component by default, which gets its numbers from `useExperiment('NAME', settings)` and lays
 * itself out with `ExperimentPage`. Only the shell imports this file.
 */
import { lazy, type ComponentType, type LazyExoticComponent } from 'react';
import type { PageId } from '../../src/experiments/manifest';

const PAGES: Record<PageId, () => Promise<{ default: ComponentType }>> = {
  equivalence: () => import('./equivalence'),
  entropy: () => import('./entropy'),
  variance: () => import('./variance'),
  dependence: () => import('./dependence'),
  weights: () => import('./weights'),
  length: () => import('./length'),
  clipping: () => import('./clipping'),
  gradient: () => import('./gradient'),
  precision: () => import('./precision'),
  objectives: () => import('./objectives'),
  experts: () => import('./experts'),
  mismatch: () => import('./mismatch'),
  numerics: () => import('./numerics'),
  train: () => import('./train'),
  stability: () => import('./stability'),
  data: () => import('./data'),
  reproduce: () => import('./reproduce'),
  start: () => import('./start'),
  lessons: () => import('./lessons'),
  class: () => import('./class'),
  device: () => import('./device'),
  glossary: () => import('./glossary'),
};

export const PAGE_COMPONENTS = Object.fromEntries(
  Object.entries(PAGES).map(([id, load]) => [id, lazy(load)]),
) as Record<PageId, LazyExoticComponent<ComponentType>>;

/** Before another attempt: a lazy component that failed to load stays failed. */
export function forgetFailedPage(id: PageId): void {
  PAGE_COMPONENTS[id] = lazy(PAGES[id]);
}
