/**
 * Decoding on the wasm provider with rows that are always full: prompts wait in a queue, a row that has ended is
 * given to the next one, and all rows decode in runs of a few tokens inside the runtime (`graph/decode-loop.ts`).
 *
 * Contract: a response is a function of (weights, prompt, its sequence number, settings), whatever else is in the
 * rows, but for float rounding; mask and positions hide where a row stands. A run that fails or is aborted changes
 * nothing: `advance` may be called again. Prompts are computed once for all rows that begin with them.
 *
 * Log-prob, entropy and collision of each token come from the very logits that it was drawn from, by the float64
 * code that scores: they are those of temperature 1, whatever the sampler's, and equal teacher-forced scoring but
 * for the float32 rounding of another forward pass (18,921 tokens of the arithmetic policy: 6e-7 nats rms, 1.5e-5
 * at the worst token).
 *
 * The loop draws from all tokens. The likeliest of a nucleus (top-p) is the likeliest of all wherever that lies in the
 * nucleus; where it does not, the token is drawn again from the nucleus here, and the row goes back to it.
 */
import type { Tensor } from 'onnxruntime-web';
import { rowStats } from '../math/log-softmax';
import { inverseTemperature, isUsable, nucleusOf, scoreOf } from '../math/nucleus';
import { gumbelRow, noUsableLogit, sampleRow } from '../math/sampler';
import { lastRows, padBatch } from './batch';
import { CacheJoiner, lengthOf, type CacheArray, type CachePiece } from './cache-rows';
import { LOOP } from './graph/decode-loop';
import { cacheLayout, type CacheLayout } from './graph/ports';
import {
  isEnd,
  responseLimit,
  truncates,
  type Sampled,
  type SamplerSettings,
} from './sample-request';
import type { ExtraColumn } from './score';
import type { DecodeSession, PolicySession, ResidentWeights } from './session';

/**
 * Rows, and tokens of each row per run. More rows share the weights and the cost of a node, but their caches
 * outgrow the processor's; a longer run copies caches less often, but rows that end in it idle to its end.
 */
export const ROWS = 64;
const STEPS = 12;

/** Until something has been taken: somebody waits for the first of it, and few rows take less time. */
const FIRST_ROWS = 16;

/** Prompts computed in one pass, ahead of the rows that begin with them. */
const PROMPTS_AHEAD = 8;

/** Noise goes in and logits come out for every step: so many floats of each at most. */
const MOST_FLOATS = 2 ** 22;

export interface Waiting {
  prompt: readonly number[];
  /** counter of its random numbers */
  sequence: number;
}

/** By output name: what the graph says of a token beside its logits. */
type Extras = Record<string, number[]>;

interface Prompt {
  cache: CachePiece;
  /** [vocabulary] behind the first token */
  logits: Float32Array;
  extras: Extras;
}

/** A sequence that has begun. */
interface Row extends Waiting {
  limit: number;
  tokens: number[];
  finished: boolean;
  logp: number[];
  entropy: number[];
  collision: number[];
  /** where top-p cuts */
  logKept: number[] | undefined;
  extras: Extras;
  /** every token but the last, prompt included */
  cache: CachePiece[];
}

/** Logits, or another output, of several rows. */
interface Values {
  data: ArrayLike<number | bigint>;
  width: number;
}

export class Decoder {
  private readonly queue: Waiting[] = [];
  private rows: Row[] = [];
  private readonly prompts = new Map<string, Prompt>();
  private readonly done = new Map<number, Row>();
  private readonly layouts: CacheLayout[];
  private readonly joiner: CacheJoiner;
  /** known from the first prompt on */
  private vocabulary = 0;
  private taken = false;

  private constructor(
    private readonly session: PolicySession,
    private readonly loop: DecodeSession,
    private readonly weights: ResidentWeights,
    private readonly settings: SamplerSettings,
  ) {
    this.layouts = session.ports.caches.map((port) => cacheLayout(port) as CacheLayout);
    this.joiner = new CacheJoiner(this.layouts);
  }

