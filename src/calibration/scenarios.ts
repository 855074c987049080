/**
 * Calibration scenarios: synthetic sources with known truth, run through the very experiments that the
 * lab shows. Contract: replication r of a scenario is a pure function of (scenario, r); each reading
 * carries the truth in closed form.
 */
import { cpuKernels } from '../math/cpu-kernels';
import { slopeCoefficients } from '../math/stats/regression';
import { DEFAULT_SYNTHETIC, type SyntheticSource } from '../settings/run';
import { syntheticRollouts, syntheticTruth, type SyntheticTruth } from '../rollouts/synthetic';
import { dependence, type DependenceResult } from '../experiments/dependence';
import { length, type LengthResult } from '../experiments/length';
import { variance, type VarianceResult } from '../experiments/variance';
import { weights, type WeightsResult } from '../experiments/weights';
import type { ExperimentVerdict } from '../experiments/experiment';
import type { Reading } from './coverage';

/** Few points: what is calibrated is the method, the same for every point. */
const CURVES = { bins: 4, prefixLength: 0, prefixPoints: 5 };
const MAX_LAG = 16;
/** Fewer than the lab's 999, for speed: the quantiles are a little noisier, coverage hardly moves. */
const BOOTSTRAP_REPLICATIONS = 299;

const BASE: SyntheticSource = {
  ...DEFAULT_SYNTHETIC,
  prompts: 150,
  groupSize: 4,
  lengthShape: 'uniform',
  minLength: 8,
  maxLength: 40,
};

export interface Scenario {
  name: string;
  source: SyntheticSource;
}

/** Uniform lengths test the natural bins; fixed lengths have closed forms for everything. */
export const SCENARIOS: readonly Scenario[] = [
  { name: 'clean', source: BASE },
  { name: 'clean, one length', source: { ...BASE, lengthShape: 'fixed', maxLength: 24 } },
  { name: 'AR(1) 0.5', source: { ...BASE, lengthShape: 'fixed', maxLength: 32, rho: 0.5 } },
  {
    name: 'prompt effects',
    source: { ...BASE, lengthShape: 'fixed', maxLength: 24, tau: 0.02 },
  },
  { name: 'AR(1) and prompts', source: { ...BASE, rho: 0.5, tau: 0.02 } },
  { name: 'heavy tails t(5)', source: { ...BASE, tailDegrees: 5 } },
];

export interface Replication {
  readings: Reading[];
  verdicts: { name: string; verdict: ExperimentVerdict }[];
}

interface Results {
  variance: VarianceResult;
  dependence: DependenceResult;
  /** only where their predictions are true: independent, normal */
  weights: WeightsResult | null;
  length: LengthResult | null;
}

export async function replicate(scenario: Scenario, replication: number): Promise<Replication> {
  const source = { ...scenario.source, seed: (scenario.source.seed + replication) >>> 0 };
  const rollouts = syntheticRollouts(source);
  const context = { kernels: cpuKernels, seed: replication, replications: BOOTSTRAP_REPLICATIONS };
  const plain = isIndependent(source) && source.tailDegrees === 0;
  const results: Results = {
    variance: await variance.run(rollouts, CURVES, context),
    dependence: await dependence.run(rollouts, { ...CURVES, maxLag: MAX_LAG }, context),
    weights: plain ? await weights.run(rollouts, CURVES, context) : null,
    length: plain ? await length.run(rollouts, CURVES, context) : null,
  };
  const truth = syntheticTruth(source);
  const readings = [
    ...dependenceReadings(source, truth, results.dependence),
    ...prefixReadings(source, truth, results),
    ...(isIndependent(source) ? independentReadings(source, results) : []),
    ...(source.lengthShape === 'fixed' ? fixedLengthReadings(source, truth, results) : []),
  ];
  const verdicts = results.dependence.claims.map(({ id, verdict }) => ({ name: id, verdict }));
  verdicts.push({ name: 'dependence, as a whole', verdict: results.dependence.verdict });
  for (const { id, verdict } of results.variance.claims) verdicts.push({ name: id, verdict });
  return { readings, verdicts };
}

function isIndependent({ rho, tau, drift }: SyntheticSource): boolean {
  return rho === 0 && tau === 0 && drift === 1;
}

function reading(
  estimator: string,
  truth: number,
  measured: { estimate: number; interval: [number, number] | null } | null,
): Reading[] {
  return measured
    ? [{ estimator, truth, estimate: measured.estimate, interval: measured.interval }]
    : [];
}

