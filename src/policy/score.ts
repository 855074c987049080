/**
 * Teacher-forced scoring: log-probs, entropies and collision probabilities of given responses.
 *
 * Contract: on WebGPU the logits are read in place by our kernel and never reach the CPU; on wasm they
 * are already there and go through the float64 kernels. Prompt and padding rows are never read.
 */
import type { Tensor } from 'onnxruntime-web';
import type { FloatArray, Kernels, TokenStats } from '../math/kernels';
import { padBatch } from './batch';
import type { Provider } from './runtime';
import { disposeTensors, type PolicySession, type ResidentWeights } from './session';

export interface ScoredSequence {
  prompt: readonly number[];
  response: readonly number[];
}

/** Reads logits where they are; `src/gpu` offers this beside the plain `Kernels`. */
export interface InPlaceTokenStats {
  tokenStatsInPlace(
    logits: GPUBuffer,
    request: { vocabulary: number; rows: Uint32Array; targets: Uint32Array },
  ): Promise<TokenStats>;
}

/** What a graph says of each token beside its logits: `width` numbers each, row-major. */
export interface ExtraColumn {
  width: number;
  values: Float32Array | Int32Array;
}

export interface ScoredTokens extends TokenStats {
  /** by the name of the graph's output */
  extras: Record<string, ExtraColumn>;
}

export type ScoringKernels = Kernels & Partial<InPlaceTokenStats>;

/**
 * Padded tokens per forward pass. `most` bounds memory and the time between two looks at `signal`; from
 * `least` on, a pass rather ends than pads: padding costs as much as text, and a pass of its own costs
 * little on wasm, more on a GPU that wants to be kept busy.
 */
const TOKENS_PER_PASS = {
  wasm: { least: 256, most: 2048 },
  webgpu: { least: 2048, most: 8192 },
};

/** The shortest sequence of a pass, relative to its longest. */
const LEAST_FILL = 0.85;

/** Sequence indices in passes of similar length, longest first. */
function passes(sequences: readonly ScoredSequence[], provider: Provider): number[][] {
  const { least, most } = TOKENS_PER_PASS[provider];
  const lengths = sequences.map(({ prompt, response }) => prompt.length + response.length);
  const lengthOf = (i: number) => lengths[i];
  const order = sequences.map((_, i) => i).sort((a, b) => lengthOf(b) - lengthOf(a));
  const result: number[][] = [];
  let pass: number[] = [];
  for (const i of order) {
    const longest = lengthOf(pass[0] ?? i);
    const full = (pass.length + 1) * longest > most;
    const wasteful = pass.length * longest >= least && lengthOf(i) < LEAST_FILL * longest;
    if (pass.length > 0 && (full || wasteful)) {
      result.push(pass);
      pass = [];
    }
    pass.push(i);
  }
  if (pass.length > 0) result.push(pass);
  return result;
}

/**
 * @returns token columns in the order of `sequences`, response tokens only, end to end
 * @throws AbortError when `signal` fires between passes
 */
export async function scoreSequences(
  session: PolicySession,
  weights: ResidentWeights,
  kernels: ScoringKernels,
  sequences: readonly ScoredSequence[],
  pad: number,
  signal?: AbortSignal,
): Promise<ScoredTokens> {
  const offsets = [0];
  for (const { response } of sequences) offsets.push((offsets.at(-1) as number) + response.length);
  const total = offsets.at(-1) as number;
  const column = (): FloatArray =>
    kernels.backend === 'webgpu' ? new Float32Array(total) : new Float64Array(total);
  const stats = { logp: column(), entropy: column(), collision: column() };
  const result: ScoredTokens = { ...stats, extras: {} };

  for (const pass of passes(sequences, session.runtime.provider)) {
    signal?.throwIfAborted();
    const chosen = pass.map((i) => sequences[i]);
    const batch = padBatch(
      session,
      chosen.map(({ prompt, response }) => [...prompt, ...response]),
      'right',
      pad,
    );
    // The logits that predict token j of a row stand at position j - 1.
    const rows: number[] = [];
    const targets: number[] = [];
    const places: number[] = [];
    chosen.forEach(({ prompt, response }, row) => {
      response.forEach((token, j) => {
        rows.push(row * batch.length + prompt.length + j - 1);
        targets.push(token);
        places.push(offsets[pass[row]] + j);
      });
    });

    const { logits, present, extras } = await session.forward(weights, batch);
    disposeTensors(present);
    const vocabulary = logits.dims[2];
    const scored = await rowStats(kernels, logits, vocabulary, rows, targets);
    logits.dispose();
    places.forEach((place, i) => {
      result.logp[place] = scored.logp[i];
      result.entropy[place] = scored.entropy[i];
      result.collision[place] = scored.collision[i];
    });
    for (const [name, tensor] of Object.entries(extras)) {
      const extra = (result.extras[name] ??= emptyColumn(tensor, total));
      const values = (await tensor.getData(true)) as ArrayLike<number | bigint>;
      const { width } = extra;
      places.forEach((place, i) => {
        for (let k = 0; k < width; k++) {
          extra.values[place * width + k] = Number(values[rows[i] * width + k]);
        }
      });
    }
  }
  return result;
}

/** For a [batch, length, ...] output. */
function emptyColumn({ type, dims }: Tensor, tokens: number): ExtraColumn {
  const width = dims.slice(2).reduce((product, size) => product * size, 1);
  const values = new (type === 'float32' ? Float32Array : Int32Array)(tokens * width);
  return { width, values };
}

async function rowStats(
  kernels: ScoringKernels,
  logits: { location: string; gpuBuffer: unknown; data: unknown },
  vocabulary: number,
  rows: number[],
  targets: number[],
): Promise<TokenStats> {
  if (logits.location === 'gpu-buffer') {
    if (!kernels.tokenStatsInPlace) throw new Error('Logits on the GPU need the WebGPU kernels.');
    return kernels.tokenStatsInPlace(logits.gpuBuffer as GPUBuffer, {
      vocabulary,
      rows: Uint32Array.from(rows),
      targets: Uint32Array.from(targets),
    });
  }
  const all = logits.data as Float32Array;
  const wanted = new Float32Array(rows.length * vocabulary);
  rows.forEach((row, i) => {
    wanted.set(all.subarray(row * vocabulary, (row + 1) * vocabulary), i * vocabulary);
  });
  return kernels.tokenStats(wanted, vocabulary, Uint32Array.from(targets));
}
