/**
 * Whether a device computes what it should: every kernel on small data against float64. Contract: takes a few
 * milliseconds on a GPU (seconds where its shaders are compiled in software); returns how far each is off and how
 * far it may be. What a kernel throws is the caller's.
 */
import { cpuKernels } from '../math/cpu-kernels';
import type { Kernels } from '../math/kernels';
import { Random, STREAM } from '../math/philox';

/** What a device made of something, against what is right. */
export interface Comparison {
  /** what was computed, in the plural */
  what: string;
  /** largest deviation, relative where the right value is above 1; Infinity: no number, or a wrong count of them */
  by: number;
  allowed: number;
}

export const disagrees = ({ by, allowed }: Comparison): boolean => !(by <= allowed);

/** Float32 kernels against float64: log-probs, weights and moments (`kernels.gpu.test.ts` asks for the same). */
const ROUNDING = 1e-5;

/** |got - want|, relative where |want| > 1; the largest of all. */
export function deviation(got: ArrayLike<number>, want: ArrayLike<number>): number {
  if (got.length !== want.length) return Infinity;
  let largest = 0;
  for (let i = 0; i < want.length; i++) {
    const [x, y] = [got[i], want[i]];
    if (Object.is(x, y)) continue;
    const off = Math.abs(x - y) / Math.max(1, Math.abs(y));
    largest = Math.max(largest, Number.isNaN(off) ? Infinity : off);
  }
  return largest;
}

export function compare(
  what: string,
  got: ArrayLike<number>,
  want: ArrayLike<number>,
  allowed: number,
): Comparison {
  return { what, by: deviation(got, want), allowed };
}

/** Vocabularies on both sides of where the token kernel gives a row more than one thread. */
const VOCABULARIES = [18, 300];
const ROWS = 5;

async function checkTokenStats(kernels: Kernels, random: Random): Promise<Comparison[]> {
  const found: Comparison[] = [];
  for (const vocabulary of VOCABULARIES) {
    const logits = Float32Array.from({ length: ROWS * vocabulary }, () => 4 * random.normal());
    const targets = Uint32Array.from({ length: ROWS }, () => random.integer(vocabulary));
    const got = await kernels.tokenStats(logits, vocabulary, targets);
    const want = await cpuKernels.tokenStats(logits, vocabulary, targets);
    found.push(
      compare(`log-probs over ${vocabulary} tokens`, got.logp, want.logp, ROUNDING),
      compare(`entropies over ${vocabulary} tokens`, got.entropy, want.entropy, ROUNDING),
      compare(
        `collision probabilities over ${vocabulary} tokens`,
        got.collision,
        want.collision,
        ROUNDING,
      ),
    );
  }
  return found;
}

/** Lengths of one token and of more than a workgroup. */
const OFFSETS = Uint32Array.of(0, 1, 41, 341);
const TOKENS = 341;
const LONGEST = 300;
const LAGS = 4;
const BINS = { low: -1, high: 1, bins: 8 };

async function checkSequences(kernels: Kernels, random: Random): Promise<Comparison[]> {
  const logpOld = Float32Array.from({ length: TOKENS }, () => -Math.abs(random.normal()));
  const logpNew = logpOld.map((a) => Math.min(0, a + 0.5 * random.normal()));
  const ratio = logpNew.map((b, t) => b - logpOld[t]);
  const of = async (on: Kernels) => ({
    forms: await on.sequenceForms(logpOld, logpNew, OFFSETS),
    counts: await on.histogram(ratio, BINS),
    moments: await on.prefixMoments(ratio, OFFSETS, LONGEST),
    lags: await on.autocovariance(ratio, OFFSETS, 0.1, LAGS),
  });
  const [got, want] = [await of(kernels), await of(cpuKernels)];
  const found: Comparison[] = [];
  for (const form of ['geometric', 'perplexity', 'entropy', 'logWeight'] as const) {
    const what = form === 'logWeight' ? 'log weights' : `weights in the ${form} form`;
    found.push(compare(what, got.forms[form], want.forms[form], ROUNDING));
  }
  return [
    ...found,
    compare('histogram counts', got.counts.counts, want.counts.counts, 0),
    compare('prefix counts', got.moments.count, want.moments.count, 0),
    compare('prefix means', got.moments.mean, want.moments.mean, ROUNDING),
    compare('prefix variances', got.moments.m2, want.moments.m2, ROUNDING),
    compare('autocovariances', got.lags.sums, want.lags.sums, ROUNDING),
  ];
}

/**
 * @returns every comparison, whether it agrees or not
 * @throws KernelInputError, ShaderError, GpuError: a kernel that does not run at all
 */
export async function compareKernels(kernels: Kernels): Promise<Comparison[]> {
  const random = new Random(1, STREAM.display);
  return [...(await checkTokenStats(kernels, random)), ...(await checkSequences(kernels, random))];
}

/** What is off, and by how much; nothing where all agree. */
export async function checkKernels(kernels: Kernels): Promise<Comparison[]> {
  return (await compareKernels(kernels)).filter(disagrees);
}
