/**
 * Experiment `dependence`: are tokens, and responses to one prompt, independent, as sigma^2 / L needs?
 *
 * If they were, the autocorrelation of d_t would be 0 at every lag and the intraclass correlation (ICC)
 * of log s among responses to one prompt would be 0. Where they are not, the corrected law
 * (`corrected-law.ts`) takes the place of the naive one; both are laid over the measured variance.
 *
 * ICC: one-way analysis of variance with prompts as groups, unequal sizes (Searle 1971); its interval is
 * that of log(MSB / MSW), which is Fisher's transform of the ICC, by studentised cluster bootstrap.
 *
 * Verdicts (`verdict.ts`): fails when the 95 % interval excludes the prediction, holds when it contains it
 * and is no wider than the resolution on either side, else too few. `independence` as a whole fails when
 * the autocorrelation or the ICC does, holds when both hold, by 97.5 % intervals: two questions are asked
 * at once, and with 95 % intervals one clean run in ten would be called dependent (Bonferroni). Which law: each is held to its level (1)
 * and its tilt over log length (0), on natural lengths.
 */
import * as v from 'valibot';
import { automaticWindow, inflation, lagSums } from '../../math/stats/autocorrelation';
import { ClusterBootstrap, type Estimate } from '../../math/stats/clusters';
import { mean } from '../../math/stats/moments';
import { sequenceCount, tokenCount } from '../../rollouts/rollouts';
import { lawSums, responsePairSums, type LawLayout } from './corrected-law';
import { naturalCurve, prefixCurve, prefixLimit, prepare } from '../shared/curves';
import {
  bothOf,
  decompose,
  iccEstimate,
  lagPoints,
  lawCurve,
  LEVEL_RESOLUTION,
  tokenEstimates,
  TILT_RESOLUTION,
  type Decomposition,
  type LagPoint,
  type LawCurve,
} from './measure';
import type { Claim, Experiment, ExperimentVerdict } from '../experiment';
import { checkRollouts, stage } from '../shared/input';
import { curveSettingsSchema, CURVE_DEFAULTS } from '../variance';
import { BOOTSTRAP_METHOD, numberClaim, verdictOf } from '../shared/verdict';

export const CORRELATION_RESOLUTION = 0.1;
/** of the two intervals that decide `independence`, so that it cries wolf in 5 % of clean runs at most */
const JOINT_LEVEL = 0.975;

export const dependenceSettingsSchema = v.strictObject({
  ...curveSettingsSchema.entries,
  /** longest lag that is looked at, tokens */
  maxLag: v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(512)),
});
export type DependenceSettings = v.InferOutput<typeof dependenceSettingsSchema>;

export interface DependenceResult {
  sequences: number;
  tokens: number;
  prompts: number;
  lags: LagPoint[];
  /** lags that the corrected law uses */
  window: number;
  /** 1 + 2 sum_k rho_k over the window */
  integratedAutocorrelation: Estimate;
  /** L_eff = L / (1 + 2 sum (1 - k/L) rho_k) at the mean length, tokens */
  effectiveLength: { length: number; effective: number };
  /** variance of d_t within a response, nats^2 */
  sigma2: Estimate;
  /** variance of the prompts' shifts, nats^2; null where no prompt has two responses */
  tau2: Estimate | null;
  intraclassCorrelation: Estimate | null;
  natural: LawCurve;
  prefix: LawCurve;
  which: 'naive' | 'corrected' | 'both' | 'neither' | 'too few';
  independence: ExperimentVerdict;
  decomposition: Decomposition;
  claims: Claim[];
}

