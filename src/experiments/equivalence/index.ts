/**
 * Experiment `equivalence`: the three forms of the sequence weight are one number.
 *
 * Liu (2025), the perplexity-entropy equivalence: (prod r_t)^(1/L) = PPL_old / PPL_theta
 * = exp(H_old - H_theta). Each form takes its own route through the kernels; each is compared with
 * exp(mean d_t) in float64 from the same float32 log-probs.
 *
 * Verdict: `holds` when the largest relative deviation of every form stays within `tolerance`
 * (float32 kernels: 1e-5, the bound that the kernels are tested to; float64: 1e-12), `fails` when one
 * does not, `too few` below MIN_SEQUENCES. `equivalence.shannon` (dH is not the Shannon entropy change) is
 * judged by the interval of the correlation between the two: `holds` below 0.99, `fails` above.
 */
import * as v from 'valibot';
import type { FloatArray, Histogram, HistogramSpec, SequenceForms } from '../../math/kernels';
import { philox4x32, STREAM } from '../../math/philox';
import {
  addToCluster,
  ClusterBootstrap,
  newClusterSums,
  transformed,
  type Estimate,
} from '../../math/stats/clusters';
import { histogramRange, quantileSorted, sortedFinite } from '../../math/stats/quantiles';
import { mean, variance } from '../../math/stats/moments';
import { fisherZ } from '../../math/stats/statistics';
import { promptClusters } from '../../rollouts/clusters';
import { sequenceCount, tokenCount, type Rollouts } from '../../rollouts/rollouts';
import type { Claim, Experiment } from '../experiment';
import { checkRollouts, meanLogRatios, responseLengths, sequenceMeans } from '../shared/input';
import { geometricLengthBins } from '../shared/length-bins';

export const MIN_SEQUENCES = 20;
export const FORMS = ['geometric', 'perplexity', 'entropy'] as const;
export type Form = (typeof FORMS)[number];

export const equivalenceSettingsSchema = v.strictObject({
  /** of the histograms */
  bins: v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(1000)),
});
export type EquivalenceSettings = v.InferOutput<typeof equivalenceSettingsSchema>;

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

export interface EquivalenceResult {
  sequences: number;
  tokens: number;
  kernels: 'webgpu' | 'cpu';
  spec: HistogramSpec;
  histograms: Record<Form, Histogram>;
  deviations: Deviation[];
  tolerance: number;
  underflow: UnderflowBin[];
  points: EquivalencePoint[];
  /** correlation of the Shannon-entropy change with dH over sequences; null if unknown */
  shannonCorrelation: number | null;
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
  claims: Claim[];
}

/** Equal steps of log length for the underflow table. */
const UNDERFLOW_BINS = 12;
const MAX_POINTS = 4000;
/** The naive product counts as lost when it is off by more than this. */
const NAIVE_TOLERANCE = 0.01;
/** Histograms are never narrower than this share of s: float32 rounding (1e-7) must not fill them. */
const MIN_RELATIVE_SPAN = 1e-4;
const TOLERANCE = { webgpu: 1e-5, cpu: 1e-12 } as const;
/** At or above this correlation the Shannon-entropy change and dH could pass for one quantity. */
const SAME_QUANTITY = 0.99;

const FORM_CLAIMS: Record<Form, string> = {
  geometric: 'Form 1, the geometric mean of the token ratios, is the sequence weight s.',
  perplexity: 'Form 2, the perplexity ratio PPL_old / PPL_theta, is the sequence weight s.',
  entropy: 'Form 3, exp(dH) with dH the cross-entropy change, is the sequence weight s.',
};

