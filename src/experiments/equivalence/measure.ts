/**
 * Each form takes its own route through the kernels; each is compared with exp(mean d_t) in float64 from the
 * same float32 log-probs.
 */
import type { FloatArray, Histogram, HistogramSpec, SequenceForms } from '../../math/kernels';
import { philox4x32, STREAM } from '../../math/philox';
import { addToCluster, newClusterSums } from '../../math/stats/clusters';
import type { Measured } from '../../math/stats/anytime';
import { jackknifeOf } from '../../math/stats/jackknife';
import { histogramRange, quantileSorted, sortedFinite } from '../../math/stats/quantiles';
import { mean, variance } from '../../math/summation';
import { fisherZ } from '../../math/stats/statistics';
import { promptClusters } from '../../rollouts/clusters';
import { sequenceCount, tokenCount, type Rollouts } from '../../rollouts/rollouts';
import type { ExperimentContext } from '../experiment';
import { meanLogRatios, responseLengths, sequenceMeans } from '../shared/input';
import { geometricLengthBins } from '../shared/length-bins';
import type { EquivalenceSettings } from './settings';

export const FORMS = ['geometric', 'perplexity', 'entropy'] as const;
export type Form = (typeof FORMS)[number];

export interface Deviation {
  form: Form;
  max: number;
  /** of the relative deviation |form / reference - 1| */
  quantiles: { p50: number; p90: number; p99: number };
  worstSequence: number;
}

/** Where the naive quotient of float32 probability products stops being a number, by length. */
export interface UnderflowBin {
  minLength: number;
  maxLength: number;
  sequences: number;
  /** sequences whose naive product underflowed or is off by more than 1 % */
  lost: number;
}

/** A sample of sequences for the scatter plots (all of them up to a limit). */
export interface EquivalencePoint {
  sequence: number;
  geometric: number;
  perplexity: number;
  entropy: number;
  length: number;
  /** mean Shannon entropy change over the response, H(pi_old) - H(pi_theta), nats; null if unknown */
  shannonChange: number | null;
  /** empirical cross-entropy change dH, nats per token */
  crossEntropyChange: number;
}

export interface MeasuredEquivalence {
  sequences: number;
  tokens: number;
  kernels: 'webgpu' | 'cpu';
  spec: HistogramSpec;
  histograms: Record<Form, Histogram>;
  deviations: Deviation[];
  underflow: UnderflowBin[];
  points: EquivalencePoint[];
  /** correlation of the Shannon-entropy change with dH over sequences; null where the source has none */
  shannon: Measured | null;
  /** means over sequences, for the formulas with live numbers */
  summary: {
    meanLogWeight: number;
    sdLogWeight: number;
    meanS: number;
    meanPplOld: number;
    meanPplNew: number;
    meanCrossEntropyOld: number;
    meanCrossEntropyNew: number;
  };
}

/** Equal steps of log length for the underflow table. */
const UNDERFLOW_BINS = 12;
const MAX_POINTS = 4000;
/** The naive product counts as lost when it is off by more than this. */
const NAIVE_TOLERANCE = 0.01;
/** Histograms are never narrower than this share of s: float32 rounding (1e-7) must not fill them. */
const MIN_RELATIVE_SPAN = 1e-4;

export async function measureEquivalence(
  rollouts: Rollouts,
  settings: EquivalenceSettings,
  context: ExperimentContext,
): Promise<MeasuredEquivalence> {
  const { kernels } = context;
  const { logpOld, logpNew, offsets } = rollouts;
  const n = sequenceCount(rollouts);
  const tokens = tokenCount(rollouts);
  const lengths = responseLengths(rollouts);

  const logWeight = meanLogRatios(rollouts);
  const reference = logWeight.map(Math.exp);
  context.progress?.(0.2);
  context.signal?.throwIfAborted();
  const forms =
    n > 0 ? await kernels.sequenceForms(logpOld, logpNew, offsets) : emptySequenceForms();
  context.progress?.(0.5);
  context.signal?.throwIfAborted();

  const spec = histogramSpec(reference, settings.bins);
  const histograms = {
    geometric: await kernels.histogram(forms.geometric, spec),
    perplexity: await kernels.histogram(forms.perplexity, spec),
    entropy: await kernels.histogram(forms.entropy, spec),
  };
  context.progress?.(0.7);
  context.signal?.throwIfAborted();

  const deviations = FORMS.map((form) => deviation(form, forms[form], reference));
  const shannon = shannonChange(rollouts);
  const crossEntropyChange = Float64Array.from(
    { length: n },
    (_, i) => forms.crossEntropyOld[i] - forms.crossEntropyNew[i],
  );
  const correlation = shannon && shannonCorrelation(rollouts, shannon, logWeight);
  const points = thinned(n, MAX_POINTS, context.seed).map((i) => ({
    sequence: i,
    geometric: forms.geometric[i],
    perplexity: forms.perplexity[i],
    entropy: forms.entropy[i],
    length: lengths[i],
    shannonChange: shannon ? shannon[i] : null,
    crossEntropyChange: crossEntropyChange[i],
  }));
  context.progress?.(1);

  return {
    sequences: n,
    tokens,
    kernels: kernels.backend,
    spec,
    histograms,
    deviations,
    underflow: underflowTable(lengths, forms.naive, reference),
    points,
    shannon: correlation,
    summary: {
      meanLogWeight: mean(logWeight),
      sdLogWeight: Math.sqrt(variance(logWeight)),
      meanS: mean(reference),
      meanPplOld: mean(forms.pplOld),
      meanPplNew: mean(forms.pplNew),
      meanCrossEntropyOld: mean(forms.crossEntropyOld),
      meanCrossEntropyNew: mean(forms.crossEntropyNew),
    },
  };
}

