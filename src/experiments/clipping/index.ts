/**
 * Experiment `clipping`: what each objective clips, over all clip ranges, and what a normal model of the
 * log-ratios predicts.
 *
 * A ratio is *outside* the band 1 - e_l .. 1 + e_h whatever its advantage; it is *clipped* when it is
 * outside on the side that its advantage pushes to (below with A < 0, above with A > 0). The two sides
 * do not overlap, so the share clipped at (e_l, e_h) is low(e_l) + high(e_h), and so is the gradient mass
 * lost: the map over both is the sum of two curves.
 *
 * Any objective with an epsilon can be mapped (`CLIPPED_IDS`), with ratio, weight, aggregation and count of
 * its entry in the registry, TRL's or else verl's:
 * - mass kept is the gradient mass at the band over that of the same objective without any clipping;
 * - GMPO clips log r at -e_l and e_h; that also moves the weight of the response, so mass kept can exceed 1;
 * - CISPO caps the weight at 1 + e_h and keeps the gradient: clipped is a capped token with A > 0, as TRL
 *   counts, mass lost the part of the weight beyond the cap, whatever the sign of A; no lower edge;
 * - two-sided GRPO gives no gradient above delta, whatever epsilon is;
 * - DPPO's epsilon is a divergence of probabilities (up and down), for which no law is predicted.
 *
 * Prediction, with mean mu and standard deviation sigma of d_t over tokens: log s is normal with
 * (mu, sigma^2 / L), log rho with (L mu, L sigma^2), log r with (mu, sigma^2), averaged over the lengths
 * that occur. Adaptive clipping e(L) = z sigma / sqrt(L) puts the same share outside at every L (exactly
 * so only where mu is small against sigma / sqrt(L)).
 *
 * A mismatch correction (`correction.ts`) weighs tokens and responses in everything below.
 *
 * Verdicts (`verdict.ts`): share outside at the published bands against the prediction, and the
 * difference in that share between long and short responses under the adaptive band against 0, both by
 * interval with resolution SHARE_RESOLUTION. "Two orders of magnitude": log10 of GSPO's over GRPO's
 * share of clipped tokens; holds when the whole interval is above 1.5, fails when it is below, too few
 * otherwise or where GRPO clips nothing.
 */
import * as v from 'valibot';
import { CLIPPED_IDS, GRPO_BAND, GSPO_BAND } from '../../math/objectives/registry';
import { ClusterBootstrap, transformed, type Estimate } from '../../math/stats/clusters';
import { normalQuantile } from '../../math/stats/distributions';
import { logCombination } from '../../math/stats/statistics';
import { sequenceCount, tokenCount } from '../../rollouts/rollouts';
import { prepareClipping, responseWeight, type ClippingData } from './data';
import { clipMap, epsilonGrid, outsideShare, type ClipMap } from './map';
import { predictOutside } from './predict';
import { geometricLengthBins } from '../shared/length-bins';
import {
  applyCorrection,
  correctionSchema,
  NO_CORRECTION,
  type CorrectionReport,
} from '../shared/correction';
import type { Claim, Experiment } from '../experiment';
import { checkRollouts, stage } from '../shared/input';
import { proportion, shareDifference } from '../shared/proportions';
import { BOOTSTRAP_METHOD, numberClaim } from '../shared/verdict';

export const SHARE_RESOLUTION = 0.05;
/** log10: nearer to two orders of magnitude than to one */
export const TWO_ORDERS_LIMIT = 1.5;

export const clippingSettingsSchema = v.strictObject({
  /** which ratios to map */
  objectives: v.pipe(v.array(v.picklist(CLIPPED_IDS)), v.minLength(1)),
  /** points of the epsilon axis, equal steps of the logarithm */
  gridPoints: v.pipe(v.number(), v.safeInteger(), v.minValue(2), v.maxValue(401)),
  gridLow: v.pipe(v.number(), v.finite(), v.minValue(1e-8), v.maxValue(1)),
  gridHigh: v.pipe(v.number(), v.finite(), v.minValue(1e-7), v.maxValue(100)),
  /** fixed band of the curve over length */
  low: v.pipe(v.number(), v.finite(), v.minValue(0), v.maxValue(1)),
  high: v.pipe(v.number(), v.finite(), v.minValue(0), v.maxValue(100)),
  /** adaptive band: z sigma / sqrt(L) */
  z: v.pipe(v.number(), v.finite(), v.minValue(0.01), v.maxValue(10)),
  /** bins of length */
  bins: v.pipe(v.number(), v.safeInteger(), v.minValue(2), v.maxValue(64)),
  /** absent = none */
  correction: v.optional(correctionSchema),
});
export type ClippingSettings = v.InferOutput<typeof clippingSettingsSchema>;

