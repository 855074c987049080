/**
 * How fast a backend samples, and how many responses at a time serve it best. Contract: found by running, not by
 * rule; what a run finds does not depend on it, only how soon.
 *
 * A decode step on a GPU is some 150 dispatches whatever its rows: on an H200 it took 15 ms with 32 rows and
 * with 256, 22 ms with 512, 26 ms with 1,024 (README). Phones and laptops are full with fewer.
 */
import type { PolicyFiles } from './fetch';
import { randomPrompts, requestFor, type Known, type PolicySide } from './check';
import { cacheLayout } from './graph/ports';
import { sampleSequences } from './sample';

export interface Speed {
  /** responses at a time */
  rows: number;
  /** sampled, at that many rows, by short responses to short prompts */
  tokensPerSecond: number;
  /** one token of every row */
  msPerStep: number;
}

export const LEAST_ROWS = 32;
const MOST_ROWS = 2048;

/** A longer step holds the page's own drawing up on the same GPU. */
const STUTTER_MS = 50;

/** The next size is worth it where the time per response falls by a tenth. */
const WORTH = 0.9;

/**
 * Doubles the rows until the time per response stops falling or a step takes longer than a page may stand still.
 * @param most rows that fit the device
 */
export async function bestBatch(
  measure: (rows: number) => Promise<Speed>,
  most = MOST_ROWS,
): Promise<Speed> {
  let best = await measure(LEAST_ROWS);
  for (let rows = 2 * LEAST_ROWS; rows <= Math.min(most, MOST_ROWS); rows *= 2) {
    if (best.msPerStep > STUTTER_MS) break;
    const next = await measure(rows);
    const falls = next.msPerStep / next.rows < (WORTH * best.msPerStep) / best.rows;
    if (!falls || next.msPerStep > STUTTER_MS) break;
    best = next;
  }
  return best;
}

/**
 * Rows whose caches, of the step before and of the one being computed, are no larger together than the largest
 * buffer of the device: WebGPU tells no other measure of its memory.
 */
export function rowsThatFit(
  { session }: Pick<PolicySide, 'session'>,
  { maxPositions }: Pick<PolicyFiles, 'maxPositions'>,
  { maxBufferSize }: Pick<GPUSupportedLimits, 'maxBufferSize'>,
): number {
  const floats = session.ports.caches.reduce((sum, port) => {
    const layout = cacheLayout(port);
    return sum + (layout === null ? 0 : layout.outer * layout.inner * maxPositions);
  }, 0);
  return Math.max(LEAST_ROWS, Math.floor(maxBufferSize / Math.max(1, 2 * 4 * floats)));
}

const PROMPT_LENGTH = 4;

/** Few on a GPU, where all rows step together; the decoder on WebAssembly takes a dozen at once. */
const STEPS = { webgpu: 4, wasm: 12 };

/** Slow devices are measured once, with what it takes to compile; others again. */
const SLOW_MS = 400;

/** Samples `rows` short responses, to warm up and then to be timed. */
export async function samplingSpeed(
  { session, weights }: PolicySide,
  files: Known,
  rows: number,
  signal?: AbortSignal,
  steps = STEPS[session.runtime.provider],
): Promise<Speed> {
  const lengths = Array.from({ length: rows }, () => PROMPT_LENGTH);
  const request = requestFor(files, randomPrompts(files, lengths), steps, signal);
  const once = async () => {
    const began = performance.now();
    const { sequences } = await sampleSequences(session, weights, request);
    const ms = Math.max(1e-3, performance.now() - began);
    return { ms, tokens: sequences.reduce((sum, { tokens }) => sum + tokens.length, 0) };
  };
  let run = await once();
  if (run.ms < SLOW_MS) run = await once();
  return { rows, tokensPerSecond: (run.tokens / run.ms) * 1000, msPerStep: run.ms / steps };
}

/** Enough that what a batch costs once does not decide. */
const COMPARED_STEPS = 16;

/**
 * Whether the device samples the same in steps of fixed shapes (`static-decoder.ts`), and faster; the session is left
 * to do so, or not to.
 * @param agrees compares a sampled batch
 */
export async function tryFixedShapes(
  device: PolicySide,
  files: Known,
  rows: number,
  agrees: () => Promise<boolean>,
  signal?: AbortSignal,
): Promise<Speed | null> {
  const { session } = device;
  const measure = () => samplingSpeed(device, files, rows, signal, COMPARED_STEPS);
  const growing = await measure();
  session.fixedShapes = true;
  let fixed: Speed | null = null;
  try {
    if (await agrees()) fixed = await measure();
  } catch (error) {
    if (signal?.aborted) throw error;
  } finally {
    session.fixedShapes = fixed !== null && fixed.tokensPerSecond > growing.tokensPerSecond;
  }
  return session.fixedShapes ? fixed : null;
}
