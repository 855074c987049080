/**
 * The fingerprint of a run that is in the engine: `src/link/fingerprint.ts` over its rollouts, with the
 * figures of one experiment. Contract: the same run gives the same fingerprint, whichever page asks.
 *
 * Tolerances. A GPU adds in another order than a CPU, and both round: token log-probs differ by up to
 * 2e-6 nats (measured, V up to 151,936), so figures of the same tokens differ too, but by far less than
 * they are uncertain. A figure is called the same within a twentieth of the half-width of its 95 %
 * interval, or within a thousandth of itself, whichever is more; deviations from float64 within 1e-6.
 */
import { claimsWord } from '../../experiments/claims';
import type { Claim, ExperimentContext } from '../../experiments/experiment';
import type { ExperimentId } from '../../experiments/manifest';
import { runExperiment } from '../../experiments/registry';
import { logRatios, sequenceMeans } from '../../experiments/shared/input';
import {
  GENERAL,
  makeFingerprint,
  MAX_FIGURES,
  type Figure,
  type Fingerprint,
} from '../../link/fingerprint';
import type { RunSettings } from '../../settings/run';
import { mean, variance } from '../../math/summation';
import { findCheckpoint, findPolicy } from '../../policy/fetch';
import type { PolicyManifest } from '../../policy/manifest';
import type { Rollouts } from '../../rollouts/rollouts';

export const RELATIVE_TOLERANCE = 1e-3;
export const ROUNDING = 2e-6;
const SHARE_OF_INTERVAL = 1 / 20;
const FLOOR = 1e-6;

/** What a link holds, and what each of its figures is called. */
export interface RunFingerprint {
  fingerprint: Fingerprint;
  figures: Figure[];
}

function figure(id: string, label: string, value: number, floor: number): Figure {
  const tolerance = Math.max(floor, RELATIVE_TOLERANCE * Math.abs(value));
  return Number.isFinite(value)
    ? { id, label, value, tolerance }
    : { id, label, value: null, tolerance: 0 };
}

/** Below the prompts that an interval needs, nothing says how far rounding may carry a statistic. */
const SHARE_OF_VALUE = 1 / 20;

function figureOf({ id, claim, measured, interval, margin }: Claim): Figure {
  const value = measured ?? Number.NaN;
  const halfWidth = interval === null ? 0 : (interval[1] - interval[0]) / 2;
  // Identities have no margin: they are equal to rounding, however few responses there are.
  const unknown = interval === null && margin !== null;
  const allowed = unknown ? Math.abs(value) * SHARE_OF_VALUE : halfWidth * SHARE_OF_INTERVAL;
  return figure(id, claim, value, Math.max(FLOOR, Number.isFinite(allowed) ? allowed : 0));
}

/** What can be said of any run. */
function generalFigures(rollouts: Rollouts): Figure[] {
  const weights = sequenceMeans(logRatios(rollouts), rollouts.offsets);
  const { reward } = rollouts;
  const varies = variance(reward) > 0;
  return [
    figure(`${GENERAL}mean-log-weight`, 'mean of log s', mean(weights), ROUNDING),
    figure(
      `${GENERAL}sd-log-weight`,
      'standard deviation of log s',
      Math.sqrt(variance(weights)),
      ROUNDING,
    ),
    ...(varies ? [figure(`${GENERAL}mean-reward`, 'mean reward', mean(reward), FLOOR)] : []),
  ];
}

/** SHA-256 in hex, as manifests have them. */
export interface PolicyFiles {
  onnx: string;
  old: string;
  new: string;
  config: string;
  tokenizer: string;
}

/**
 * The files behind a run, as the manifest names them and loading has checked them; null where no policy
 * took part.
 */
export function policyFiles(
  { source }: RunSettings,
  policies: readonly PolicyManifest[],
): PolicyFiles | null {
  if (source.kind !== 'policies') return null;
  const manifest = findPolicy(policies, source.policy);
  return {
    onnx: manifest.onnx.sha256,
    old: findCheckpoint(manifest, source.old).sha256,
    new: findCheckpoint(manifest, source.new).sha256,
    config: manifest.config.sha256,
    tokenizer: manifest.tokenizer.sha256,
  };
}

/** @param experiment whose claims are the headline figures; null: only what can be said of any run */
export async function runFingerprint(
  rollouts: Rollouts,
  files: PolicyFiles | null,
  experiment: { id: ExperimentId; settings: unknown } | null,
  context: ExperimentContext,
): Promise<RunFingerprint> {
  const figures = generalFigures(rollouts);
  if (experiment !== null) {
    const { id, settings } = experiment;
    const { claims } = await runExperiment(id, rollouts, settings, context);
    figures.push(...claims.map(figureOf));
  }
  const kept = figures.slice(0, MAX_FIGURES);
  return { fingerprint: makeFingerprint(rollouts, files, kept, claimsWord()), figures: kept };
}
