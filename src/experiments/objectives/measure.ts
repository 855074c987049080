/** Loss, clip shares and weights of every objective in either library, and the divergences beside them. */
import {
  chiSquare,
  effectiveSampleShareOfLogs,
  klTerms,
  mean,
  sequenceSums,
} from '../../math/diagnostics/divergence';
import {
  offPolicyMetrics,
  type OffPolicyMetrics,
  sequencePerplexities,
} from '../../math/diagnostics/perplexity';
import { evaluateObjective } from '../../math/objectives/evaluate';
import {
  kindOf,
  type Objective,
  type ObjectiveId,
  OBJECTIVES,
  type ObjectiveSettings,
  type Overrides,
  recommended,
} from '../../math/objectives/registry';
import type {
  Clamp,
  Library,
  ObjectiveBatch,
  TrlClipStatistics,
  VerlClipStatistics,
} from '../../math/objectives/types';
import { type Estimate, PromptIntervals } from '../../math/stats/intervals';
import { meanStatistic } from '../../math/stats/statistics';
import { promptClusters } from '../../rollouts/clusters';
import { type Rollouts, sequenceCount, tokenCount, withSampler } from '../../rollouts/rollouts';
import type { ExperimentContext } from '../experiment';
import { applyCorrection, type CorrectionReport, NO_CORRECTION } from '../shared/settings';
import { logRatios, meanLogRatios, stage } from '../shared/input';
import { PromptSums } from '../shared/proportions';
import type { ObjectivesSettings } from './settings';
import {
  parseVariant,
  publishedBand,
  takesBypass,
  takesTrlOptions,
  whatIf,
  type WhatIf,
} from './what-if';

/** One objective in one library. */
export interface ObjectiveSide {
  settings: ObjectiveSettings;
  /** what the library clamps besides the clip range */
  clamps: Clamp[];
  loss: number;
  /** sum over tokens of |d loss / d log pi| */
  mass: number;
  /** what both are without the mismatch correction; null without one */
  uncorrected: { loss: number; mass: number } | null;
  /** as that library logs it; null where it logs none */
  clip: TrlClipStatistics | VerlClipStatistics | null;
  /** the one number that its users call the clip share: TRL's region mean, verl's pg_clipfrac */
  clipShare: number | null;
  /** share of tokens that get any gradient */
  active: number;
  /** share of the tokens, each by its correction weight, behind a closed gate */
  closed: number;
  /** smallest and largest importance weight in front of A */
  weight: { min: number; max: number };
}

export interface ObjectiveRow {
  id: ObjectiveId;
  title: string;
  /** LaTeX */
  formula: string;
  source: Objective['source'];
  level: Objective['level'];
  /** what differs between the libraries; empty where nothing does */
  difference: string;
  trl: ObjectiveSide | null;
  verl: ObjectiveSide | null;
}

export interface Divergences {
  /** KL(pi_old || pi_theta), mean over tokens, nats */
  k1: number;
  k2: number;
  k3: number;
  chiSquareToken: number;
  chiSquareSequence: number;
  /** effective sample size over n, of r_t over tokens, of s and rho over responses */
  effective: { token: number; s: number; rho: number };
  /** means over responses */
  pplOld: number;
  pplNew: number;
  pplRatio: number;
  /** log PPL_old - log PPL_theta = log s: mean, mean of |.|, extremes */
  logPpl: { mean: number; absolute: number; min: number; max: number };
}

/** One response of the example: what decides whether GSPO clips it. */
export interface ExampleResponse {
  length: number;
  advantage: number;
  s: number;
}

/** verl's GSPO loss against TRL's: deviation over the sum of absolute token losses. */
export interface LossComparison {
  deviation: number;
  /** over the responses that verl's cap leaves alone */
  uncapped: number;
  /** largest log s that enters verl's loss as it is, nats, and the responses beyond */
  cap: number;
  capped: number;
}

export interface MeasuredObjectives {
  sequences: number;
  tokens: number;
  objectives: ObjectiveRow[];
  example: ObjectiveRow[];
  exampleResponses: ExampleResponse[];
  /** null without rollouts */
  divergences: Divergences | null;
  /** verl's metrics of pi_old against the engine that sampled; null where the source has no such column */
  mismatch: OffPolicyMetrics | null;
  correction: CorrectionReport;
  loss: LossComparison;
  /** null where it was not asked for */
  whatIf: WhatIf | null;
  /** mean of the token ratio; null without rollouts */
  meanRatio: Estimate | null;
}