function emptySequenceForms(): SequenceForms {
  const none = new Float64Array(0);
  return {
    geometric: none,
    perplexity: none,
    entropy: none,
    pplOld: none,
    pplNew: none,
    crossEntropyOld: none,
    crossEntropyNew: none,
    logWeight: none,
    naive: none,
  };
}

/** One set of edges for all three forms, from the reference, so that no form chooses its own. */
function histogramSpec(reference: Float64Array, bins: number): HistogramSpec {
  const finite = sortedFinite(reference);
  const scale = finite.length > 0 ? quantileSorted(finite, 0.5) : 1;
  const [low, high] = histogramRange(reference, bins, MIN_RELATIVE_SPAN * Math.max(scale, 1e-30));
  return { low, high, bins };
}

/**
 * Relative deviation of one form. A sequence whose reference is infinite or not a number says nothing
 * and is left out; a form that is not finite where the reference is deviates infinitely.
 */
function deviation(form: Form, values: FloatArray, reference: Float64Array): Deviation {
  const relative: number[] = [];
  let max = 0;
  let worstSequence = -1;
  reference.forEach((expected, i) => {
    if (!Number.isFinite(expected) || expected === 0) return;
    const value = values[i];
    const off = Number.isFinite(value) ? Math.abs(value / expected - 1) : Infinity;
    relative.push(off);
    if (off > max || worstSequence < 0) {
      max = off;
      worstSequence = i;
    }
  });
  const sorted = Float64Array.from(relative).sort();
  return {
    form,
    max,
    quantiles: {
      p50: quantileSorted(sorted, 0.5),
      p90: quantileSorted(sorted, 0.9),
      p99: quantileSorted(sorted, 0.99),
    },
    worstSequence,
  };
}

function underflowTable(
  lengths: Uint32Array,
  naive: FloatArray,
  reference: Float64Array,
): UnderflowBin[] {
  return geometricLengthBins(lengths, UNDERFLOW_BINS).map(({ minLength, maxLength, members }) => {
    let lost = 0;
    for (const i of members) {
      const off = Math.abs(naive[i] / reference[i] - 1);
      // written so that NaN counts as lost
      if (!(off <= NAIVE_TOLERANCE)) lost++;
    }
    return { minLength, maxLength, sequences: members.length, lost };
  });
}

/** [n] mean over the response of H(pi_old) - H(pi_theta), nats; null where the source has no entropies */
function shannonChange(rollouts: Rollouts): Float64Array | null {
  const { entropyOld, entropyNew, offsets } = rollouts;
  if (!entropyOld || !entropyNew) return null;
  const change = new Float64Array(entropyOld.length);
  for (let t = 0; t < change.length; t++) {
    change[t] = entropyOld[t] - entropyNew[t];
  }
  return sequenceMeans(change, offsets);
}

/** Fisher's z of Pearson's r over sequences; NaN where one of them does not vary. */
function shannonCorrelation(
  rollouts: Rollouts,
  shannon: Float64Array,
  logWeight: Float64Array,
): Measured {
  const { cluster, clusters } = promptClusters(rollouts);
  const sums = newClusterSums(clusters, 6);
  const centerX = finiteMean(shannon);
  const centerY = finiteMean(logWeight);
  for (let i = 0; i < shannon.length; i++) {
    const x = shannon[i] - centerX;
    const y = logWeight[i] - centerY;
    if (!Number.isFinite(x) || !Number.isFinite(y)) continue;
    addToCluster(sums, cluster[i], [1, x, y, x * x, x * y, y * y]);
  }
  return jackknifeOf(sums, fisherZ);
}

function finiteMean(values: Float64Array): number {
  return mean(values.filter(Number.isFinite));
}

/**
 * At most `limit` of 0 .. n - 1, ascending: those with the smallest hash, so that a point of the
 * sample stays while a run grows unless a smaller hash takes its place.
 */
function thinned(n: number, limit: number, seed: number): number[] {
  const all = Array.from({ length: n }, (_, i) => i);
  if (n <= limit) return all;
  const hash = Uint32Array.from(all, (i) => philox4x32(seed, STREAM.display, i, 0, 0, 0)[0]);
  return all
    .sort((a, b) => hash[a] - hash[b] || a - b)
    .slice(0, limit)
    .sort((a, b) => a - b);
}
