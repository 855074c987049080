/**
 * Sampling one token from one row of logits: the twin of `src/gpu/sampler.wgsl` for backends without
 * a GPU. Gumbel-max: argmax_v (logit_v / temperature + g_v), g_v = -log(-log(u_v)).
 *
 * Contract: u_v is word (v & 3) of Philox4x32-10 under key (seed, STREAM.sampling) and counter
 * (v >> 2, step, sequence, 0): the same bits as in WGSL. Scores are float32 there and here; the two
 * pick different tokens only where the best two scores are within a few float32 roundings.
 */
import { KernelInputError } from './kernel-input';
import { inverseTemperature, isUsable, nucleusOf, scoreOf } from './nucleus';
import { philox4x32, STREAM, unitInterval, type Words4 } from './philox';

export interface SampleSettings {
  /** 0 = greedy */
  temperature: number;
  /** 32-bit seed */
  seed: number;
  /** index of the sequence within the run, not within its batch */
  sequence: number;
  /** 0 for the first token of the response */
  step: number;
  /** only tokens of this nucleus (`nucleus.ts`); left out: 1, all of them */
  topP?: number | undefined;
}

/** Standard Gumbel from 32 random bits, rounded to float32. Finite for all bits. */
export function gumbel(bits: number): number {
  return Math.fround(-Math.log(-Math.log(unitInterval(bits))));
}

/**
 * @param logits float32; the row begins at `offset`. Those below LOWEST_LOGIT, above its mirror, or
 *   NaN are never picked
 * @returns token id in [0, vocabulary); ties go to the lowest id
 * @throws KernelInputError where no logit of the row can be picked
 */
export function sampleRow(
  logits: Float32Array,
  offset: number,
  vocabulary: number,
  { temperature, seed, sequence, step, topP = 1 }: SampleSettings,
): number {
  const scale = inverseTemperature(temperature);
  const { lowest } = nucleusOf(logits, offset, vocabulary, { temperature, topP });
  let words: Words4 = [0, 0, 0, 0];
  let best = -1;
  let bestScore = -Infinity;
  for (let v = 0; v < vocabulary; v++) {
    if (temperature > 0 && (v & 3) === 0) {
      words = philox4x32(seed, STREAM.sampling, v >>> 2, step, sequence, 0);
    }
    const x = logits[offset + v];
    if (!isUsable(x)) continue;
    const noise = temperature > 0 ? gumbel(words[v & 3]) : 0;
    const own = scoreOf(x, scale);
    if (own < lowest) continue;
    const score = Math.fround(own + noise);
    if (score > bestScore) {
      best = v;
      bestScore = score;
    }
  }
  if (best < 0) throw noUsableLogit(sequence, step);
  return best;
}

export function noUsableLogit(sequence: number, step: number): KernelInputError {
  return new KernelInputError(
    `No logit of sequence ${sequence}, step ${step} is a usable number; the policy cannot go on.`,
  );
}

/**
 * The noise of one row, for samplers that add it elsewhere; zeros for greedy.
 * @param out from `offset` on, `vocabulary` entries
 */
export function gumbelRow(
  out: Float32Array,
  offset: number,
  vocabulary: number,
  { temperature, seed, sequence, step }: SampleSettings,
): void {
  if (temperature === 0) {
    out.fill(0, offset, offset + vocabulary);
    return;
  }
  let words: Words4 = [0, 0, 0, 0];
  for (let v = 0; v < vocabulary; v++) {
    if ((v & 3) === 0) words = philox4x32(seed, STREAM.sampling, v >>> 2, step, sequence, 0);
    out[offset + v] = gumbel(words[v & 3]);
  }
}
