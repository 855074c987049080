/**
 * Experiment `gradient`: who gets the gradient under each objective.
 *
 * d loss / d log pi(y_t) = -c_i A_i w_t g_t (coefficient, advantage, weight, gate; `math/objectives`). In
 * logit space the gradient at a position is that times (onehot(y_t) - p), whose norm is
 * sqrt(1 - 2 p_y + sum_v p_v^2): from the log-prob and the collision probability, no logits needed.
 *
 * The information-gain reading (Liu 2025): GSPO's weight of a response is exp(H_old - H_theta) of its
 * empirical cross-entropies; more weight where the new policy finds the response less surprising.
 *
 * A mismatch correction (`correction.ts`) multiplies the gradient of each token in what is shown; the claims
 * are about the objectives themselves and do without it.
 *
 * Verdicts: GSPO-token's gradient is the derivative of GSPO's loss, taken by central differences on a sample
 * of responses and tokens; holds when the largest relative deviation is at most DERIVATIVE_TOLERANCE, fails
 * otherwise, too few where the sample has no gradient. GSPO's weight is exp(dH), an identity: holds up to
 * IDENTITY_TOLERANCE. How the gradient of a response grows
 * with its length L: slope of log(sum_t |gradient before the gate| / |A|) on log L, against what the
 * aggregation says (mean over sequences 0; token mean, sum, unnormalised ratio 1), by interval with
 * resolution SLOPE_RESOLUTION.
 */
import * as v from 'valibot';
import { sequenceMeans as plainMeans } from '../../math/diagnostics/divergence';
import { ClusterBootstrap } from '../../math/stats/clusters';
import { evaluateObjective } from '../../math/objectives/evaluate';
import {
  objective,
  OBJECTIVE_IDS,
  settingsIn,
  type ObjectiveId,
  type ObjectiveSettings,
} from '../../math/objectives/registry';
import type { Library } from '../../math/objectives/types';
import { sequenceCount, tokenCount, type Rollouts } from '../../rollouts/rollouts';
import {
  applyCorrection,
  correctionSchema,
  NO_CORRECTION,
  type CorrectionReport,
} from '../shared/correction';
import type { Claim, Experiment } from '../experiment';
import {
  lengthSlope,
  logitNorms,
  measureObjective,
  thinned,
  type GradientMeasure,
} from './measure';
import { checkRollouts, logRatios, responseLengths, sequenceMeans, stage } from '../shared/input';
import { BOOTSTRAP_METHOD, numberClaim } from '../shared/verdict';

export const IDENTITY_TOLERANCE = 1e-9;
/** relative: room for the rounding of central differences in float64 (about 1e-10) */
export const DERIVATIVE_TOLERANCE = 1e-8;
/** nats of log s; truncation is its square over 6 */
const DERIVATIVE_STEP = 1e-5;
/** bounded: each difference costs two passes over its response */
const DERIVATIVE_RESPONSES = 32;
const DERIVATIVE_TOKENS = 4;
export const SLOPE_RESOLUTION = 0.1;
const MIN_SEQUENCES = 20;

export const gradientSettingsSchema = v.strictObject({
  objectives: v.pipe(v.array(v.picklist(OBJECTIVE_IDS)), v.minLength(1)),
  library: v.picklist(['trl', 'verl']),
  /** bins of length and of entropy */
  bins: v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(64)),
  /** sequences shown as points */
  points: v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.maxValue(20_000)),
  /** absent = none */
  correction: v.optional(correctionSchema),
});
export type GradientSettings = v.InferOutput<typeof gradientSettingsSchema>;

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

export interface GradientResult {
  sequences: number;
  tokens: number;
  /** false = no collision probabilities in the source: norms below are null */
  logitSpace: boolean;
  objectives: ObjectiveGradient[];
  points: GradientPoint[];
  correction: CorrectionReport;
  claims: Claim[];
}

export const gradient: Experiment<GradientSettings, GradientResult> = {
  id: 'gradient',
  title: 'Gradient',
  question: 'How much gradient does each token and each response get under each objective?',
  defaults: {
    objectives: ['grpo', 'dapo', 'gspo', 'luspo', 'cispo', 'gmpo', 'sapo', 'rloo'],
    library: 'trl',
    bins: 8,
    points: 2000,
  },
  async run(rollouts, settings, context) {
    checkRollouts(rollouts);
    const norms = logitNorms(rollouts);
    const { weights, ...correction } = applyCorrection(
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
      );
      measured.push({ id, title: objective(id).title, library: chosen.library, ...measure });
      masses.push(sequenceMass);
      await stage(context, (0.8 * measured.length) / settings.objectives.length);
    }
    const bootstrap = new ClusterBootstrap({ seed: context.seed });
    return {
      sequences: sequenceCount(rollouts),
      tokens: tokenCount(rollouts),
      logitSpace: norms !== null,
      objectives: measured,
      points: pointsOf(rollouts, masses, settings.points, context.seed),
      correction,
      claims: [
        gspoTokenClaim(
          rollouts,
          evaluateObjective(rollouts, settingsOf('gspo_token', 'trl')).gradient,
          context.seed,
        ),
        informationClaim(rollouts),
        ...(['gspo', 'dapo', 'rloo'] as const).map((id) => slopeClaim(rollouts, id, bootstrap)),
      ],
    };
  },
};

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
    length: lengths[i] as number,
    advantage: rollouts.advantage[i] as number,
    crossEntropyChange: -(means[i] as number),
    entropy: entropy ? (entropy[i] as number) : null,
    weight: Math.exp(means[i] as number),
    mass: masses.map((mass) => mass[i] as number),
  }));
}

