/**
 * Teacher-forced scoring: log-probs, entropies and collision probabilities of given responses.
 *
 * Contract: on WebGPU the logits are read in place by our kernel and never reach the CPU; on wasm they
 * are already there and go through the float64 kernels. Prompt and padding rows are never read.
 */
import type { Tensor } from 'onnxruntime-web';
import type { FloatArray, Kernels, TokenStats } from '../math/kernels';
import { padBatch } from './batch';
import { CacheJoiner, type CacheArray, type CachePiece } from './cache-rows';
import { cacheLayout, type CacheLayout } from './graph/ports';
import { ROUTER } from './graph/routes';
import type { ForwardOutputs, PolicySession, ResidentWeights } from './session';

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

/** Indices in passes of similar length, longest first. @param lengths tokens that each puts into a pass */
function passes(
  lengths: readonly number[],
  { runtime, rules, passRows }: Pick<PolicySession, 'runtime' | 'rules' | 'passRows'>,
): number[][] {
  const usual = TOKENS_PER_PASS[runtime.provider];
  const most = Math.min(usual.most, passRows);
  const least = Math.min(usual.least, most);
  const apart = (a: number, b: number) =>
    rules.score === 'alone' || (rules.score === 'same length' && a !== b);
  const lengthOf = (i: number) => lengths[i];
  const order = lengths.map((_, i) => i).sort((a, b) => lengthOf(b) - lengthOf(a));
  const result: number[][] = [];
  let pass: number[] = [];
  for (const i of order) {
    const longest = lengthOf(pass[0] ?? i);
    const full = (pass.length + 1) * longest > most;
    const wasteful = pass.length * longest >= least && lengthOf(i) < LEAST_FILL * longest;
    if (pass.length > 0 && (full || wasteful || apart(longest, lengthOf(i)))) {
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

  /** Reads the tokens of one pass out of its logits: row of the logits, token, place in the result. */
  const put = async (
    { logits, rows: at, extras }: Pick<ForwardOutputs, 'logits' | 'rows' | 'extras'>,
    { rows, targets, places }: Read,
  ): Promise<void> => {
    const scored = await rowStats(kernels, logits, logits.dims[2], at, targets);
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
  };

  const shared = sharedPrompts(session, sequences);
  if (shared !== null) {
    await scoreBehind(session, weights, { sequences, shared, offsets, pad, put, signal });
    return result;
  }
  const lengths = sequences.map(({ prompt, response }) => prompt.length + response.length);
  for (const pass of passes(lengths, session)) {
    signal?.throwIfAborted();
    const chosen = pass.map((i) => sequences[i]);
    const batch = padBatch(
      session,
      chosen.map(({ prompt, response }) => [...prompt, ...response]),
      'right',
      pad,
    );
    const read = readOf(chosen, batch.length, (row) => offsets[pass[row]]);
    // One long response may have more rows than a pass may hand out.
    for (let from = 0; from < read.rows.length; from += session.passRows) {
      const part = slice(read, from, from + session.passRows);
      const { rows } = part;
      await put(await session.forward(weights, { ...batch, rows, caches: false }), part);
    }
  }
  return result;
}

/**
 * Log-probs under theta where every token, the prompt's too, goes to the experts that old sends it to: routing replay
 * (Zheng et al. 2025, Group Sequence Policy Optimization, section 5.3). How the experts are weighed is theta's.
 * @returns [tokens] in the order of `sequences`, response tokens only, end to end; null where there are no experts
 * @throws AbortError when `signal` fires between passes
 */
export async function scoreReplayed(
  session: PolicySession,
  { old, theta }: { old: ResidentWeights; theta: ResidentWeights },
  kernels: ScoringKernels,
  sequences: readonly ScoredSequence[],
  pad: number,
  signal?: AbortSignal,
): Promise<FloatArray | null> {
  const replay = await session.replaySession();
  if (replay === null) return null;
  const offsets = [0];
  for (const { response } of sequences) offsets.push((offsets.at(-1) as number) + response.length);
  const total = offsets.at(-1) as number;
  const logp = kernels.backend === 'webgpu' ? new Float32Array(total) : new Float64Array(total);
  const lengths = sequences.map(({ prompt, response }) => prompt.length + response.length);
  for (const pass of passes(lengths, session)) {
    signal?.throwIfAborted();
    const chosen = pass.map((i) => sequences[i]);
    const tokens = chosen.map(({ prompt, response }) => [...prompt, ...response]);
    const batch = padBatch(session, tokens, 'right', pad);
    const read = readOf(chosen, batch.length, (row) => offsets[pass[row]]);
    const told = await session.forward(old, { ...batch, caches: false });
    const routes = (await told.extras[ROUTER].getData(true)) as ArrayLike<number>;
    told.logits.dispose();
    const { logits, rows } = await replay.forward(theta, { ...batch, rows: read.rows }, routes);
    const scored = await rowStats(kernels, logits, logits.dims[2], rows, read.targets);
    logits.dispose();
    read.places.forEach((place, i) => (logp[place] = scored.logp[i]));
  }
  return logp;
}

/**
 * The experts that every token of a sequence goes to, the prompt's too.
 * @returns for each sequence, [prompt and response tokens x 2 layers] as `math/routing.ts` reads them; null where there
 * are no experts
 * @throws AbortError when `signal` fires between passes
 */
export async function routesOf(
  session: PolicySession,
  weights: ResidentWeights,
  sequences: readonly ScoredSequence[],
  pad: number,
  signal?: AbortSignal,
): Promise<Float32Array<ArrayBuffer>[] | null> {
  if (!session.ports.extras.some(({ name }) => name === ROUTER)) return null;
  const result: Float32Array<ArrayBuffer>[] = [];
  const tokens = sequences.map(({ prompt, response }) => [...prompt, ...response]);
  for (const pass of passes(
    tokens.map(({ length }) => length),
    session,
  )) {
    signal?.throwIfAborted();
    const chosen = pass.map((i) => tokens[i]);
    const batch = padBatch(session, chosen, 'right', pad);
    const { logits, extras } = await session.forward(weights, {
      ...batch,
      rows: [0],
      caches: false,
    });
    logits.dispose();
    const values = (await extras[ROUTER].getData(true)) as Float32Array;
    const width = values.length / (chosen.length * batch.length);
    pass.forEach((i, row) => {
      const from = row * batch.length * width;
      result[i] = values.slice(from, from + tokens[i].length * width);
    });
  }
  return result;
}

/**
 * Of sequences in a batch that begin at its left edge: the logits that predict token j of a row stand at position j - 1.
 * @param placeOf a row's first token in the result
 */
function readOf(
  sequences: readonly ScoredSequence[],
  length: number,
  placeOf: (row: number) => number,
): Read {
  const read: Read = { rows: [], targets: [], places: [] };
  sequences.forEach(({ prompt, response }, row) => {
    response.forEach((token, j) => {
      read.rows.push(row * length + prompt.length + j - 1);
      read.targets.push(token);
      read.places.push(placeOf(row) + j);
    });
  });
  return read;
}

/** Rows of a batch that are read: row of batch x length, token, place in the result. */
interface Read {
  rows: number[];
  targets: number[];
  places: number[];
}

const slice = ({ rows, targets, places }: Read, from: number, to: number): Read => ({
  rows: rows.slice(from, to),
  targets: targets.slice(from, to),
  places: places.slice(from, to),
});

/** Responses to one prompt, and the layouts of the caches that it leaves behind. */
interface Shared {
  /** indices of sequences, by prompt */
  groups: number[][];
  layouts: CacheLayout[];
}

/**
 * Where several responses have one prompt, it is computed once and they are scored behind its cache.
 * @returns null where that gains nothing or the graph's caches cannot be put together on this side
 */
function sharedPrompts(
  { ports, runtime, rules }: PolicySession,
  sequences: readonly ScoredSequence[],
): Shared | null {
  // On a GPU the caches stay there, and a pass costs its dispatches.
  if (runtime.provider !== 'wasm' || !ports.mask || !ports.positions) return null;
  if (rules.score !== 'padded' || rules.decode !== 'padded') return null;
  const layouts = ports.caches.map(cacheLayout);
  if (layouts.length === 0 || !layouts.every((layout) => layout !== null)) return null;
  const groups = new Map<string, number[]>();
  sequences.forEach(({ prompt }, i) => {
    const key = prompt.join();
    groups.set(key, [...(groups.get(key) ?? []), i]);
  });
  return sequences.length >= 2 * groups.size ? { groups: [...groups.values()], layouts } : null;
}

interface Behind {
  sequences: readonly ScoredSequence[];
  shared: Shared;
  /** [n + 1] where each response's tokens begin in the result */
  offsets: readonly number[];
  pad: number;
  put(outputs: Pick<ForwardOutputs, 'logits' | 'rows' | 'extras'>, read: Read): Promise<void>;
  signal: AbortSignal | undefined;
}

/** The first token of each response comes out of the prompt's pass, the others out of one behind its cache. */
async function scoreBehind(
  session: PolicySession,
  weights: ResidentWeights,
  { sequences, shared, offsets, pad, put, signal }: Behind,
): Promise<void> {
  const { groups, layouts } = shared;
  const { caches } = session.ports;
  const { Tensor } = session.runtime.ort;
  const joiner = new CacheJoiner(layouts);
  const promptOf = (group: readonly number[]) => sequences[group[0]].prompt;
  const pieces: CachePiece[] = [];
  for (const pass of passes(
    groups.map((group) => promptOf(group).length),
    session,
  )) {
    signal?.throwIfAborted();
    const batch = padBatch(
      session,
      pass.map((g) => promptOf(groups[g])),
      'left',
      pad,
    );
    const read: Read = { rows: [], targets: [], places: [] };
    pass.forEach((g, row) => {
      for (const i of groups[g]) {
        const [first] = sequences[i].response;
        if (first === undefined) continue;
        read.rows.push((row + 1) * batch.length - 1);
        read.targets.push(first);
        read.places.push(offsets[i]);
      }
    });
    const { present, ...outputs } = await session.forward(weights, { ...batch, rows: read.rows });
    const values = caches.map(({ input }) => present[input.name].data as CacheArray);
    const block = { values, positions: batch.length };
    pass.forEach((g, row) => {
      const from = batch.length - promptOf(groups[g]).length;
      for (const i of groups[g]) pieces[i] = { block, row, from, to: batch.length };
    });
    await put(outputs, read);
  }

  // The last token is predicted, and predicts nothing.
  const longer = sequences.flatMap(({ response }, i) => (response.length > 1 ? [i] : []));
  for (const pass of passes(
    longer.map((i) => sequences[i].response.length - 1),
    session,
  )) {
    signal?.throwIfAborted();
    const chosen = pass.map((k) => longer[k]);
    const past = joiner.join(chosen.map((i) => [pieces[i]]));
    const length = sequences[chosen[0]].response.length - 1;
    const width = past.positions + length;
    const ids = new Int32Array(chosen.length * length).fill(pad);
    const mask = new Int32Array(chosen.length * width);
    const positions = new Int32Array(chosen.length * length);
    const read: Read = { rows: [], targets: [], places: [] };
    chosen.forEach((i, row) => {
      const { prompt, response } = sequences[i];
      const begin = past.positions - prompt.length;
      mask.fill(1, row * width + begin, row * width + past.positions + response.length - 1);
      for (let j = 0; j + 1 < response.length; j++) {
        const at = row * length + j;
        ids[at] = response[j];
        positions[at] = prompt.length + j;
        read.rows.push(at);
        read.targets.push(response[j + 1]);
        read.places.push(offsets[i] + j + 1);
      }
    });
    const dims = [chosen.length, length];
    const outputs = await session.forward(weights, {
      inputIds: session.integers(ids, dims),
      attentionMask: session.integers(mask, [chosen.length, width]),
      positionIds: session.integers(positions, dims),
      rows: read.rows,
      caches: false,
      past: Object.fromEntries(
        caches.map(({ input }, k) => [
          input.name,
          new Tensor(
            input.type,
            past.values[k] as never,
            layouts[k].shape(chosen.length, past.positions),
          ),
        ]),
      ),
    });
    await put(outputs, read);
  }
}

/** For a [batch, length, ...] output. */
function emptyColumn({ type, dims }: Tensor, tokens: number): ExtraColumn {
  const width = dims.slice(2).reduce((product, size) => product * size, 1);
  const values = new (type === 'float32' ? Float32Array : Int32Array)(tokens * width);
  return { width, values };
}

/** Of rows of logits, wherever these are. */
export async function rowStats(
  kernels: ScoringKernels,
  logits: { location: string; gpuBuffer: unknown; data: unknown },
  vocabulary: number,
  rows: readonly number[],
  targets: readonly number[],
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