export interface SharePoint {
  measured: number;
  interval: [number, number] | null;
  predicted: number;
}

export interface LengthClipPoint {
  minLength: number;
  maxLength: number;
  /** mean length of the responses in the bin */
  length: number;
  sequences: number;
  /** share of responses outside the fixed band, and outside the adaptive one */
  fixed: SharePoint;
  adaptive: SharePoint;
  /** z sigma / sqrt(length) */
  adaptiveEpsilon: number;
}

export interface ClippingResult {
  sequences: number;
  tokens: number;
  /** of d_t over tokens */
  mu: number;
  sigma: number;
  maps: ClipMap[];
  lengths: LengthClipPoint[];
  /** share of tokens clipped at the published bands, and log10 of their quotient */
  orders: { gspo: number; grpo: number; log10: number | null; interval: [number, number] | null };
  correction: CorrectionReport;
  claims: Claim[];
}

export const clipping: Experiment<ClippingSettings, ClippingResult> = {
  id: 'clipping',
  title: 'Clipping',
  question: 'How much does each objective clip, and does the spread of the ratios predict it?',
  defaults: {
    objectives: ['grpo', 'gspo'],
    gridPoints: 61,
    gridLow: 1e-5,
    gridHigh: 1,
    ...GSPO_BAND,
    z: Number(normalQuantile(0.975).toFixed(2)),
    bins: 8,
  },
  async run(rollouts, settings, context) {
    checkRollouts(rollouts);
    const { weights, ...correction } = applyCorrection(
      rollouts,
      settings.correction ?? NO_CORRECTION,
    );
    const data = prepareClipping(rollouts, weights);
    await stage(context, 0.2);
    const grid = epsilonGrid(settings.gridLow, settings.gridHigh, settings.gridPoints);
    const maps: ClipMap[] = [];
    for (const objective of settings.objectives) {
      maps.push(clipMap(data, objective, grid));
      await stage(context, 0.2 + (0.5 * maps.length) / settings.objectives.length);
    }
    const bootstrap = new ClusterBootstrap({ seed: context.seed });
    const lengths = lengthPoints(data, settings, bootstrap);
    await stage(context, 0.9);
    const { orders, claim } = twoOrders(data, bootstrap);
    return {
      sequences: sequenceCount(rollouts),
      tokens: tokenCount(rollouts),
      mu: data.mu,
      sigma: data.sigma,
      maps,
      lengths,
      orders,
      correction,
      claims: [
        outsideClaim(data, 'sequence', bootstrap),
        outsideClaim(data, 'token', bootstrap),
        claim,
        adaptiveClaim(data, settings, bootstrap),
      ],
    };
  },
};

function adaptiveBand(data: ClippingData, z: number, length: number) {
  const epsilon = (z * data.sigma) / Math.sqrt(length);
  return { low: epsilon, high: epsilon };
}

const isOutside = (log: number, { low, high }: { low: number; high: number }): boolean => {
  const ratio = Math.exp(log);
  return ratio < 1 - low || ratio > 1 + high;
};

function lengthPoints(
  data: ClippingData,
  settings: ClippingSettings,
  bootstrap: ClusterBootstrap,
): LengthClipPoint[] {
  return geometricLengthBins(data.lengths, settings.bins).map(
    ({ minLength, maxLength, members }) => {
      const lengthOf = (i: number): number => data.lengths[i] as number;
      const point = (bandOf: (length: number) => { low: number; high: number }): SharePoint => {
        const estimate = proportion(
          data,
          members,
          (i) => isOutside(data.logWeight[i] as number, bandOf(lengthOf(i))),
          bootstrap,
          (i) => responseWeight(data, i),
        );
        let predicted = 0;
        let weight = 0;
        for (const i of members) {
          const own = responseWeight(data, i);
          predicted += own * predictOutside(data, 'sequence', lengthOf(i), bandOf(lengthOf(i)));
          weight += own;
        }
        return {
          measured: estimate.estimate,
          interval: estimate.interval,
          predicted: predicted / weight,
        };
      };
      let total = 0;
      for (const i of members) total += lengthOf(i);
      const length = total / members.length;
      return {
        minLength,
        maxLength,
        length,
        sequences: members.length,
        fixed: point(() => settings),
        adaptive: point((own) => adaptiveBand(data, settings.z, own)),
        adaptiveEpsilon: adaptiveBand(data, settings.z, length).low,
      };
    },
  );
}

