/**
 * Autocorrelation of d_t, what responses to one prompt share, the parts of Var[log s | L], and Var[log s] over
 * length. Contract: pure; what a mean that depends on the length explains is taken off first.
 */
import { automaticWindow, lagSums } from '../../math/stats/autocorrelation';
import type { Measured } from '../../math/stats/anytime';
import {
  averagingSums,
  correlationOfLogF,
  covariancePart,
  meanLengthSums,
  meanPromptSize,
  positionCurve,
  promptLogF,
} from '../../math/stats/averaging';
import { joinSums, newClusterSums, type ClusterSums } from '../../math/stats/clusters';
import { PromptIntervals, transformed, type Estimate } from '../../math/stats/intervals';
import { jackknife, jackknifeOf, type TotalsFunction } from '../../math/stats/jackknife';
import { lengthLaw, type LawFit, type LengthLaw } from '../../math/stats/length-law';
import { mean } from '../../math/summation';
import { describeResponses, type Responses } from '../../math/stats/responses';
import { fisherZ, logVariance } from '../../math/stats/statistics';
import { sequenceCount, tokenCount, type Rollouts } from '../../rollouts/rollouts';
import type { ExperimentContext } from '../experiment';
import {
  momentSums,
  naturalCurve,
  prefixCurve,
  prefixLimit,
  prepare,
  type Curve,
  type Prepared,
} from '../shared/curves';
import { stage } from '../shared/input';
import type { DependenceSettings } from './settings';

export interface LagPoint {
  lag: number;
  pairs: number;
  /** correlation of d_t and d_{t+lag}, the prompt's part removed */
  autocorrelation: number;
  interval: [number, number] | null;
  /** white noise stays within +- band 95 % of the time: 1.96 / sqrt(pairs) */
  band: number;
}

interface MeasuredLawPoint {
  length: number;
  minLength: number;
  maxLength: number;
  sequences: number;
  /** Var[log s], nats^2 */
  measured: number;
  interval: [number, number] | null;
  /** [sequences] */
  lengths: Uint32Array;
}

export interface MeasuredLawCurve {
  kind: Curve['kind'];
  points: MeasuredLawPoint[];
}

/** Measured over predicted variance by one law, on prompts that it was not fitted on. */
export interface LawCheck {
  level: Estimate;
  /** slope of log(measured / predicted) over log length */
  tilt: Estimate;
}

/** What the claims judge, each on its working scale. */
export interface DependenceInference {
  covariance: Measured;
  /** log F for `promptSize` responses */
  prompt: Measured;
  /** Fisher's z */
  mean: Measured;
  position: Measured;
  /** log of the level */
  law: Measured;
  lawTilt: Measured;
}

export interface MeasuredDependence {
  sequences: number;
  tokens: number;
  prompts: number;
  lags: LagPoint[];
  /** lags that the law of the parts uses */
  window: number;
  /** 1 + 2 sum_k rho_k over the window */
  integratedAutocorrelation: Estimate;
  /** variance of d_t within a response, nats^2 */
  sigma2: Estimate;
  /** variance of the prompts' shifts, nats^2; null where no prompt has two responses */
  tau2: Estimate | null;
  intraclassCorrelation: Estimate | null;
  /** responses to a prompt with at least two; null where none has */
  promptSize: number | null;
  natural: MeasuredLawCurve;
  prefix: MeasuredLawCurve;
  law: LengthLaw;
  checks: { naive: LawCheck; corrected: LawCheck };
  meanLength: number;
  inference: DependenceInference;
}

export async function measureDependence(
  rollouts: Rollouts,
  settings: DependenceSettings,
  context: ExperimentContext,
): Promise<MeasuredDependence> {
  const data = prepare(rollouts);
  const intervals = new PromptIntervals(context);
  const { centered, cluster, prompts, lengths } = data;
  const responses = describeResponses(centered, rollouts.offsets, cluster, prompts);
  const longest = lengths.reduce((max, length) => Math.max(max, length), 1);
  const maxLag = Math.min(settings.maxLag, longest - 1);
  await stage(context, 0.05);
  const around = aroundExpected(responses, centered, rollouts.offsets);
  const lags = lagSums(around, rollouts.offsets, cluster, prompts, maxLag);
  const pairs = responsePairSums(responses, around, rollouts.offsets);
  await stage(context, 0.2);
  const points = lagPoints(intervals, lags, pairs, maxLag);
  await stage(context, 0.4);
  const law = lengthLaw(responses, centered, rollouts.offsets, maxLag);
  await stage(context, 0.7);

  const window = Math.min(maxLag, automaticWindow([1, ...points.map((p) => p.autocorrelation)]));
  const tokens = joinSums(
    { clusters: prompts, columns: lags.columns.slice(0, 2 * (window + 1)) },
    pairs,
  );
  const at = tokens.columns.length - 2;
  const tau2Of: TotalsFunction = (totals) => shared(totals, at);
  const variance: TotalsFunction = (totals) => mean0(totals, 0) - shared(totals, at);
  const integrated: TotalsFunction = (totals) => {
    let sum = 1;
    for (let k = 1; k <= window; k++) sum += 2 * correlationAt(totals, k, at);
    return sum;
  };
  const size = meanPromptSize(responses);
  const [covariance, prompt] = jackknife(averagingSums(responses), [
    covariancePart,
    promptLogF(size),
  ]) as [Measured, Measured];
  const position = positionCurve(responses, centered, rollouts.offsets);
  const hasPairs = Number.isFinite(size);
  const limit = prefixLimit(lengths, settings.prefixLength);
  const natural = lawCurve(data, naturalCurve(data, settings.bins), intervals);
  const prefix = lawCurve(data, prefixCurve(data, limit, settings.prefixPoints), intervals);
  await stage(context, 1);
  const check = ({ level, tilt }: LawFit): LawCheck => ({
    level: transformed(intervals.around(level), Math.exp),
    tilt: intervals.around(tilt),
  });
  return {
    sequences: sequenceCount(rollouts),
    tokens: tokenCount(rollouts),
    prompts,
    lags: points,
    window,
    integratedAutocorrelation: intervals.estimate(tokens, integrated),
    sigma2: intervals.estimate(tokens, variance),
    tau2: hasPairs ? intervals.estimate(tokens, tau2Of) : null,
    intraclassCorrelation: hasPairs
      ? transformed(intervals.around(prompt), (logF) => correlationOfLogF(logF, size))
      : null,
    promptSize: hasPairs ? size : null,
    natural,
    prefix,
    law,
    checks: { naive: check(law.naive), corrected: check(law.decomposed) },
    meanLength: mean(lengths),
    inference: {
      covariance,
      prompt,
      mean: jackknifeOf(meanLengthSums(responses), fisherZ),
      position: jackknifeOf(position.sums, position.slope),
      law: law.decomposed.level,
      lawTilt: law.decomposed.tilt,
    },
  };
}