  /** @returns null where graph or provider cannot decode in a loop */
  static async create(
    session: PolicySession,
    weights: ResidentWeights,
    settings: SamplerSettings,
  ): Promise<Decoder | null> {
    const loop = await session.decodeSession();
    return loop && new Decoder(session, loop, weights, settings);
  }

  /** Sequences that are not finished yet. */
  get unfinished(): number {
    return this.queue.length + this.rows.length;
  }

  /** Sequences that have no row yet. */
  get waiting(): number {
    return this.queue.length;
  }

  add(waiting: readonly Waiting[]): void {
    this.queue.push(...waiting);
  }

  /** Whether all of these are finished. */
  has(firstSequence: number, count: number): boolean {
    for (let i = 0; i < count; i++) if (!this.done.has(firstSequence + i)) return false;
    return true;
  }

  /** Finished sequences in the order of their numbers; they are forgotten here. */
  take(firstSequence: number, count: number): Required<Sampled> {
    const rows = Array.from({ length: count }, (_, i) => {
      const row = this.done.get(firstSequence + i);
      if (!row) throw new Error(`Sequence ${firstSequence + i} is not finished.`);
      return row;
    });
    this.taken = true;
    for (const { sequence } of rows) this.done.delete(sequence);
    const column = (of: (row: Row) => number[]) => Float64Array.from(rows.flatMap(of));
    const extras = this.session.ports.extras.map(({ name, type }): [string, ExtraColumn] => {
      const all = rows.flatMap((row) => row.extras[name] ?? []);
      const tokens = rows.reduce((sum, row) => sum + row.tokens.length, 0);
      const values = type === 'float32' ? Float32Array.from(all) : Int32Array.from(all);
      return [name, { width: tokens > 0 ? all.length / tokens : 0, values }];
    });
    return {
      sequences: rows.map(({ tokens, finished, logKept }) => ({
        tokens,
        finished,
        ...(logKept ? { logKept } : {}),
      })),
      scored: {
        logp: column(({ logp }) => logp),
        entropy: column(({ entropy }) => entropy),
        collision: column(({ collision }) => collision),
        extras: Object.fromEntries(extras),
      },
    };
  }

  /**
   * Fills the rows and decodes a few tokens of each.
   * @throws KernelInputError where no logit of a row is usable; AbortError
   */
  async advance(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    await this.fill();
    if (this.rows.length > 0) await this.run();
  }

  private async fill(): Promise<void> {
    const most = this.taken ? ROWS : FIRST_ROWS;
    for (let next = this.queue[0]; next && this.rows.length < most; next = this.queue[0]) {
      const prompt = await this.promptOf(next);
      this.begin(next, prompt);
      this.queue.shift();
    }
    const wanted = new Set(this.queue.slice(0, ROWS).map(({ prompt }) => keyOf(prompt)));
    for (const key of this.prompts.keys()) if (!wanted.has(key)) this.prompts.delete(key);
  }

  /** The first token comes out of the prompt. */
  private begin(waiting: Waiting, { cache, logits, extras }: Prompt): void {
    const { temperature, topP, seed } = this.settings;
    const { prompt, sequence } = waiting;
    const row: Row = {
      ...waiting,
      limit: responseLimit(this.settings, prompt.length),
      tokens: [],
      finished: false,
      logp: [],
      entropy: [],
      collision: [],
      logKept: truncates(this.settings) ? [] : undefined,
      extras: {},
      cache: [cache],
    };
    const vocabulary = logits.length;
    const draw = { temperature, topP, seed, sequence, step: 0 };
    const token = sampleRow(logits, 0, vocabulary, draw);
    for (const [name, values] of Object.entries(extras)) row.extras[name] = [...values];
    if (this.append(row, token, logits, 0, vocabulary)) this.done.set(sequence, row);
    else this.rows.push(row);
  }