function identityClaim(
  id: string,
  sentence: string,
  largest: number,
  n: number,
  nOf: Claim['nOf'],
): Claim {
  return {
    id,
    claim: sentence,
    prediction: 0,
    measured: largest,
    interval: null,
    n,
    nOf,
    verdict: n === 0 ? 'too few' : largest <= IDENTITY_TOLERANCE ? 'holds' : 'fails',
    rule: `Largest relative deviation; holds when it is at most ${IDENTITY_TOLERANCE}, fails otherwise. An identity needs no interval.`,
  };
}

/** d/d b_t of GSPO's loss on response i alone, by central differences. */
function derivativeOfOne(rollouts: Rollouts, i: number, t: number): number {
  const [from, to] = [rollouts.offsets[i] as number, rollouts.offsets[i + 1] as number];
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
  const [up, down] = [(logpNew[t] as number) + step, (logpNew[t] as number) - step];
  return (lossAt(up) - lossAt(down)) / (up - down);
}

/**
 * GSPO's loss is a mean over responses, so the derivative with respect to b_t is that of its own response's
 * loss over n: central differences, the step such that log s moves by DERIVATIVE_STEP. The other side is
 * GSPO-token's own gradient, in which s is a constant and pi / sg[pi] is what is differentiated.
 *
 * @param tokenGradient [tokens] d loss / d b_t as GSPO-token gives it
 */
export function gspoTokenClaim(
  rollouts: Rollouts,
  tokenGradient: Float64Array,
  seed: number,
): Claim {
  const { surrogate } = settingsOf('gspo', 'trl');
  if (surrogate.kind !== 'clip') throw new RangeError('GSPO clips a ratio.');
  const edges = [Math.log1p(-surrogate.low), Math.log1p(surrogate.high)];
  const means = sequenceMeans(logRatios(rollouts), rollouts.offsets);
  // At an edge of the band the loss has a kink and no derivative; with A = 0 it has no gradient.
  const usable = Array.from(means.keys()).filter(
    (i) =>
      rollouts.advantage[i] !== 0 &&
      edges.every((edge) => Math.abs((means[i] as number) - edge) > 2 * DERIVATIVE_STEP),
  );
  let largest = 0;
  let scale = 0;
  let n = 0;
  for (const k of thinned(usable.length, DERIVATIVE_RESPONSES, seed)) {
    const i = usable[k] as number;
    const from = rollouts.offsets[i] as number;
    const length = (rollouts.offsets[i + 1] as number) - from;
    for (const t of thinned(length, DERIVATIVE_TOKENS, seed)) {
      const own = derivativeOfOne(rollouts, i, t) / means.length;
      scale = Math.max(scale, Math.abs(own));
      largest = Math.max(largest, Math.abs(own - (tokenGradient[from + t] as number)));
      n++;
    }
  }
  // A gradient where GSPO has none anywhere is wrong by all of itself.
  const deviation = scale > 0 ? largest / scale : largest > 0 ? 1 : 0;
  return {
    id: 'gradient.gspo-token',
    claim: 'GSPO and GSPO-token have the same gradient for every token.',
    prediction: 0,
    measured: deviation,
    interval: null,
    n,
    nOf: 'tokens',
    verdict:
      scale === 0 && largest === 0
        ? 'too few'
        : deviation <= DERIVATIVE_TOLERANCE
          ? 'holds'
          : 'fails',
    rule:
      `GSPO-token's gradient against central differences of GSPO's loss, at up to ${DERIVATIVE_TOKENS} tokens ` +
      `each of up to ${DERIVATIVE_RESPONSES} responses with A ≠ 0 whose s is off the edges of the band. ` +
      'Largest deviation over the largest gradient; holds when it is at most ' +
      `${DERIVATIVE_TOLERANCE}, room for the rounding of the differences; fails otherwise; too few where no gradient passes.`,
  };
}

/** GSPO's weight against exp(H_old - H_theta), each cross-entropy on its own. */
function informationClaim(rollouts: Rollouts): Claim {
  const { weight } = evaluateObjective(rollouts, settingsOf('gspo', 'trl'));
  const before = sequenceMeans(rollouts.logpOld, rollouts.offsets);
  const after = sequenceMeans(rollouts.logpNew, rollouts.offsets);
  let largest = 0;
  let counted = 0;
  for (let i = 0; i < before.length; i++) {
    const gain = Math.exp((after[i] as number) - (before[i] as number));
    // A weight that no float64 holds says nothing about the identity.
    if (!(gain > 0 && gain < Infinity)) continue;
    const own = weight[rollouts.offsets[i] as number] as number;
    largest = Math.max(largest, Math.abs(own / gain - 1));
    counted++;
  }
  return identityClaim(
    'gradient.information-gain',
    "GSPO's weight of a response is exp(dH), dH the drop of its empirical cross-entropy.",
    largest,
    counted,
    'sequences',
  );
}

function slopeClaim(
  rollouts: Rollouts,
  id: 'gspo' | 'dapo' | 'rloo',
  bootstrap: ClusterBootstrap,
): Claim {
  const predicted = id === 'gspo' ? 0 : 1;
  const estimate = lengthSlope(rollouts, settingsOf(id, 'trl'), bootstrap);
  const n = sequenceCount(rollouts);
  return numberClaim({
    id: `gradient.length-${id}`,
    claim:
      predicted === 0
        ? 'Under GSPO a response gets the same gradient whatever its length.'
        : `Under ${objective(id).title} the gradient of a response grows in proportion to its length.`,
    prediction: predicted,
    estimate: n >= MIN_SEQUENCES ? estimate : null,
    n,
    nOf: 'sequences',
    resolution: SLOPE_RESOLUTION,
    method: `Slope of log gradient per unit of |A|, before the gate, on log length. ${BOOTSTRAP_METHOD}`,
  });
}
