/**
 * The experiment pages, in the order of the navigation.
 *
 * How to add one:
 * 1. Make a folder `app/experiments/NAME/` whose `index.tsx` exports a component by default. It gets
 *    its numbers from `useExperiment('NAME', settings)` (the experiment itself lives in
 *    `src/experiments/NAME.ts` and is listed in `src/engine/lab/protocol.ts`), lays itself out with
 *    `ExperimentPage` (question, figures, words), and draws with `app/charts`.
 * 2. Add one line below (`load` keeps the page out of the first download) and an entry in
 *    `src/link/pages.ts`, where its choices are listed that links carry.
 *
 * Nothing else changes: header, routing, setup, run bar and inspector serve every page.
 */
import type { PageId } from '../../src/link/pages';
import { lazy, type ComponentType, type LazyExoticComponent } from 'react';

export interface ExperimentPageEntry {
  /** the address: `#/NAME` */
  id: PageId;
  title: string;
  page: LazyExoticComponent<ComponentType>;
}

export const EXPERIMENT_PAGES: readonly [ExperimentPageEntry, ...ExperimentPageEntry[]] = [
  { id: 'equivalence', title: 'Equivalence', page: lazy(() => import('./equivalence')) },
  { id: 'variance', title: 'Variance', page: lazy(() => import('./variance')) },
  { id: 'dependence', title: 'Dependence', page: lazy(() => import('./dependence')) },
  { id: 'weights', title: 'Weights', page: lazy(() => import('./weights')) },
  { id: 'length', title: 'Length', page: lazy(() => import('./length')) },
  { id: 'clipping', title: 'Clipping', page: lazy(() => import('./clipping')) },
  { id: 'gradient', title: 'Gradient', page: lazy(() => import('./gradient')) },
  { id: 'precision', title: 'Precision', page: lazy(() => import('./precision')) },
  { id: 'objectives', title: 'Objectives', page: lazy(() => import('./objectives')) },
  { id: 'mismatch', title: 'Mismatch', page: lazy(() => import('./mismatch')) },
  { id: 'train', title: 'Train', page: lazy(() => import('./train')) },
  { id: 'data', title: 'Data', page: lazy(() => import('./data')) },
  { id: 'reproduce', title: 'Reproduce', page: lazy(() => import('./reproduce')) },
];
