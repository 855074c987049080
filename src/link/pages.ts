/**
 * What each page lets a person choose besides the run itself (bins, axes, objectives, ...): one table,
 * from which the pages, the address and `npm run experiment` read.
 *
 * To make a page's choice part of links: add a field to its entry here and, with the same default
 * written out, to the newest table in `versions.ts`; in the page, replace `useState(...)` by
 * `usePageSetting('PAGE', 'NAME')` (`app/state/address.ts`). A page of the manifest has an
 * entry, `{}` where it has nothing to choose. A name must differ from every setting of a run. What the experiment itself is
 * asked with goes through `experiments.ts`.
 */
import { choice, flag, name, realOrNone, subset, whole, real, type Field } from './fields';
import type { PageId } from '../experiments/manifest';
import { CORRECTION_IDS } from '../math/diagnostics/corrections';
import { CLIPPED_IDS, OBJECTIVE_IDS } from '../math/objectives/registry';
import { RACE_FIELDS } from './race';
import { BACKENDS } from './settings';

export { isPageId, PAGE_IDS, type PageId } from '../experiments/manifest';
/** names and recommended bounds of what `correction` can be */
export { CORRECTION_IDS, CORRECTIONS } from '../math/diagnostics/corrections';

const AXES = ['log', 'linear'] as const;
/** bins of natural length */
export const LENGTH_BINS = [6, 10, 16] as const;
export type LengthBins = (typeof LENGTH_BINS)[number];
export const HISTOGRAM_BINS = [24, 48, 96] as const;
const CURVES = ['natural', 'prefix'] as const;
export const CLIPPED_OBJECTIVES = CLIPPED_IDS;
export const GRADIENT_OBJECTIVES = OBJECTIVE_IDS;

/** Choice of a mismatch correction and its bounds (none = the recommended ones). */
const CORRECTION = {
  correction: choice(CORRECTION_IDS, 'none'),
  corrLow: realOrNone(0, 1e6),
  corrHigh: realOrNone(0, 1e6),
} as const;

export const PAGE_SETTINGS = {
  equivalence: { bins: choice(HISTOGRAM_BINS, 48) },
  variance: {
    bins: choice(LENGTH_BINS, 10),
    axes: choice(AXES, 'log'),
    curve: choice(['both', ...CURVES], 'both'),
    /** of the unnormalised weight and of the token */
    unnormalisedAxes: choice(AXES, 'log'),
    tokenAxes: choice(AXES, 'linear'),
  },
  dependence: { axes: choice(AXES, 'log'), curve: choice(CURVES, 'natural') },
  weights: { bins: choice(LENGTH_BINS, 10), curve: choice(CURVES, 'prefix') },
  length: { bins: choice(LENGTH_BINS, 10), curve: choice(CURVES, 'prefix') },
  clipping: {
    objectives: subset(CLIPPED_OBJECTIVES, ['gspo', 'grpo']),
    show: choice(['clipped', 'kept'], 'clipped'),
    /** of the adaptive band z sigma / sqrt(L) */
    z: real(0.01, 10, 1.96),
    /** whose map is shown */
    map: choice(CLIPPED_OBJECTIVES, 'gspo'),
    lowAxis: choice(AXES, 'linear'),
    highAxis: choice(AXES, 'linear'),
    ...CORRECTION,
  },
  gradient: {
    objectives: subset(GRADIENT_OBJECTIVES, ['gspo', 'grpo', 'dapo', 'rloo']),
    library: choice(['trl', 'verl'], 'trl'),
    /** whose mass per response is shown, and against what */
    responses: choice(GRADIENT_OBJECTIVES, 'gspo'),
    against: choice(['length', 'advantage', 'entropy'], 'length'),
    ...CORRECTION,
  },
  precision: { band: choice(['gspo', 'luspo', 'grpo'], 'gspo') },
  objectives: { epsLow: realOrNone(0, 100), epsHigh: realOrNone(0, 100), ...CORRECTION },
  mismatch: { bins: choice(LENGTH_BINS, 10), curve: choice(CURVES, 'prefix') },
  train: RACE_FIELDS,
  data: {
    onBad: choice(['stop', 'skip'], 'stop'),
    rule: choice(['trl', 'verl', 'dr_grpo', 'rloo'], 'trl'),
    recompute: flag(false),
  },
  reproduce: {
    quick: flag(true),
    /** id of the one pair to reproduce, or all of them */
    pair: name('all'),
    /** a reproduction has a backend and a seed of its own */
    on: choice(BACKENDS, 'auto'),
    ledgerSeed: whole(0, 2 ** 32 - 1, 1),
  },
} as const satisfies Record<PageId, Record<string, Field<unknown>>>;

type ValueOf<F> = F extends Field<infer T> ? T : never;
/** The choices of one page, by name. */
export type PageSettings<P extends PageId> = {
  [K in keyof (typeof PAGE_SETTINGS)[P]]: ValueOf<(typeof PAGE_SETTINGS)[P][K]>;
};
/** Values by name, where the page is known at run time only; always what the page's fields passed. */
export type AnyPageSettings = Readonly<Record<string, unknown>>;

/** Fields of a page by name; nothing inherited is ever found in it. */
export function fieldsOf(page: PageId): ReadonlyMap<string, Field<unknown>> {
  return new Map(Object.entries(PAGE_SETTINGS[page] as Record<string, Field<unknown>>));
}

export function pageDefaults<P extends PageId>(page: P): PageSettings<P> {
  const entries = [...fieldsOf(page)].map(([name, { fallback }]) => [name, fallback]);
  return Object.fromEntries(entries) as PageSettings<P>;
}