  /** @returns whether the sequence has ended */
  private append(
    row: Row,
    token: number,
    logits: Float32Array,
    offset: number,
    vocabulary: number,
  ): boolean {
    if (!isUsable(logits[offset + token])) {
      throw noUsableLogit(row.sequence, row.tokens.length);
    }
    const { logp, entropy, collision } = rowStats(logits, offset, vocabulary, token);
    row.tokens.push(token);
    row.logp.push(logp);
    row.entropy.push(entropy);
    row.collision.push(collision);
    if (row.logKept) {
      const { temperature, topP = 1 } = this.settings;
      row.logKept.push(nucleusOf(logits, offset, vocabulary, { temperature, topP }).logKept);
    }
    row.finished = isEnd(this.settings, token);
    return row.finished || row.tokens.length >= row.limit;
  }

  /** The token of this step where the loop drew one that top-p cuts off; null where it did not. */
  private drawnAgain(row: Row, token: number, logits: Float32Array, offset: number): number | null {
    const { vocabulary, settings } = this;
    if (!truncates(settings)) return null;
    const { temperature, topP = 1, seed } = settings;
    const { lowest } = nucleusOf(logits, offset, vocabulary, { temperature, topP });
    if (scoreOf(logits[offset + token], inverseTemperature(temperature)) >= lowest) return null;
    const { sequence, tokens } = row;
    const draw = { temperature, topP, seed, sequence, step: tokens.length };
    return sampleRow(logits, offset, vocabulary, draw);
  }

  /** The prompt's cache and what follows it, computed together with those of the next few. */
  private async promptOf({ prompt }: Waiting): Promise<Prompt> {
    const key = keyOf(prompt);
    const known = this.prompts.get(key);
    if (known) return known;
    const ahead = new Map<string, readonly number[]>();
    for (const waiting of this.queue) {
      const other = keyOf(waiting.prompt);
      if (!this.prompts.has(other)) ahead.set(other, waiting.prompt);
      if (ahead.size === PROMPTS_AHEAD) break;
    }
    const prompts = [...ahead.values()];
    const batch = padBatch(this.session, prompts, 'left', this.settings.padToken);
    const { logits, rows, present, extras } = await this.session.forward(this.weights, {
      ...batch,
      rows: lastRows(batch),
    });
    const vocabulary = logits.dims[2];
    this.vocabulary = vocabulary;
    const values = this.session.ports.caches.map(
      ({ input }) => present[input.name].data as CacheArray,
    );
    const block = { values, positions: batch.length };
    [...ahead].forEach(([name, { length }], row) => {
      const end = (row + 1) * batch.length;
      const last = rows[row] * vocabulary;
      this.prompts.set(name, {
        cache: { block, row, from: batch.length - length, to: batch.length },
        logits: (logits.data as Float32Array).slice(last, last + vocabulary),
        extras: Object.fromEntries(
          Object.entries(extras).map(([port, tensor]) => [
            port,
            numbersAt(rowsOf(tensor, 2), end - 1),
          ]),
        ),
      });
    });
    return this.prompts.get(key) as Prompt;
  }

