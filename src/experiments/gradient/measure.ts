/**
 * Gradient mass per objective (`mass.ts`), per response, and what the claims need: GSPO-token's gradient against
 * the derivative of GSPO's loss, GSPO's weight against exp(dH), and how the gradient of a response grows with
 * its length.
 */
import { sequenceMeans as plainMeans } from '../../math/diagnostics/divergence';
import { evaluateObjective } from '../../math/objectives/evaluate';
import {
  objective,
  settingsIn,
  type ObjectiveId,
  type ObjectiveSettings,
} from '../../math/objectives/registry';
import type { Library } from '../../math/objectives/types';
import { sequenceCount, tokenCount, type Rollouts } from '../../rollouts/rollouts';
import type { ExperimentContext } from '../experiment';
import { applyCorrection, NO_CORRECTION, type CorrectionReport } from '../shared/settings';
import { logRatios, responseLengths, sequenceMeans, stage } from '../shared/input';
import { logitNorms, measureObjective, thinned, type GradientMeasure } from './mass';
import type { GradientSettings } from './settings';

/** nats of log s; truncation is its square over 6 */
const DERIVATIVE_STEP = 1e-5;
/** bounded: each difference costs two passes over its response */
export const DERIVATIVE_RESPONSES = 32;
export const DERIVATIVE_TOKENS = 4;

export interface GradientPoint {
  sequence: number;
  length: number;
  advantage: number;
  /** H_theta - H_old of the response, nats per token: negative = less surprising now */
  crossEntropyChange: number;
  /** mean Shannon entropy under pi_old, nats; null where the source has none */
  entropy: number | null;
  /** GSPO's weight s = exp(H_old - H_theta) */
  weight: number;
  /** per objective, in the order of the result: sum_t |d loss / d log pi| of the response */
  mass: number[];
}

export interface ObjectiveGradient extends GradientMeasure {
  id: ObjectiveId;
  title: string;
  /** the other library's settings, where the chosen one has no such objective */
  library: Library;
}

/** GSPO-token's gradient against central differences of GSPO's loss. */
export interface DerivativeCheck {
  /** absolute deviation, and the largest derivative */
  largest: number;
  scale: number;
  /** tokens compared */
  n: number;
}

export interface MeasuredGradient {
  sequences: number;
  tokens: number;
  /** false = no collision probabilities in the source: norms below are null */
  logitSpace: boolean;
  objectives: ObjectiveGradient[];
  points: GradientPoint[];
  correction: CorrectionReport;
  derivative: DerivativeCheck;
  /** largest relative deviation of GSPO's weight from exp(H_old - H_theta), over n responses */
  informationGain: { deviation: number; n: number };
}

export async function measureGradient(
  rollouts: Rollouts,
  settings: GradientSettings,
  context: ExperimentContext,
): Promise<MeasuredGradient> {
  const norms = logitNorms(rollouts);
  const { weights, kept, ...correction } = applyCorrection(
    rollouts,
    settings.correction ?? NO_CORRECTION,
  );
  const measured: ObjectiveGradient[] = [];
  const masses: Float64Array[] = [];
  for (const id of settings.objectives) {
    const chosen = settingsOf(id, settings.library);
    const { measure, sequenceMass } = measureObjective(
      rollouts,
      chosen,
      norms,
      settings.bins,
      weights,
      kept,
    );
    measured.push({ id, title: objective(id).title, library: chosen.library, ...measure });
    masses.push(sequenceMass);
    await stage(context, (0.8 * measured.length) / settings.objectives.length);
  }
  return {
    sequences: sequenceCount(rollouts),
    tokens: tokenCount(rollouts),
    logitSpace: norms !== null,
    objectives: measured,
    points: pointsOf(rollouts, masses, settings.points, context.seed),
    correction,
    derivative: derivativeCheck(
      rollouts,
      evaluateObjective(rollouts, settingsOf('gspo_token', 'trl')).gradient,
      context.seed,
    ),
    informationGain: informationGain(rollouts),
  };
}

/** Settings in the library asked for, or else in the one that has the objective. */
function settingsOf(id: ObjectiveId, library: Library): ObjectiveSettings {
  return settingsIn(objective(id), library);
}

