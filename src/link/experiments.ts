/**
 * What each page asks its experiment with, given what was chosen on the page: the one place that the
 * page, the fingerprint and `npm run experiment` share, so that all three measure the same thing.
 * Contract: the schemas in `src/experiments` accept the result for every setting that a page may have.
 */
import type { CorrectionId } from '../math/diagnostics/corrections';
import { epsilonText, GRPO_BAND, GSPO_BAND, LUSPO_BAND } from '../math/objectives/registry';
import type { Band } from '../math/objectives/types';
import { isExperimentId, type ExperimentId } from '../experiments/manifest';
import { CLIPPING_DEFAULTS } from '../experiments/clipping/settings';
import { DEPENDENCE_DEFAULTS } from '../experiments/dependence/settings';
import { GRADIENT_DEFAULTS } from '../experiments/gradient/settings';
import { CURVE_DEFAULTS } from '../experiments/shared/settings';
import type { PageId, PageSettings } from './pages';

const curve = ({ bins }: { bins: number }) => ({ ...CURVE_DEFAULTS, bins });

/** @param chosen the correction's part of a page's settings */
const corrected = (chosen: {
  correction: CorrectionId;
  corrLow: number | null;
  corrHigh: number | null;
}) => ({ id: chosen.correction, low: chosen.corrLow, high: chosen.corrHigh });

const named = (band: Band) => ({
  name: `${epsilonText(band.low)} / ${epsilonText(band.high)}`,
  ...band,
});
export const CLIP_BANDS = {
  gspo: named(GSPO_BAND),
  luspo: named(LUSPO_BAND),
  grpo: named(GRPO_BAND),
} as const;

export const EXPERIMENT_SETTINGS = {
  equivalence: ({ bins }: PageSettings<'equivalence'>) => ({ bins: bins as number }),
  variance: curve,
  dependence: () => DEPENDENCE_DEFAULTS,
  weights: curve,
  length: curve,
  clipping: ({ objectives, library, z, ...chosen }: PageSettings<'clipping'>) => ({
    ...CLIPPING_DEFAULTS,
    objectives: [...objectives],
    correction: corrected(chosen),
    library,
    z,
  }),
  gradient: ({ objectives, library, ...chosen }: PageSettings<'gradient'>) => ({
    ...GRADIENT_DEFAULTS,
    objectives: [...objectives],
    correction: corrected(chosen),
    library,
    points: 1500,
  }),
  precision: ({ band }: PageSettings<'precision'>) => ({
    low: CLIP_BANDS[band].low,
    high: CLIP_BANDS[band].high,
    decimals: [2, 3, 4, 5, 6],
  }),
  /** @param length Dr.GRPO's constant, where a file has one */
  objectives: (
    { epsLow, epsHigh, asIs, asIf, ...chosen }: PageSettings<'objectives'>,
    length: number | null = null,
  ) => ({
    low: epsLow,
    high: epsHigh,
    length,
    correction: corrected(chosen),
    whatIf: { asIs, asIf },
  }),
  mismatch: curve,
} as const satisfies Record<ExperimentId, unknown>;

export type AnyExperimentSettings = ReturnType<(typeof EXPERIMENT_SETTINGS)[ExperimentId]>;

/** For a page known at run time only; null where it measures nothing of the run. */
export function experimentSettings(
  page: PageId,
  settings: Readonly<Record<string, unknown>>,
): { experiment: ExperimentId; settings: AnyExperimentSettings } | null {
  if (!isExperimentId(page)) return null;
  // The fields of `page` have passed `settings`, which TypeScript cannot follow by name.
  const make = EXPERIMENT_SETTINGS[page] as (chosen: never) => AnyExperimentSettings;
  return { experiment: page, settings: make(settings as never) };
}