function outsideClaim(
  data: ClippingData,
  level: 'token' | 'sequence',
  bootstrap: ClusterBootstrap,
): Claim {
  const [id, name, band] =
    level === 'token'
      ? (['grpo', 'token ratios', GRPO_BAND] as const)
      : (['gspo', 'sequence weights', GSPO_BAND] as const);
  const { measured, predicted } = outsideShare(data, level, band, bootstrap);
  return numberClaim({
    id: `clipping.${id}-outside`,
    claim: `The share of ${name} outside ${band.low}/${band.high} is that of a normal law with the mu and sigma of the tokens.`,
    prediction: predicted,
    estimate: measured,
    n: level === 'token' ? data.logRatio.length : data.lengths.length,
    nOf: level === 'token' ? 'tokens' : 'sequences',
    resolution: SHARE_RESOLUTION,
    method: `Share outside the published band. ${BOOTSTRAP_METHOD}`,
  });
}

/** GSPO's clipped tokens over GRPO's, both at their published bands. */
function twoOrders(data: ClippingData, bootstrap: ClusterBootstrap) {
  const clippedBy = (log: number, advantage: number, band: { low: number; high: number }) =>
    advantage < 0 ? Math.exp(log) < 1 - band.low : advantage > 0 && Math.exp(log) > 1 + band.high;
  const sums = data.newSums(2);
  let gspo = 0;
  let grpo = 0;
  let total = 0;
  for (let i = 0; i < data.lengths.length; i++) {
    const advantage = data.advantage[i] as number;
    let size = 0;
    let single = 0;
    for (let t = data.offsets[i] as number; t < (data.offsets[i + 1] as number); t++) {
      const weight = data.tokenWeight ? (data.tokenWeight[t] as number) : 1;
      size += weight;
      if (clippedBy(data.logRatio[t] as number, advantage, GRPO_BAND)) single += weight;
    }
    const whole = clippedBy(data.logWeight[i] as number, advantage, GSPO_BAND) ? size : 0;
    total += size;
    sums.add(i, [whole, single]);
    gspo += whole;
    grpo += single;
  }
  const log: Estimate = bootstrap.estimate(
    sums.sums,
    logCombination([{ kind: 'ratio', numerator: 0, denominator: 1, weight: 1 }]),
  );
  const { estimate, interval } = transformed(log, (x) => x / Math.LN10);
  const measured = grpo > 0 && gspo > 0 ? estimate : null;
  const usable = measured === null ? null : interval;
  const tokens = data.logRatio.length;
  const claim: Claim = {
    id: 'clipping.two-orders',
    claim: 'GSPO clips two orders of magnitude more tokens than GRPO, each at its published band.',
    prediction: 2,
    measured,
    interval: usable,
    n: tokens,
    nOf: 'tokens',
    verdict:
      usable === null
        ? 'too few'
        : usable[0] > TWO_ORDERS_LIMIT
          ? 'holds'
          : usable[1] < TWO_ORDERS_LIMIT
            ? 'fails'
            : 'too few',
    rule:
      `log10 of the quotient of clipped token shares. ${BOOTSTRAP_METHOD} Holds when the whole interval is above ` +
      `${TWO_ORDERS_LIMIT}, fails when it is below; too few otherwise, and where one of them clips nothing.`,
  };
  return {
    orders: { gspo: gspo / total, grpo: grpo / total, log10: measured, interval: usable },
    claim,
  };
}

function adaptiveClaim(
  data: ClippingData,
  settings: ClippingSettings,
  bootstrap: ClusterBootstrap,
): Claim {
  const sorted = Float64Array.from(data.lengths).sort();
  const shortest = sorted[Math.floor(sorted.length / 3)] ?? 0;
  const longest = sorted[Math.floor((2 * sorted.length) / 3)] ?? 0;
  const estimate = shareDifference(
    data,
    (i) =>
      isOutside(
        data.logWeight[i] as number,
        adaptiveBand(data, settings.z, data.lengths[i] as number),
      ),
    (i) => (data.lengths[i] as number) > longest,
    (i) => (data.lengths[i] as number) <= shortest,
    bootstrap,
    (i) => responseWeight(data, i),
  );
  return numberClaim({
    id: 'clipping.adaptive',
    claim: `Adaptive clipping at ${settings.z} sigma / sqrt(L) puts the same share outside for long and for short responses.`,
    prediction: 0,
    estimate,
    n: data.lengths.length,
    nOf: 'sequences',
    resolution: SHARE_RESOLUTION,
    method: `Share outside among the longest third minus the shortest third. ${BOOTSTRAP_METHOD}`,
  });
}