function pointsOf(
  rollouts: Rollouts,
  masses: readonly Float64Array[],
  limit: number,
  seed: number,
): GradientPoint[] {
  const means = sequenceMeans(logRatios(rollouts), rollouts.offsets);
  const lengths = responseLengths(rollouts);
  const entropy = rollouts.entropyOld ? plainMeans(rollouts.entropyOld, rollouts.offsets) : null;
  return thinned(means.length, limit, seed).map((i) => ({
    sequence: i,
    length: lengths[i],
    advantage: rollouts.advantage[i],
    crossEntropyChange: -means[i],
    entropy: entropy ? entropy[i] : null,
    weight: Math.exp(means[i]),
    mass: masses.map((mass) => mass[i]),
  }));
}

/** d/d b_t of GSPO's loss on response i alone, by central differences. */
function derivativeOfOne(rollouts: Rollouts, i: number, t: number): number {
  const [from, to] = [rollouts.offsets[i], rollouts.offsets[i + 1]];
  // The column may be float32, which has no room for the step.
  const logpNew = Float64Array.from(rollouts.logpNew.subarray(from, to));
  const batch = {
    offsets: Uint32Array.of(0, to - from),
    logpOld: rollouts.logpOld.subarray(from, to),
    logpNew,
    advantage: rollouts.advantage.subarray(i, i + 1),
  };
  const lossAt = (b: number) => {
    logpNew[t] = b;
    return evaluateObjective(batch, settingsOf('gspo', 'trl')).loss;
  };
  const step = DERIVATIVE_STEP * (to - from);
  const [up, down] = [logpNew[t] + step, logpNew[t] - step];
  return (lossAt(up) - lossAt(down)) / (up - down);
}

/**
 * GSPO's loss is a mean over responses, so the derivative with respect to b_t is that of its own response's
 * loss over n: central differences, the step such that log s moves by DERIVATIVE_STEP. The other side is
 * GSPO-token's own gradient, in which s is a constant and pi / sg[pi] is what is differentiated.
 *
 * @param tokenGradient [tokens] d loss / d b_t as GSPO-token gives it
 */
export function derivativeCheck(
  rollouts: Rollouts,
  tokenGradient: Float64Array,
  seed: number,
): DerivativeCheck {
  const { surrogate } = settingsOf('gspo', 'trl');
  if (surrogate.kind !== 'clip') throw new RangeError('GSPO clips a ratio.');
  const edges = [Math.log1p(-surrogate.low), Math.log1p(surrogate.high)];
  const means = sequenceMeans(logRatios(rollouts), rollouts.offsets);
  // At an edge of the band the loss has a kink and no derivative; with A = 0 it has no gradient.
  const usable = Array.from(means.keys()).filter(
    (i) =>
      rollouts.advantage[i] !== 0 &&
      edges.every((edge) => Math.abs(means[i] - edge) > 2 * DERIVATIVE_STEP),
  );
  let largest = 0;
  let scale = 0;
  let n = 0;
  for (const k of thinned(usable.length, DERIVATIVE_RESPONSES, seed)) {
    const i = usable[k];
    const from = rollouts.offsets[i];
    const length = rollouts.offsets[i + 1] - from;
    for (const t of thinned(length, DERIVATIVE_TOKENS, seed)) {
      const own = derivativeOfOne(rollouts, i, t) / means.length;
      scale = Math.max(scale, Math.abs(own));
      largest = Math.max(largest, Math.abs(own - tokenGradient[from + t]));
      n++;
    }
  }
  return { largest, scale, n };
}

/** GSPO's weight against exp(H_old - H_theta), each cross-entropy on its own. */
function informationGain(rollouts: Rollouts): MeasuredGradient['informationGain'] {
  const { weight } = evaluateObjective(rollouts, settingsOf('gspo', 'trl'));
  const before = sequenceMeans(rollouts.logpOld, rollouts.offsets);
  const after = sequenceMeans(rollouts.logpNew, rollouts.offsets);
  let largest = 0;
  let counted = 0;
  for (let i = 0; i < before.length; i++) {
    const gain = Math.exp(after[i] - before[i]);
    // A weight that no float64 holds says nothing about the identity.
    if (!(gain > 0 && gain < Infinity)) continue;
    const own = weight[rollouts.offsets[i]];
    largest = Math.max(largest, Math.abs(own / gain - 1));
    counted++;
  }
  return { deviation: largest, n: counted };
}