export const dependence: Experiment<DependenceSettings, DependenceResult> = {
  id: 'dependence',
  title: 'Dependence between tokens and between responses',
  question:
    'Are token log-ratios independent, within a response and between responses to one prompt?',
  defaults: { ...CURVE_DEFAULTS, maxLag: 48 },

  async run(rollouts, settings, context) {
    checkRollouts(rollouts);
    const data = prepare(rollouts);
    const bootstrap = new ClusterBootstrap(context);
    const longest = data.lengths.reduce((max, length) => Math.max(max, length), 1);
    const maxLag = Math.min(settings.maxLag, longest - 1);
    await stage(context, 0.05);
    const lags = lagSums(data.centered, rollouts.offsets, data.cluster, data.prompts, maxLag);
    const responsePairs = responsePairSums(data);
    const hasPairs = (responsePairs.columns[1] as Float64Array).some((pairs) => pairs > 0);
    await stage(context, 0.3);

    const points = lagPoints(bootstrap, lags, responsePairs, hasPairs, maxLag);
    const window = automaticWindow([1, ...points.map((point) => point.autocorrelation)]);
    const joint = new ClusterBootstrap({ ...context, level: JOINT_LEVEL });
    const [neighbours] = lagPoints(joint, lags, responsePairs, hasPairs, Math.min(1, maxLag));
    const law = lawSums(lags, responsePairs, window);
    const layout: LawLayout = { window, at: 0, hasPairs };
    await stage(context, 0.6);

    const { integrated, sigma2, tau2 } = tokenEstimates(bootstrap, law, layout);
    const icc = iccEstimate(bootstrap, data);
    const limit = prefixLimit(data.lengths, settings.prefixLength);
    const natural = lawCurve(data, naturalCurve(data, settings.bins), bootstrap, law, layout);
    await stage(context, 0.8);
    const prefixes = prefixCurve(data, limit, settings.prefixPoints);
    const prefix = lawCurve(data, prefixes, bootstrap, law, layout);
    await stage(context, 1);

    const length = mean(data.lengths);
    const rho = [1, ...points.slice(0, window).map((point) => point.autocorrelation)];
    return {
      sequences: sequenceCount(rollouts),
      tokens: tokenCount(rollouts),
      prompts: data.prompts,
      lags: points,
      window,
      integratedAutocorrelation: integrated,
      effectiveLength: { length, effective: length / inflation(rho, length) },
      sigma2,
      tau2,
      intraclassCorrelation: icc,
      natural,
      prefix,
      which: whichLaw(natural.naive.verdict, natural.corrected.verdict),
      independence: bothOf(
        verdictOf(neighbours?.interval ?? null, 0, CORRELATION_RESOLUTION),
        verdictOf(iccEstimate(joint, data)?.interval ?? null, 0, CORRELATION_RESOLUTION),
      ),
      decomposition: decompose(data, law, layout),
      claims: claimsOf(data.prompts, tokenCount(rollouts), { points, integrated, icc, natural }),
    };
  },
};

function whichLaw(
  naive: ExperimentVerdict,
  corrected: ExperimentVerdict,
): DependenceResult['which'] {
  if (naive === 'too few' || corrected === 'too few') return 'too few';
  if (naive === 'holds') return corrected === 'holds' ? 'both' : 'naive';
  return corrected === 'holds' ? 'corrected' : 'neither';
}

function claimsOf(
  prompts: number,
  tokens: number,
  measured: {
    points: LagPoint[];
    integrated: Estimate;
    icc: Estimate | null;
    natural: LawCurve;
  },
): Claim[] {
  const { points, integrated, icc, natural } = measured;
  const first = points[0];
  const sequences = natural.points.reduce((sum, point) => sum + point.sequences, 0);
  const law = (which: 'naive' | 'corrected', sentence: string): Claim[] => [
    numberClaim({
      id: `dependence.${which}`,
      claim: `Var[log s] is ${sentence}.`,
      prediction: 1,
      estimate: natural[which].level,
      n: sequences,
      nOf: 'sequences',
      resolution: LEVEL_RESOLUTION,
      method: `Measured over predicted variance, geometric mean over lengths. ${BOOTSTRAP_METHOD}`,
    }),
    numberClaim({
      id: `dependence.${which}-tilt`,
      claim: `Var[log s] follows the length as ${sentence} does.`,
      prediction: 0,
      estimate: natural[which].tilt,
      n: natural.points.length,
      nOf: 'lengths',
      resolution: TILT_RESOLUTION,
      method: `Slope of log(measured / predicted) on log length. ${BOOTSTRAP_METHOD}`,
    }),
  ];
  return [
    numberClaim({
      id: 'dependence.autocorrelation',
      claim: 'Neighbouring token log-ratios are uncorrelated.',
      prediction: 0,
      estimate: first
        ? {
            estimate: first.autocorrelation,
            standardError: NaN,
            interval: first.interval,
            clusters: prompts,
          }
        : null,
      n: tokens,
      nOf: 'tokens',
      resolution: CORRELATION_RESOLUTION,
      method: `Autocorrelation at lag 1. ${BOOTSTRAP_METHOD}`,
    }),
    numberClaim({
      id: 'dependence.effective-length',
      claim: 'A response is worth as many independent tokens as it has: L_eff = L.',
      prediction: 1,
      estimate: integrated,
      n: tokens,
      nOf: 'tokens',
      resolution: LEVEL_RESOLUTION,
      method: `L / L_eff = 1 + 2 sum rho_k over the automatic window. ${BOOTSTRAP_METHOD}`,
    }),
    numberClaim({
      id: 'dependence.icc',
      claim: 'Responses to one prompt are independent: their log weights share no prompt effect.',
      prediction: 0,
      estimate: icc,
      n: prompts,
      nOf: 'prompts',
      resolution: CORRELATION_RESOLUTION,
      method: `Intraclass correlation of log s, one-way analysis of variance. ${BOOTSTRAP_METHOD}`,
    }),
    ...law('naive', 'sigma^2/L, the law of independent tokens'),
    ...law(
      'corrected',
      'sigma^2/L (1 + 2 sum (1 - k/L) rho_k) + tau^2, the law corrected for dependence',
    ),
  ];
}