/** [tokens] d_t less what the length of its response explains */
function aroundExpected(
  { expected }: Responses,
  centered: Float64Array,
  offsets: Uint32Array,
): Float64Array {
  const out = new Float64Array(centered.length);
  expected.forEach((own, i) => {
    const to = offsets[i + 1];
    for (let t = offsets[i]; t < to; t++) out[t] = centered[t] - own;
  });
  return out;
}

/** Columns (cross-products of responses, their token pairs), per prompt; 0 where it has one response. */
function responsePairSums(
  { cluster, clusters, lengths }: Responses,
  around: Float64Array,
  offsets: Uint32Array,
): ClusterSums {
  const sums = newClusterSums(clusters, 2);
  const [cross, pairs] = sums.columns as [Float64Array, Float64Array];
  const sumOf = new Float64Array(clusters);
  const tokensOf = new Float64Array(clusters);
  lengths.forEach((length, i) => {
    const g = cluster[i];
    let sum = 0;
    for (let t = offsets[i]; t < offsets[i + 1]; t++) {
      sum += around[t];
    }
    cross[g] = cross[g] - sum * sum;
    pairs[g] = pairs[g] - length * length;
    sumOf[g] = sumOf[g] + sum;
    tokensOf[g] = tokensOf[g] + length;
  });
  for (let g = 0; g < clusters; g++) {
    pairs[g] = pairs[g] + tokensOf[g] ** 2;
    // a lone response cancels only to rounding
    cross[g] = pairs[g] > 0 ? cross[g] + sumOf[g] ** 2 : 0;
  }
  return sums;
}

/** mean product at lag k, columns (pairs, products) from 2k on */
const mean0 = (totals: Float64Array, k: number): number => totals[2 * k + 1] / totals[2 * k];

/** what different responses to one prompt share, per pair of tokens: tau^2; 0 where it cannot be known */
const shared = (totals: Float64Array, at: number): number =>
  totals[at + 1] > 0 ? totals[at] / totals[at + 1] : 0;

function correlationAt(totals: Float64Array, k: number, at: number): number {
  const tau2 = shared(totals, at);
  const variance = mean0(totals, 0) - tau2;
  return variance > 0 ? (mean0(totals, k) - tau2) / variance : NaN;
}

/** Autocorrelations at lags 1 .. maxLag, each from its own pairs. */
function lagPoints(
  intervals: PromptIntervals,
  lags: ClusterSums,
  pairs: ClusterSums,
  maxLag: number,
): LagPoint[] {
  return Array.from({ length: maxLag }, (_, index) => {
    const lag = index + 1;
    const columns = [0, 1, 2 * lag, 2 * lag + 1].map((k) => lags.columns[k]);
    const own = joinSums({ clusters: lags.clusters, columns }, pairs);
    const { estimate, interval } = intervals.estimate(own, (totals) => correlationAt(totals, 1, 4));
    const count = columns[2].reduce((a, b) => a + b, 0);
    return {
      lag,
      pairs: count,
      autocorrelation: estimate,
      interval,
      band: 1.96 / Math.sqrt(count),
    };
  });
}

function lawCurve(
  data: Prepared,
  { kind, points }: Curve,
  intervals: PromptIntervals,
): MeasuredLawCurve {
  return {
    kind,
    points: points.map((point) => {
      const { length, minLength, maxLength, sequences, lengths } = point;
      const own = transformed(intervals.estimate(momentSums(data, point), logVariance), Math.exp);
      return {
        length,
        minLength,
        maxLength,
        sequences,
        lengths,
        measured: own.estimate,
        interval: own.interval,
      };
    }),
  };
}
