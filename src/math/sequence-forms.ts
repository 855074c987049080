/**
 * The GSPO sequence weight by its three routes (Liu 2025, the perplexity-entropy equivalence), in
 * float64: the oracle of `src/gpu/sequence-forms.wgsl`.
 *
 *   (prod r_t)^(1/L) = PPL_old / PPL_theta = exp(H_old - H_theta),  r_t = pi_theta / pi_old
 *
 * Contract: no route borrows another one's intermediate. A log-prob of -inf is a probability of 0 and
 * goes through as such; one that is no log-prob (NaN, +inf, |log p| >= LOG_PROB_LIMIT) turns all
 * figures of its sequence into NaN.
 */
import { LOG_PROB_LIMIT } from './kernel-input';
import type { FloatArray, SequenceForms } from './kernels';
import { compensatedMean, compensatedMeanDifference } from './summation';

const LN2_HIGH = 0.69314718036912381649; // ln 2 to 33 bits: k * LN2_HIGH is exact
const LN2_LOW = 1.90821492927058770002e-10;

/** e^x = mantissa 2^exponent, the mantissa near 1: no finite x over- or underflows. */
function scaledExp(x: number): { mantissa: number; exponent: number } {
  if (!Number.isFinite(x)) return { mantissa: Math.exp(x), exponent: 0 };
  const exponent = Math.round(x / Math.LN2);
  return { mantissa: Math.exp(x - exponent * LN2_HIGH - exponent * LN2_LOW), exponent };
}

/** Empirical cross-entropy of tokens [start, end): -(1/L) sum log p, nats per token. */
export function crossEntropy(logp: FloatArray, start: number, end: number): number {
  return -compensatedMean(logp, start, end);
}

/** log s = (1/L) sum_t (b_t - a_t) over tokens [start, end), compensated. */
export function logWeight(
  logpOld: FloatArray,
  logpNew: FloatArray,
  start: number,
  end: number,
): number {
  return compensatedMeanDifference(logpNew, logpOld, start, end);
}

/** Log-ratios up to this keep a product that is within 2^+-500 a float64; ratios beyond are taken apart. */
const PLAIN_LOG_RATIO = 300;

/**
 * Form 1: the token ratios multiplied one by one. The product keeps its binary exponent apart, so nothing
 * over- or underflows; then the L-th root in log2 space.
 */
export function geometricMean(
  logpOld: FloatArray,
  logpNew: FloatArray,
  start: number,
  end: number,
): number {
  let mantissa = 1;
  let exponent = 0;
  for (let t = start; t < end; t++) {
    const logRatio = logpNew[t] - logpOld[t];
    if (Math.abs(logRatio) <= PLAIN_LOG_RATIO) {
      mantissa *= Math.exp(logRatio);
    } else {
      const ratio = scaledExp(logRatio);
      mantissa *= ratio.mantissa;
      exponent += ratio.exponent;
    }
    if (mantissa < 2 ** -500) {
      mantissa *= 2 ** 500;
      exponent -= 500;
    } else if (mantissa > 2 ** 500 && mantissa < Infinity) {
      mantissa *= 2 ** -500;
      exponent += 500;
    }
  }
  return 2 ** ((Math.log2(mantissa) + exponent) / (end - start));
}

/**
 * Form 2: the quotient of the two perplexities, each from its own cross-entropy and kept with its
 * exponent apart, so that it exists even where a perplexity is too large for a float64.
 */
export function perplexityQuotient(hOld: number, hNew: number): number {
  const pplOld = scaledExp(hOld);
  const pplNew = scaledExp(hNew);
  return (pplOld.mantissa / pplNew.mantissa) * 2 ** (pplOld.exponent - pplNew.exponent);
}

/**
 * The textbook quotient, in float32 on purpose: prod pi_theta / prod pi_old, then the L-th root. Both
 * products underflow near 87 to 103 nats; what is left is 0, inf or NaN.
 */
export function naiveWeight(
  logpOld: FloatArray,
  logpNew: FloatArray,
  start: number,
  end: number,
): number {
  let productOld = 1;
  let productNew = 1;
  for (let t = start; t < end; t++) {
    productOld = Math.fround(productOld * Math.fround(Math.exp(logpOld[t])));
    productNew = Math.fround(productNew * Math.fround(Math.exp(logpNew[t])));
    // Nothing that follows can bring either back.
    if (productOld === 0 && productNew === 0) return NaN;
  }
  return Math.fround(Math.fround(productNew / productOld) ** (1 / (end - start)));
}

function allLogProbs(logp: FloatArray, start: number, end: number): boolean {
  for (let t = start; t < end; t++) {
    const x = logp[t];
    if (!(Math.abs(x) < LOG_PROB_LIMIT || x === -Infinity)) return false;
  }
  return true;
}

/** @param offsets [n + 1]; every sequence has at least one token */
export function sequenceForms(
  logpOld: FloatArray,
  logpNew: FloatArray,
  offsets: Uint32Array,
): SequenceForms {
  const n = offsets.length - 1;
  const column = () => new Float64Array(n).fill(NaN);
  const out = {
    geometric: column(),
    perplexity: column(),
    entropy: column(),
    pplOld: column(),
    pplNew: column(),
    crossEntropyOld: column(),
    crossEntropyNew: column(),
    logWeight: column(),
    naive: column(),
  };
  for (let i = 0; i < n; i++) {
    const start = offsets[i];
    const end = offsets[i + 1];
    if (!allLogProbs(logpOld, start, end) || !allLogProbs(logpNew, start, end)) continue;
    const hOld = crossEntropy(logpOld, start, end);
    const hNew = crossEntropy(logpNew, start, end);
    out.crossEntropyOld[i] = hOld;
    out.crossEntropyNew[i] = hNew;
    out.pplOld[i] = Math.exp(hOld);
    out.pplNew[i] = Math.exp(hNew);
    out.geometric[i] = geometricMean(logpOld, logpNew, start, end);
    out.perplexity[i] = perplexityQuotient(hOld, hNew);
    out.entropy[i] = Math.exp(hOld - hNew);
    out.logWeight[i] = logWeight(logpOld, logpNew, start, end);
    out.naive[i] = naiveWeight(logpOld, logpNew, start, end);
  }
  return out;
}