function dependenceReadings(
  { rho, sigma, tau }: SyntheticSource,
  truth: SyntheticTruth,
  result: DependenceResult,
): Reading[] {
  const lag = (k: number): Reading[] => {
    const point = result.lags[k - 1];
    return reading(
      `autocorrelation, lag ${k}`,
      truth.autocorrelation(k),
      point ? { estimate: point.autocorrelation, interval: point.interval } : null,
    );
  };
  return [
    ...lag(1),
    ...lag(4),
    ...reading('L / L_eff', (1 + rho) / (1 - rho), result.integratedAutocorrelation),
    ...reading('sigma^2', sigma * sigma, result.sigma2),
    ...reading('tau^2', tau * tau, result.tau2),
    ...reading('corrected law, level', 1, result.natural.corrected.level),
    ...reading('corrected law, tilt', 0, result.natural.corrected.tilt),
  ];
}

/** Prefixes: every length has a closed form, whatever the distribution of lengths. */
function prefixReadings(
  { sigma, tau }: SyntheticSource,
  truth: SyntheticTruth,
  { variance: { prefix } }: Results,
): Reading[] {
  const { points, level } = prefix;
  const slope = prefix.slopes.sequence;
  if (points.length === 0 || !slope || !level) return [];
  const x = points.map((point) => Math.log(point.length));
  const logVariances = points.map((point) => Math.log(truth.logWeightVariance(point.length)));
  const coefficients = slopeCoefficients(
    x,
    points.map(() => 1),
  );
  const token = Math.log(sigma * sigma + tau * tau);
  const logRatio = logVariances.map((log, b) => log - token + (x[b] as number));
  const middle = points[Math.floor(points.length / 2)] as (typeof points)[number];
  return [
    ...reading(
      'prefix slope',
      coefficients.reduce((sum, c, b) => sum + c * (logVariances[b] as number), 0),
      { estimate: slope.slope, interval: slope.interval },
    ),
    ...reading(
      'prefix level',
      Math.exp(logRatio.reduce((sum, log) => sum + log / points.length, 0)),
      level,
    ),
    ...reading(`Var[log s], prefix`, truth.logWeightVariance(middle.length), {
      estimate: middle.sequence.measured,
      interval: middle.sequence.interval,
    }),
  ];
}

/** Where the naive law is true. */
function independentReadings(source: SyntheticSource, results: Results): Reading[] {
  const { slopes, level } = results.variance.natural;
  const slope = (name: string, truth: number, fitted: typeof slopes.sequence): Reading[] =>
    reading(name, truth, fitted && { estimate: fitted.slope, interval: fitted.interval });
  const out = [
    ...slope('slope, Var[log s]', -1, slopes.sequence),
    ...slope('slope, Var[log rho]', 1, slopes.unnormalised),
    ...slope('slope, Var[d_t]', 0, slopes.token),
    ...reading('level, Var[log s]', 1, level),
    ...reading('intraclass correlation', 0, results.dependence.intraclassCorrelation),
  ];
  if (!results.weights || !results.length) return out;
  out.push(...reading('excess kurtosis', 0, results.weights.excessKurtosis));
  const last = results.weights.prefix.points.at(-1);
  if (last) {
    const share = last.unnormalised;
    out.push(
      ...reading('effective share of rho', Math.exp(-last.length * source.sigma ** 2), {
        estimate: share.effectiveShare,
        interval: share.shareInterval,
      }),
    );
  }
  const first = results.length.prefix.points[0];
  if (first) {
    const { gap, gapInterval } = first.ratio;
    out.push(
      ...reading('Jensen gap of s', source.sigma ** 2 / (2 * first.length), {
        estimate: gap,
        interval: gapInterval,
      }),
    );
  }
  return out;
}

function fixedLengthReadings(
  { maxLength, tau }: SyntheticSource,
  truth: SyntheticTruth,
  { dependence: result, variance: { natural } }: Results,
): Reading[] {
  const point = natural.points[0];
  return [
    ...(tau > 0
      ? reading(
          'intraclass correlation',
          truth.intraclassCorrelation(maxLength),
          result.intraclassCorrelation,
        )
      : []),
    ...(point
      ? reading('Var[log s]', truth.logWeightVariance(maxLength), {
          estimate: point.sequence.measured,
          interval: point.sequence.interval,
        })
      : []),
  ];
}