export async function measureObjectives(
  rollouts: Rollouts,
  settings: ObjectivesSettings,
  context: ExperimentContext,
): Promise<MeasuredObjectives> {
  const overrides = overridesOf(settings);
  const { weights, kept, ...correction } = applyCorrection(
    rollouts,
    settings.correction ?? NO_CORRECTION,
  );
  const rows: ObjectiveRow[] = [];
  for (const objective of OBJECTIVES) {
    rows.push(rowOf(rollouts, objective, overrides, weights, kept));
    await stage(context, (0.8 * rows.length) / OBJECTIVES.length);
  }
  const known = withSampler(rollouts);
  return {
    sequences: sequenceCount(rollouts),
    tokens: tokenCount(rollouts),
    objectives: rows,
    example: OBJECTIVES.map((objective) => rowOf(PEER_EXAMPLE, objective, {}, null, null)),
    exampleResponses: exampleResponses(),
    divergences: sequenceCount(rollouts) > 0 ? divergencesOf(rollouts) : null,
    mismatch:
      known && sequenceCount(known) > 0
        ? offPolicyMetrics(known.logpSampler, known.logpOld, known.offsets)
        : null,
    correction,
    loss: compareLosses(rollouts),
    whatIf: settings.whatIf ? compared(rollouts, settings, settings.whatIf) : null,
    meanRatio: meanRatio(rollouts, new PromptIntervals(context)),
  };
}

function compared(
  rollouts: Rollouts,
  { low, high, length, correction }: ObjectivesSettings,
  {
    asIs,
    asIf,
    topEntropy,
    beta,
    corrected,
    advantages,
    bypass,
  }: NonNullable<ObjectivesSettings['whatIf']>,
): WhatIf {
  const [first, second] = [parseVariant(asIs), parseVariant(asIf)];
  const published = publishedBand(second);
  // A band of which only one side was chosen keeps the other as published.
  const band =
    published && (low !== null || high !== null)
      ? { low: low ?? published.low ?? 0, high: high ?? published.high }
      : null;
  const as = {
    ...second,
    band,
    correction: correction ?? NO_CORRECTION,
    advantages: advantages === 'source' ? null : advantages,
    bypass: bypass && takesBypass(second),
    ...(takesTrlOptions(second)
      ? { topEntropy, beta: beta === null ? null : { value: beta, corrected } }
      : {}),
  };
  return whatIf(rollouts, [first, as], length);
}

function overridesOf({ low, high, length }: ObjectivesSettings): Overrides {
  return {
    ...(low === null ? {} : { low }),
    ...(high === null ? {} : { high }),
    ...(length === null ? {} : { length }),
  };
}

function rowOf(
  batch: ObjectiveBatch,
  objective: Objective,
  overrides: Overrides,
  correction: Float64Array | null,
  kept: Uint8Array | null,
): ObjectiveRow {
  const { id, title, formula, source, level, difference } = objective;
  return {
    id,
    title,
    formula,
    source,
    level,
    difference,
    trl: sideOf(batch, id, 'trl', overrides, correction, kept),
    verl: sideOf(batch, id, 'verl', overrides, correction, kept),
  };
}

function sideOf(
  batch: ObjectiveBatch,
  id: ObjectiveId,
  library: Library,
  overrides: Overrides,
  correction: Float64Array | null,
  kept: Uint8Array | null,
): ObjectiveSide | null {
  const settings = recommended(id, library, overrides);
  if (!settings) return null;
  const evaluated = evaluateObjective(batch, settings, correction ?? undefined, kept ?? undefined);
  const { loss, gradient, weight, gate, trl, verl } = evaluated;
  const plain = correction && evaluateObjective(batch, settings);
  let active = 0;
  let closed = 0;
  let total = 0;
  let min = Infinity;
  let max = -Infinity;
  for (let t = 0; t < gradient.length; t++) {
    if (gradient[t] !== 0) active++;
    const counts = correction ? correction[t] : 1;
    total += counts;
    if (gate[t] === 0) closed += counts;
    const w = weight[t];
    if (w < min) min = w;
    if (w > max) max = w;
  }
  return {
    settings,
    clamps: kindOf(settings.surrogate).clamps(settings.surrogate, library),
    loss,
    mass: massOf(gradient),
    uncorrected: plain && { loss: plain.loss, mass: massOf(plain.gradient) },
    clip: trl ?? verl,
    // CISPO has no region in TRL: its `cispo_clip_ratio` is the one figure.
    clipShare: trl ? (trl.regionMean ?? trl.highMean) : (verl?.clipFraction ?? null),
    active: gradient.length > 0 ? active / gradient.length : 0,
    closed: total > 0 ? closed / total : 0,
    weight: { min, max },
  };
}

function massOf(gradient: Float64Array): number {
  return gradient.reduce((sum, g) => sum + Math.abs(g), 0);
}

