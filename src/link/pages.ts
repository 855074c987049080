/**
 * What each page lets a person choose besides the run itself (bins, axes, objectives, ...): one object of
 * settings a page, from which the pages, the address and `npm run experiment` read.
 *
 * To make a page's choice part of links: declare it in its page's entry here; in the page, replace
 * `useState(...)` by `usePageSetting('PAGE', 'NAME')` (`app/state/address-react.ts`). Every page of the manifest
 * has an entry, without settings where it has nothing to choose. A name must differ from every setting of a run.
 * What the experiment itself is asked with goes through `experiments.ts`.
 */
import * as v from 'valibot';
import type { PageId } from '../experiments/manifest';
import { clippingSettingsSchema } from '../experiments/clipping/settings';
import { equivalenceSettingsSchema, HISTOGRAM_BINS } from '../experiments/equivalence/settings';
import { gradientSettingsSchema } from '../experiments/gradient/settings';
import { objectivesSettingsSchema, whatIfSchema } from '../experiments/objectives/settings';
import { clipBand } from '../experiments/precision/settings';
import { correctionSchema, curveSettingsSchema, LENGTH_BINS } from '../experiments/shared/settings';
import { ADVANTAGE_RULES } from '../math/objectives/advantages';
import { CLIPPED_IDS, OBJECTIVE_IDS } from '../math/objectives/registry';
import { backend, seed } from '../settings/run';
import {
  choice,
  defaultsOf,
  flag,
  name,
  offered,
  real,
  settingsOf,
  text,
  type Setting,
  whole,
} from '../settings/setting';
import { FIRST_LOOK, trainingSchema } from '../settings/training';
import { raceResult } from './race-result';

export {
  ADVANTAGE_RULES,
  ADVANTAGE_TITLES,
  VARIANT_ADVANTAGE_TITLES,
} from '../math/objectives/advantages';
export {
  BYPASS_IDS,
  SIDE_ADVANTAGES,
  SIDE_IDS,
  type SideId,
} from '../experiments/objectives/settings';
export { FIRST_PAGE, isPageId, PAGE_IDS, type PageId } from '../experiments/manifest';
/** names and recommended bounds of what `correction` can be */
export { CORRECTION_IDS, CORRECTIONS } from '../math/diagnostics/corrections';

const AXES = ['log', 'linear'] as const;
export { HISTOGRAM_BINS, LENGTH_BINS };
export type LengthBins = (typeof LENGTH_BINS)[number];
const CURVES = ['natural', 'prefix'] as const;

const axes = (label: string, usual: (typeof AXES)[number] = 'log') =>
  choice(AXES, usual, { label });
const curve = choice(CURVES, 'prefix', { label: 'Lengths' });
const bins = offered(curveSettingsSchema.entries.bins, LENGTH_BINS);

/** Choice of a mismatch correction and its bounds. */
const CORRECTION = {
  correction: correctionSchema.entries.id,
  corrLow: correctionSchema.entries.low,
  corrHigh: correctionSchema.entries.high,
} as const;

