/**
 * The component of every page of the manifest (`src/experiments/manifest`), loaded when it is shown: a page
 * that is missing or misnamed does not compile. A page's folder is `app/experiments/NAME/`; its `index.tsx`
 * exports the component by default, which gets its numbers from `useExperiment('NAME', settings)` and lays
 * itself out with `ExperimentPage`. Only the shell imports this file.
 */
import { lazy, type ComponentType, type LazyExoticComponent } from 'react';
import type { PageId } from '../../src/experiments/manifest';

export const PAGE_COMPONENTS: Record<PageId, LazyExoticComponent<ComponentType>> = {
  equivalence: lazy(() => import('./equivalence')),
  variance: lazy(() => import('./variance')),
  dependence: lazy(() => import('./dependence')),
  weights: lazy(() => import('./weights')),
  length: lazy(() => import('./length')),
  clipping: lazy(() => import('./clipping')),
  gradient: lazy(() => import('./gradient')),
  precision: lazy(() => import('./precision')),
  objectives: lazy(() => import('./objectives')),
  mismatch: lazy(() => import('./mismatch')),
  train: lazy(() => import('./train')),
  data: lazy(() => import('./data')),
  reproduce: lazy(() => import('./reproduce')),
};