export const equivalence: Experiment<EquivalenceSettings, EquivalenceResult> = {
  id: 'equivalence',
  title: 'Three forms of one weight',
  question:
    'Are the geometric mean of the ratios, the perplexity ratio and the exponentiated entropy change ' +
    'one and the same number?',
  defaults: { bins: 60 },

  async run(rollouts, settings, context) {
    checkRollouts(rollouts);
    const { kernels } = context;
    const { logpOld, logpNew, offsets } = rollouts;
    const n = sequenceCount(rollouts);
    const tokens = tokenCount(rollouts);
    const tolerance = TOLERANCE[kernels.backend];
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
      (_, i) => (forms.crossEntropyOld[i] as number) - (forms.crossEntropyNew[i] as number),
    );
    const correlation =
      shannon && shannonCorrelation(rollouts, shannon, logWeight, new ClusterBootstrap(context));
    const points = thinned(n, MAX_POINTS, context.seed).map((i) => ({
      sequence: i,
      geometric: forms.geometric[i] as number,
      perplexity: forms.perplexity[i] as number,
      entropy: forms.entropy[i] as number,
      length: lengths[i] as number,
      shannonChange: shannon ? (shannon[i] as number) : null,
      crossEntropyChange: crossEntropyChange[i] as number,
    }));
    context.progress?.(1);

    return {
      sequences: n,
      tokens,
      kernels: kernels.backend,
      spec,
      histograms,
      deviations,
      tolerance,
      underflow: underflowTable(lengths, forms.naive, reference),
      points,
      shannonCorrelation:
        correlation && Number.isFinite(correlation.estimate) ? correlation.estimate : null,
      summary: {
        meanLogWeight: mean(logWeight),
        sdLogWeight: Math.sqrt(variance(logWeight)),
        meanS: mean(reference),
        meanPplOld: mean(forms.pplOld),
        meanPplNew: mean(forms.pplNew),
        meanCrossEntropyOld: mean(forms.crossEntropyOld),
        meanCrossEntropyNew: mean(forms.crossEntropyNew),
      },
      claims: [
        ...deviations.map((d) => formClaim(d, n, tolerance)),
        shannonClaim(correlation, shannon ? n : 0),
      ],
    };
  },
};

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
    const value = values[i] as number;
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
      const off = Math.abs((naive[i] as number) / (reference[i] as number) - 1);
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
    change[t] = (entropyOld[t] as number) - (entropyNew[t] as number);
  }
  return sequenceMeans(change, offsets);
}

/** Pearson's r over sequences; interval by the cluster bootstrap of Fisher's z over prompts. */
function shannonCorrelation(
  rollouts: Rollouts,
  shannon: Float64Array,
  logWeight: Float64Array,
  bootstrap: ClusterBootstrap,
): Estimate {
  const { cluster, clusters } = promptClusters(rollouts);
  const sums = newClusterSums(clusters, 6);
  const centerX = finiteMean(shannon);
  const centerY = finiteMean(logWeight);
  for (let i = 0; i < shannon.length; i++) {
    const x = (shannon[i] as number) - centerX;
    const y = (logWeight[i] as number) - centerY;
    if (!Number.isFinite(x) || !Number.isFinite(y)) continue;
    addToCluster(sums, cluster[i] as number, [1, x, y, x * x, x * y, y * y]);
  }
  return transformed(bootstrap.estimate(sums, fisherZ), Math.tanh);
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
    .sort((a, b) => (hash[a] as number) - (hash[b] as number) || a - b)
    .slice(0, limit)
    .sort((a, b) => a - b);
}

function formClaim({ form, max }: Deviation, n: number, tolerance: number): Claim {
  return {
    id: `equivalence.${form}`,
    claim: FORM_CLAIMS[form],
    prediction: 0,
    measured: max,
    interval: null,
    n,
    nOf: 'sequences',
    verdict: n < MIN_SEQUENCES ? 'too few' : max <= tolerance ? 'holds' : 'fails',
    rule:
      `Largest relative deviation from exp(mean d_t) in float64 over all sequences; holds up to ` +
      `${tolerance}, too few below ${MIN_SEQUENCES} sequences.`,
  };
}

function shannonClaim(correlation: Estimate | null, n: number): Claim {
  const interval = correlation?.interval ?? null;
  let verdict: Claim['verdict'] = 'too few';
  if (interval && n >= MIN_SEQUENCES) {
    if (interval[1] < SAME_QUANTITY) verdict = 'holds';
    else if (interval[0] >= SAME_QUANTITY) verdict = 'fails';
  }
  return {
    id: 'equivalence.shannon',
    claim:
      'dH is the change of the cross-entropy of the sampled response, ' +
      "not the change of the policy's Shannon entropy.",
    prediction: null,
    measured: correlation && Number.isFinite(correlation.estimate) ? correlation.estimate : null,
    interval,
    n,
    nOf: 'sequences',
    verdict,
    rule:
      `Correlation of the two changes over sequences, 95 % interval by cluster bootstrap over prompts; ` +
      `holds when the interval lies below ${SAME_QUANTITY}, fails when it lies above, otherwise too few. ` +
      'Sources without Shannon entropies cannot decide it.',
  };
}
