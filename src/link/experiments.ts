/**
 * What each page asks its experiment with, given what was chosen on the page: the one place that the
 * page, the fingerprint and `npm run experiment` share, so that all three measure the same thing.
 * Contract: the schemas in `src/experiments` accept the result for every setting that a page may have.
 */
import type { CorrectionId } from '../math/diagnostics/corrections';
import { isExperimentId, type ExperimentId } from '../experiments/manifest';
import { CLIPPING_DEFAULTS } from '../experiments/clipping/settings';
import { DEPENDENCE_DEFAULTS } from '../experiments/dependence/settings';
import { EQUIVALENCE_DEFAULTS } from '../experiments/equivalence/settings';
import { GRADIENT_DEFAULTS } from '../experiments/gradient/settings';
import { CLIP_BANDS, PRECISION_DEFAULTS } from '../experiments/precision/settings';
import { CURVE_DEFAULTS } from '../experiments/shared/settings';
import type { PageId, PageSettings } from './pages';

const curve = ({ bins }: { bins: number }) => ({ ...CURVE_DEFAULTS, bins });

/** @param chosen the correction's part of a page's settings */
const corrected = (chosen: {
  correction: CorrectionId;
  corrLow: number | null;
  corrHigh: number | null;
}) => ({ id: chosen.correction, low: chosen.corrLow, high: chosen.corrHigh });

export { CLIP_BANDS };

export const EXPERIMENT_SETTINGS = {
  equivalence: ({ bins }: PageSettings<'equivalence'>) => ({ ...EQUIVALENCE_DEFAULTS, bins }),
  entropy: curve,
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
  }),
  precision: ({ band }: PageSettings<'precision'>) => ({
    ...PRECISION_DEFAULTS,
    low: CLIP_BANDS[band].low,
    high: CLIP_BANDS[band].high,
  }),
  /** @param length Dr.GRPO's constant, where a file has one */
  objectives: (
    {
      epsLow,
      epsHigh,
      asIs,
      asIf,
      topEntropy,
      beta,
      corrected: times,
      advantages,
      bypass,
      ...chosen
    }: PageSettings<'objectives'>,
    length: number | null = null,
  ) => ({
    low: epsLow,
    high: epsHigh,
    length,
    correction: corrected(chosen),
    whatIf: { asIs, asIf, topEntropy, beta, corrected: times, advantages, bypass },
  }),
  experts: curve,
  mismatch: curve,
  numerics: curve,
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
