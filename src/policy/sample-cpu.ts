/**
 * Cached decoding on the wasm provider, step by step: for graphs that `graph/decode-loop.ts` cannot take, and
 * what `decoder.ts` is compared with. Sequences that have ended are taken out of the batch as soon as a quarter
 * of it is idle: the cache crosses the wasm border twice per step, so rows that nobody needs cost the most here.
 * A prompt is computed once for all of its responses.
 */
import type { Tensor } from 'onnxruntime-web';
import { nucleusOf } from '../math/nucleus';
import { sampleRow } from '../math/sampler';
import { lastRows, padBatch } from './batch';
import {
  isEnd,
  responseLimit,
  truncates,
  type SampledSequence,
  type SampleRequest,
} from './sample-request';
import type { KeyValueCache, PolicySession, ResidentWeights } from './session';

const IDLE_SHARE = 0.25;

/** Rows `keep` of a [batch, ...] tensor, in this order; one may stand there several times. */
function selectRows(session: PolicySession, tensor: Tensor, keep: readonly number[]): Tensor {
  const [batch, ...rest] = tensor.dims as [number, ...number[]];
  const all = tensor.data as Float32Array;
  const stride = all.length / batch;
  // An array of the tensor's own kind: a cache may be float16.
  const kept = new (all.constructor as Float32ArrayConstructor)(keep.length * stride);
  keep.forEach((row, i) => kept.set(all.subarray(row * stride, (row + 1) * stride), i * stride));
  return new session.runtime.ort.Tensor(tensor.type, kept as never, [keep.length, ...rest]);
}

const selectAll = (session: PolicySession, caches: KeyValueCache, keep: readonly number[]) =>
  Object.fromEntries(
    Object.entries(caches).map(([name, tensor]) => [name, selectRows(session, tensor, keep)]),
  );

export async function sampleOnCpu(
  session: PolicySession,
  weights: ResidentWeights,
  request: SampleRequest,
): Promise<SampledSequence[]> {
  const { prompts, temperature, seed, topP = 1 } = request;
  const limits = prompts.map(({ length }) => responseLimit(request, length));
  const results: SampledSequence[] = prompts.map(() => ({
    tokens: [],
    finished: false,
    ...(truncates(request) ? { logKept: [] } : {}),
  }));
  const texts = prompts.map((prompt) => prompt.join());
  const different = [...new Set(texts)];
  const batch = padBatch(
    session,
    different.map((text) => prompts[texts.indexOf(text)]),
    'left',
    request.padToken,
  );
  const width = batch.length;

  /** sequence of each row that is still being decoded */
  let rows = prompts.map((_, i) => i);
  /** where each of them is among the rows of the pass before */
  let places = texts.map((text) => different.indexOf(text));
  let output = await session.forward(weights, { ...batch, rows: lastRows(batch) });
  for (let step = 0; ; step++) {
    request.signal?.throwIfAborted();
    const { rows: at } = output;
    const vocabulary = output.logits.dims[2];
    const logits = output.logits.data as Float32Array;
    const live: number[] = [];
    rows.forEach((sequence, row) => {
      const result = results[sequence];
      if (result.finished || result.tokens.length >= limits[sequence]) return;
      const offset = at[places[row]] * vocabulary;
      const token = sampleRow(logits, offset, vocabulary, {
        temperature,
        topP,
        seed,
        sequence: request.firstSequence + sequence,
        step,
      });
      result.tokens.push(token);
      result.logKept?.push(nucleusOf(logits, offset, vocabulary, { temperature, topP }).logKept);
      if (isEnd(request, token)) result.finished = true;
      else if (result.tokens.length < limits[sequence]) live.push(row);
    });
    if (live.length === 0) return results;

    if (!session.rules.cached) {
      rows = live.map((row) => rows[row]);
      places = rows.map((_, row) => row);
      const soFar = rows.map((i) => [...prompts[i], ...results[i].tokens]);
      const whole = padBatch(session, soFar, 'left', request.padToken);
      output = await session.forward(weights, { ...whole, rows: lastRows(whole) });
      continue;
    }
    let past: KeyValueCache = output.present;
    if (different.length < prompts.length && step === 0) {
      past = selectAll(
        session,
        past,
        live.map((row) => places[row]),
      );
      rows = live.map((row) => rows[row]);
    } else if (live.length <= rows.length * (1 - IDLE_SHARE)) {
      past = selectAll(session, past, live);
      rows = live.map((row) => rows[row]);
    }
    places = rows.map((_, row) => row);
    output = await session.forward(
      weights,
      decodeInputs(session, request, results, rows, width, step, past),
    );
  }
}

/** Inputs of one decode step: the last token of each row, everything before it in the cache. */
function decodeInputs(
  session: PolicySession,
  request: SampleRequest,
  results: readonly SampledSequence[],
  rows: readonly number[],
  width: number,
  step: number,
  past: KeyValueCache,
) {
  const total = width + step + 1;
  const ids = new Int32Array(rows.length);
  const positions = new Int32Array(rows.length);
  const mask = new Int32Array(rows.length * total).fill(1);
  rows.forEach((sequence, row) => {
    const promptLength = request.prompts[sequence].length;
    ids[row] = results[sequence].tokens.at(-1) as number;
    // Rows that have ended and still stand there go on within the policy's positions.
    positions[row] = Math.min(promptLength + step, request.maxPositions - 1);
    mask.fill(0, row * total, row * total + width - promptLength);
  });
  return {
    inputIds: session.integers(ids, [rows.length, 1]),
    attentionMask: session.integers(mask, [rows.length, total]),
    positionIds: session.integers(positions, [rows.length, 1]),
    past,
  };
}