export const PAGE_SETTINGS = {
  equivalence: v.strictObject({
    bins: offered(equivalenceSettingsSchema.entries.bins, HISTOGRAM_BINS),
  }),
  entropy: v.strictObject({ bins }),
  variance: v.strictObject({
    bins,
    axes: axes('Axes'),
    curve: choice(['both', ...CURVES], 'both', { label: 'Lengths' }),
    unnormalisedAxes: axes('Axes of the unnormalised weight'),
    tokenAxes: axes('Axes of the token', 'linear'),
  }),
  dependence: v.strictObject({
    axes: axes('Axes'),
    curve: choice(CURVES, 'natural', { label: 'Lengths' }),
  }),
  weights: v.strictObject({ bins, curve }),
  length: v.strictObject({ bins, curve }),
  clipping: v.strictObject({
    objectives: clippingSettingsSchema.entries.objectives,
    library: clippingSettingsSchema.entries.library,
    show: choice(['clipped', 'kept'], 'clipped', { label: 'Show' }),
    z: clippingSettingsSchema.entries.z,
    map: choice(CLIPPED_IDS, 'gspo', { label: 'Map of' }),
    lowAxis: axes('Axis of ε low', 'linear'),
    highAxis: axes('Axis of ε high', 'linear'),
    ...CORRECTION,
  }),
  gradient: v.strictObject({
    objectives: gradientSettingsSchema.entries.objectives,
    library: gradientSettingsSchema.entries.library,
    responses: choice(OBJECTIVE_IDS, 'gspo', { label: 'Mass per response of' }),
    against: choice(['length', 'advantage', 'entropy'], 'length', { label: 'Against' }),
    ...CORRECTION,
  }),
  precision: v.strictObject({
    band: clipBand,
  }),
  objectives: v.strictObject({
    epsLow: objectivesSettingsSchema.entries.low,
    epsHigh: objectivesSettingsSchema.entries.high,
    ...whatIfSchema.entries,
    ...CORRECTION,
  }),
  experts: v.strictObject({ bins }),
  mismatch: v.strictObject({ bins, curve }),
  numerics: v.strictObject({ bins, curve }),
  train: v.strictObject({ ...trainingSchema.entries, found: raceResult }),
  stability: v.strictObject({
    studySeeds: whole(2, 8, 2, { label: 'Seeds' }),
    studySteps: whole(8, 60, 16, { label: 'Steps', hint: 'of every run' }),
    studyRate: real(1e-5, 1e-2, 4e-4, { label: 'Learning rate' }),
  }),
  data: v.strictObject({
    onBad: choice(['stop', 'skip'], 'stop', { label: 'A response that cannot be used' }),
    rule: choice(ADVANTAGE_RULES, 'trl', { label: 'Advantages from rewards' }),
    recompute: flag(false, { label: 'Recompute advantages that a file has' }),
    epsLow: objectivesSettingsSchema.entries.low,
    epsHigh: objectivesSettingsSchema.entries.high,
  }),
  reproduce: v.strictObject({
    quick: flag(true, { label: 'Quick' }),
    pair: name('other', 'all', { label: 'Pair', hint: 'id of the one pair, or all' }, 128),
    /** a reproduction has a backend and a seed of its own */
    on: backend(),
    ledgerSeed: seed(),
  }),
  start: v.strictObject({}),
  lessons: v.strictObject({
    show: choice(['lessons', 'notes', 'worksheet'], 'lessons', { label: 'Show' }),
    /** a teacher's own, as `lesson-link.ts` packs it */
    lesson: text(
      v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{0,30000}$/)),
      {
        may: 'a lesson as “Link of this lesson” writes it',
        parse: (said) => said,
        write: (packed) => packed,
      },
      '',
      { label: 'Lesson' },
    ),
  }),
  class: v.strictObject({}),
  device: v.strictObject({}),
  glossary: v.strictObject({}),
} as const satisfies Record<PageId, unknown>;

/** The choices of one page, by name. */
export type PageSettings<P extends PageId> = v.InferOutput<(typeof PAGE_SETTINGS)[P]>;
/** Values by name, where the page is known at run time only; always what the page's schema passed. */
export type AnyPageSettings = Readonly<Record<string, unknown>>;

/** A race has prompts, a seed, ... like a run, and its links hold both. */
const PREFIX: Partial<Record<PageId, string>> = { train: 'race.' };

/** Settings of a page, by key; nothing inherited is ever found in it. */
export function pageSettings(page: PageId): ReadonlyMap<string, Setting> {
  return settingsOf(PAGE_SETTINGS[page], PREFIX[page]);
}

/** What a page shows where nothing is said of it: no part of a link, so that it may change from day to day. */
export function pageStart(page: PageId): AnyPageSettings {
  return page === 'train' ? { ...pageDefaults(page), ...FIRST_LOOK } : pageDefaults(page);
}

/** What a link of today leaves unsaid. */
export function pageDefaults<P extends PageId>(page: P): PageSettings<P> {
  return defaultsOf<(typeof PAGE_SETTINGS)[PageId]>(PAGE_SETTINGS[page]);
}