  /** One run of the loop over all rows; they change only once it has succeeded. */
  private async run(): Promise<void> {
    const { rows, session, settings } = this;
    const { Tensor } = session.runtime.ort;
    const { tokens, mask, positions, caches, extras } = session.ports;
    const batch = rows.length;
    const past = this.joiner.join(rows.map(({ cache }) => cache));
    const lengths = rows.map(({ cache }) => lengthOf(cache));
    const width = past.positions + 1;
    const seen = new Int32Array(batch * width).fill(1);
    lengths.forEach((own, i) => seen.fill(0, i * width, (i + 1) * width - own - 1));
    const { vocabulary } = this;
    const steps = this.stepsOf();
    const lastPosition = Math.max(...rows.map(({ prompt, limit }) => prompt.length + limit - 1));

    const feeds: Record<string, Tensor> = {
      [LOOP.fed(tokens.name)]: session.integers(
        rows.map((row) => row.tokens.at(-1) as number),
        [batch, 1],
      ),
      [LOOP.fed(mask?.name as string)]: session.integers(seen, [batch, width]),
      [LOOP.fed(positions?.name as string)]: session.integers(lengths, [batch, 1]),
      [LOOP.steps]: session.integers([steps], []),
      [LOOP.scale]: new Tensor('float32', [inverseTemperature(settings.temperature)], []),
      [LOOP.noise]: new Tensor('float32', this.noise(steps), [steps, batch, vocabulary]),
      [LOOP.lastPosition]: session.integers([lastPosition], []),
    };
    caches.forEach(({ input }, i) => {
      const shape = this.layouts[i]?.shape(batch, past.positions);
      feeds[LOOP.fed(input.name)] = new Tensor(input.type, past.values[i] as never, shape);
    });
    const outputs = await this.loop.run(this.weights, feeds);
    this.joiner.keep();

    const of = (name: string) => outputs[name];
    const carried = caches.map(({ input }) => of(LOOP.carried(input.name)));
    // Some graphs hand on the whole cache, some what was added to it.
    const { outer, inner } = this.layouts[0];
    const added = {
      values: carried.map(({ data }) => data as CacheArray),
      positions: carried[0].size / (batch * outer * inner),
    };
    const whole = added.positions > steps;
    const drawn = of(LOOP.tokens).data as BigInt64Array;
    const logits = of(LOOP.logits).data as Float32Array;
    const besides = extras.map(({ name }) => [name, rowsOf(of(LOOP.extra(name)), 3)] as const);
    this.rows = rows.filter((row, i) => {
      let taken = 0;
      for (let again: number | null = null; taken < steps && again === null; taken++) {
        const at = taken * batch + i;
        const token = Number(drawn[at]);
        again = this.drawnAgain(row, token, logits, at * vocabulary);
        const ended = this.append(row, again ?? token, logits, at * vocabulary, vocabulary);
        for (const [name, values] of besides) {
          (row.extras[name] ??= []).push(...numbersAt(values, at));
        }
        if (!ended) continue;
        row.cache = [];
        this.done.set(row.sequence, row);
        return false;
      }
      const own = lengths[i];
      const before = added.positions - steps;
      row.cache = whole
        ? [{ block: added, row: i, from: before - own, to: before + taken }]
        : [
            { block: past, row: i, from: past.positions - own, to: past.positions },
            { block: added, row: i, from: 0, to: taken },
          ];
      return true;
    });
  }

  private stepsOf(): number {
    const left = Math.max(...this.rows.map(({ limit, tokens }) => limit - tokens.length));
    const most = Math.max(1, Math.floor(MOST_FLOATS / (this.rows.length * this.vocabulary)));
    return Math.min(STEPS, left, most);
  }

  /** [steps, rows, vocabulary] */
  private noise(steps: number): Float32Array {
    const { rows, settings, vocabulary } = this;
    const { temperature, seed } = settings;
    const noise = new Float32Array(steps * rows.length * vocabulary);
    for (let step = 0; step < steps; step++) {
      rows.forEach(({ sequence, tokens }, i) => {
        gumbelRow(noise, (step * rows.length + i) * vocabulary, vocabulary, {
          temperature,
          seed,
          sequence,
          step: tokens.length + step,
        });
      });
    }
    return noise;
  }
}

/** @param leading dimensions that count rows */
function rowsOf({ data, dims }: Tensor, leading: number): Values {
  const width = dims.slice(leading).reduce((all, size) => all * size, 1);
  return { data: data as Values['data'], width };
}

function numbersAt({ data, width }: Values, row: number): number[] {
  return Array.from({ length: width }, (_, i) => Number(data[row * width + i]));
}

const keyOf = (prompt: readonly number[]) => prompt.join();