function exampleResponses(): ExampleResponse[] {
  const { logpOld, logpNew, offsets, advantage } = PEER_EXAMPLE;
  const { logWeight } = sequencePerplexities(logpOld, logpNew, offsets);
  return Array.from(logWeight, (log, i) => ({
    length: offsets[i + 1] - offsets[i],
    advantage: advantage[i],
    s: Math.exp(log),
  }));
}

function divergencesOf(rollouts: Rollouts): Divergences {
  const { logpOld, logpNew, offsets } = rollouts;
  const { k1, k2, k3 } = klTerms(logpOld, logpNew);
  const forms = sequencePerplexities(logpOld, logpNew, offsets);
  const log = forms.logWeight;
  const logRatio = logRatios(rollouts);
  const logRho = sequenceSums(logRatio, offsets);
  return {
    k1: mean(k1),
    k2: mean(k2),
    k3: mean(k3),
    chiSquareToken: chiSquare(logRatio),
    chiSquareSequence: chiSquare(logRho),
    effective: {
      token: effectiveSampleShareOfLogs(logRatio),
      s: effectiveSampleShareOfLogs(log),
      rho: effectiveSampleShareOfLogs(logRho),
    },
    pplOld: mean(forms.pplOld),
    pplNew: mean(forms.pplNew),
    pplRatio: mean(forms.pplRatio),
    logPpl: {
      mean: mean(log),
      absolute: mean(log.map(Math.abs)),
      min: log.reduce((a, b) => Math.min(a, b), Infinity),
      max: log.reduce((a, b) => Math.max(a, b), -Infinity),
    },
  };
}

/** Largest log s that enters verl's GSPO loss as it is, nats; from the registry's settings. */
function verlCap(): number {
  const { surrogate } = recommended('gspo', 'verl') as ObjectiveSettings;
  return (
    kindOf(surrogate)
      .clamps(surrogate, 'verl')
      .find(({ of }) => of === 'sequence')?.high ?? Infinity
  );
}

function compareLosses(rollouts: Rollouts): LossComparison {
  const trl = evaluateObjective(rollouts, recommended('gspo', 'trl') as ObjectiveSettings);
  const verl = evaluateObjective(rollouts, recommended('gspo', 'verl') as ObjectiveSettings);
  const cap = verlCap();
  let scale = 0;
  let capped = 0;
  const below = { trl: 0, verl: 0, scale: 0 };
  meanLogRatios(rollouts).forEach((log, i) => {
    if (log > cap) capped++;
    for (let t = rollouts.offsets[i]; t < rollouts.offsets[i + 1]; t++) {
      const [mine, theirs] = [trl.tokenLoss[t], verl.tokenLoss[t]];
      // Losses of both signs cancel; what they are made of is the scale.
      scale += Math.abs(mine);
      if (log > cap) continue;
      below.trl += mine;
      below.verl += theirs;
      below.scale += Math.abs(mine);
    }
  });
  const relative = (difference: number, of: number) => (of > 0 ? Math.abs(difference) / of : 0);
  const off = relative(trl.loss - verl.loss, scale);
  const rest = relative(below.trl - below.verl, below.scale);
  return { deviation: off, uncapped: rest, cap, capped };
}

function meanRatio(rollouts: Rollouts, intervals: PromptIntervals): Estimate | null {
  const n = sequenceCount(rollouts);
  const sums = new PromptSums(promptClusters(rollouts).cluster, 2);
  const ratio = logRatios(rollouts).map(Math.exp);
  for (let i = 0; i < n; i++) {
    const from = rollouts.offsets[i];
    const to = rollouts.offsets[i + 1];
    let sum = 0;
    for (let t = from; t < to; t++) sum += ratio[t];
    sums.add(i, [to - from, sum]);
  }
  return n > 0 ? intervals.estimate(sums.sums, meanStatistic) : null;
}

/**
 * Three responses on which the libraries' conventions part ways: the inputs of `peer-cases.json`, whose
 * figures were computed with TRL's and verl's own arithmetic. Contract: constants, never a person's data;
 * `objectives.test.ts` holds them against that file.
 */
export const PEER_EXAMPLE: ObjectiveBatch = {
  offsets: Uint32Array.of(0, 2, 5, 10),
  logpOld: Float64Array.of(-0.5, -1.2, -2, -1.5, -3, -0.1, -1, -0.7, -2.2, -0.05),
  logpNew: Float64Array.of(-0.275, -0.9, -2.5, -0.3, -3.703, -0.05, -1.3, -0.68, -1.971, -0.048),
  advantage: Float64Array.of(1, -1, 0.5),
};
