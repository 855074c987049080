/**
 * One ONNX graph on one runtime, its weights lifted out: `forward(weights, ...)` is the policy under
 * whichever theta is fed.
 *
 * Contract: what is fed and handed out is what the graph has (`graph/ports.ts`). On WebGPU, `logits`, caches
 * and extras stay in GPU buffers; whoever receives a tensor disposes it.
 */
import type { InferenceSession, Tensor } from 'onnxruntime-web';
import { decodeLoop, whyNoLoop } from './graph/decode-loop';
import { liftWeights, type Weights } from './graph/lift';
import {
  emptyCacheShape,
  readPorts,
  rowBytes,
  type PolicyPorts,
  type PortNames,
} from './graph/ports';
import { decode, encode } from './graph/proto';
import { chosenExperts } from '../math/routing';
import { replayRoutes, ROUTER, tapRoutes, type GivenRoutes } from './graph/routes';
import type { Runtime } from './runtime';
import { StaticDecoder } from './static-decoder';
import type { StaticShape } from './graph/static-step';
import type { KeyValueCache, ResidentWeights } from './tensors';
import { Yielder } from './yield';

export { disposeTensors, type KeyValueCache, type ResidentWeights } from './tensors';

/**
 * Which rows may share a batch: `padded` rows of different lengths, `same length` only such, `alone` none.
 */
export type Sharing = 'padded' | 'same length' | 'alone';

/** What a graph was seen to compute right (`foreign/probe.ts`); the lab's own policies do all of it. */
export interface RowRules {
  /** of rows that are scored, padded on the right */
  score: Sharing;
  /** of rows that are sampled, padded on the left */
  decode: Sharing;
  /** false: each step computes everything again */
  cached: boolean;
  /** false: decoded step by step, even where the graph could be the body of a loop */
  loop: boolean;
  /** bytes of logits that a pass may hand out */
  logitBytes: number;
  /** bytes of the caches of the rows that are sampled at a time: those that a step reads and those that it writes */
  cacheBytes: number;
}

/** A graph that is run as it is, with its weights in it or beside it. */
export interface WholeGraph {
  onnx: Uint8Array<ArrayBuffer>;
  /** files that its weights lie in, by the names that it gives them */
  external: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
  ports: PolicyPorts;
  /** of the logits */
  vocabulary: number;
  /** int64 [rows], input: which rows of batch x length get logits; null: all of them */
  rows: string | null;
  /** the same graph without `rows`, where it is small enough to be decoded in a loop, too; null: it is not */
  loop: Buildable | null;
}

/** A graph that others are built of: its bytes, and its ports where `rows` is none of them. */
interface Buildable {
  onnx: Uint8Array<ArrayBuffer>;
  ports: PolicyPorts;
}

export interface ForwardInputs {
  /** int64 [batch, length], on either side */
  inputIds: Tensor;
  /** int64 [batch, past + length] */
  attentionMask: Tensor;
  /** int64 [batch, length] */
  positionIds: Tensor;
  /** undefined: nothing cached yet */
  past?: KeyValueCache;
  /** rows of batch x length whose logits are read; left out: all. A graph may compute no others. */
  rows?: readonly number[];
  /** false: nothing is decoded behind this pass, so that its caches stay where they are */
  caches?: boolean;
}

export interface ForwardOutputs {
  /** float32 [batch, length, vocabulary], or [1, rows, vocabulary] where only those that are read are there */
  logits: Tensor;
  /** where in the logits each wanted row is */
  rows: readonly number[];
  /** empty where the caches were not wanted */
  present: KeyValueCache;
  /** by output name: [batch, length, ...] */
  extras: Record<string, Tensor>;
}

/** The policy as a loop of decoding steps (`graph/decode-loop.ts`), on the wasm provider. */
export interface DecodeSession {
  /** @param feeds all but the weights, by the names of `LOOP` */
  run(weights: ResidentWeights, feeds: Record<string, Tensor>): Promise<Record<string, Tensor>>;
}

/** The policy where the experts of each token are given (`graph/routes.ts`). */
export interface ReplaySession {
  /** @param routes [batch, length, 2 x layers] what `router` says of each token: whose experts it goes to */
  forward(
    weights: ResidentWeights,
    inputs: ForwardInputs,
    routes: ArrayLike<number>,
  ): Promise<Pick<ForwardOutputs, 'logits' | 'rows'>>;
}

/** Caches of a static decoder are a multiple of so many positions long, so that like batches share one. */
const POSITIONS_STEP = 64;

export class PolicySession {
  /**
   * Whether responses are decoded in steps of fixed shapes (`static-decoder.ts`) where the graph allows it: set by
   * whoever has found that the device then samples the same, and faster.
   */
  fixedShapes = false;
  rules: RowRules = {
    score: 'padded',
    decode: 'padded',
    cached: true,
    loop: true,
    logitBytes: Infinity,
    cacheBytes: Infinity,
  };
  private fixed: StaticDecoder | null | undefined;
  private readonly yielder = new Yielder();
  private loop: Promise<InferenceSession> | undefined;
  private replay: Promise<{ session: InferenceSession; given: GivenRoutes }> | undefined;

  private constructor(
    readonly runtime: Runtime,
    private readonly session: InferenceSession,
    /** the graph without its weights; null: it cannot be built into another */
    private readonly lifted: Buildable | null,
    readonly ports: PolicyPorts,
    /** the weights that were in the file, where they were lifted out of it */
    readonly fileWeights: Weights,
    private readonly rowsInput: string | null = null,
    /** where it matters for memory */
    private readonly vocabulary = 1,
  ) {}

  /**
   * @param onnx the bytes of `onnx/model.onnx`
   * @param names of inputs and outputs, where the config gives others than the usual ones
   * @throws GraphError when they are no such model
   */
  static async create(
    runtime: Runtime,
    onnx: Uint8Array,
    names?: PortNames,
  ): Promise<PolicySession> {
    const model = decode(onnx);
    const { tokens } = readPorts(model, names);
    // A mixture of experts says which ones each token went to, beside its logits.
    tapRoutes(model, tokens.shape);
    const ports = readPorts(model, names);
    const { bytes, weights } = liftWeights(model);
    const session = await runtime.ort.InferenceSession.create(bytes, optionsFor(runtime));
    return new PolicySession(runtime, session, { onnx: bytes, ports }, ports, weights);
  }

  /** A graph as it is: its weights stay where they are, `forward` is given none. */
  static async createWhole(
    runtime: Runtime,
    { onnx, external, ports, vocabulary, rows, loop }: WholeGraph,
  ): Promise<PolicySession> {
    const session = await runtime.ort.InferenceSession.create(onnx, {
      ...optionsFor(runtime),
      // Errors only: exporters leave behind what a graph does not use.
      logSeverityLevel: 3,
      externalData: [...external].map(([path, data]) => ({ path, data })),
    });
    return new PolicySession(runtime, session, loop, ports, new Map(), rows, vocabulary);
  }

  /** Put weights where the provider reads them without a copy per run. */
  upload(weights: Weights): ResidentWeights {
    const { ort, device } = this.runtime;
    const feeds: Record<string, Tensor> = {};
    const buffers: GPUBuffer[] = [];
    for (const [name, { shape, values }] of weights) {
      if (!device) {
        feeds[name] = new ort.Tensor('float32', values, shape);
        continue;
      }
      const buffer = device.createBuffer({
        label: name,
        // onnxruntime binds whole multiples of 16 bytes
        size: Math.ceil(values.byteLength / 16) * 16,
        usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC,
      });
      device.queue.writeBuffer(buffer, 0, values);
      buffers.push(buffer);
      feeds[name] = ort.Tensor.fromGpuBuffer(buffer, { dataType: 'float32', dims: shape });
    }
    return {
      feeds,
      dispose: () => {
        for (const buffer of buffers) buffer.destroy();
      },
    };
  }

  private feedsOf(weights: ResidentWeights, inputs: ForwardInputs): Record<string, Tensor> {
    const { tokens, mask, positions } = this.ports;
    const feeds: Record<string, Tensor> = {
      ...weights.feeds,
      ...(inputs.past ?? this.emptyCache(inputs.inputIds.dims[0])),
      [tokens.name]: inputs.inputIds,
    };
    if (mask) feeds[mask.name] = inputs.attentionMask;
    if (positions) feeds[positions.name] = inputs.positionIds;
    return feeds;
  }

  async forward(weights: ResidentWeights, inputs: ForwardInputs): Promise<ForwardOutputs> {
    const { logits, caches, extras } = this.ports;
    const feeds = this.feedsOf(weights, inputs);
    const [batch, length] = inputs.inputIds.dims as [number, number];
    const wanted = inputs.rows ?? Array.from({ length: batch * length }, (_, i) => i);
    if (this.rowsInput !== null) feeds[this.rowsInput] = this.integers(wanted, [wanted.length]);
    // What is not asked for is not handed out.
    const behind = inputs.caches === false ? [] : caches;
    const wantedPorts = [logits, ...behind.map(({ output }) => output), ...extras];
    const outputs = await this.session.run(
      feeds,
      wantedPorts.map(({ name }) => name),
    );
    // On WebAssembly a run is computed at once, here, and its promise yields to no message.
    if (this.runtime.provider === 'wasm') await this.yielder.pause();
    const of = (name: string) => outputs[name];
    return {
      logits: of(logits.name),
      rows: this.rowsInput === null ? wanted : wanted.map((_, i) => i),
      present: Object.fromEntries(behind.map((port) => [port.input.name, of(port.output.name)])),
      extras: Object.fromEntries(extras.map(({ name }) => [name, of(name)])),
    };
  }

  /**
   * Made on first use.
   * @returns null where the graph has no routers, or cannot be built into another
   */
  async replaySession(): Promise<ReplaySession | null> {
    const { runtime, lifted, ports } = this;
    if (lifted === null || !ports.extras.some(({ name }) => name === ROUTER)) return null;
    if (!this.replay) {
      const model = decode(lifted.onnx);
      const given = replayRoutes(model, ports.logits.name);
      if (given === null) return null;
      this.replay = runtime.ort.InferenceSession.create(encode(model), optionsFor(runtime)).then(
        (session) => ({ session, given }),
      );
    }
    const { session, given } = await this.replay;
    return {
      forward: async (weights, inputs, routes) => {
        const [batch, length] = inputs.inputIds.dims as [number, number];
        const feeds = this.feedsOf(weights, inputs);
        given.names.forEach((name, layer) => {
          const chosen = chosenExperts(routes, layer, given.names.length, given.experts);
          feeds[name] = new runtime.ort.Tensor('float32', chosen, [batch, length, given.experts]);
        });
        const { name } = ports.logits;
        const outputs = await session.run(feeds, [name]);
        if (runtime.provider === 'wasm') await this.yielder.pause();
        const all = Array.from({ length: batch * length }, (_, i) => i);
        return { logits: outputs[name], rows: inputs.rows ?? all };
      },
    };
  }

  /**
   * Made on first use. A Loop keeps what it carries on the CPU, so that WebGPU has none.
   * @returns null where the graph or the provider has no such loop
   * @throws what onnxruntime throws where it does not take it
   */
  async decodeSession(): Promise<DecodeSession | null> {
    const { runtime, lifted, rules } = this;
    if (runtime.provider !== 'wasm' || lifted === null) return null;
    if (rules.decode !== 'padded' || !rules.loop) return null;
    if (!this.loop) {
      const { ports } = lifted;
      const model = decode(lifted.onnx);
      if (whyNoLoop(model, ports) !== null) return null;
      const bytes = encode(decodeLoop(model, ports));
      this.loop = runtime.ort.InferenceSession.create(bytes, optionsFor(runtime));
    }
    const session = await this.loop;
    return {
      run: async (weights, feeds) => {
        const outputs = await session.run({ ...weights.feeds, ...feeds });
        await this.yielder.pause();
        return outputs;
      },
    };
  }

  /**
   * The latest is kept as long as the batch fits it and fills half of its rows.
   * @returns null where that is not wanted, or the graph or onnxruntime does not go along
   */
  async staticDecoder(
    { batch, positions }: StaticShape,
    maxPositions: number,
  ): Promise<StaticDecoder | null> {
    if (!this.fixedShapes || this.fixed === null || this.lifted === null) return null;
    const { fixed } = this;
    if (fixed) {
      const { shape } = fixed;
      // The last batch of a run is smaller: some rows idle, and nothing is recorded anew.
      const fits = batch <= shape.batch && positions <= shape.positions;
      if (fits && 2 * batch > shape.batch) return fixed;
    }
    this.fixed = undefined;
    await fixed?.dispose();
    const shape = { batch, positions: Math.ceil(positions / POSITIONS_STEP) * POSITIONS_STEP };
    const { runtime, lifted, ports } = this;
    this.fixed = await StaticDecoder.create(runtime, lifted.onnx, ports, shape, maxPositions);
    return this.fixed;
  }

  /** Rows of logits that a pass may hand out. */
  get passRows(): number {
    return Math.max(1, Math.floor(this.rules.logitBytes / (4 * this.vocabulary)));
  }

  /**
   * Rows that may be sampled at a time.
   * @param length of the longest prompt @param positions of the longest row, when it ends
   */
  rowsFor(length: number, positions: number): number {
    const { perPosition, fixed } = rowBytes(this.ports.caches);
    const each = 2 * (fixed + perPosition * positions);
    const most = this.rowsInput === null ? Math.floor(this.passRows / length) : this.passRows;
    return Math.max(1, Math.min(most, Math.floor(this.rules.cacheBytes / Math.max(1, each))));
  }

  /** int64 tensor on the CPU side. */
  integers(values: ArrayLike<number>, dims: number[]): Tensor {
    const data = new BigInt64Array(values.length);
    for (let i = 0; i < values.length; i++) data[i] = BigInt(values[i]);
    return new this.runtime.ort.Tensor('int64', data, dims);
  }

  async dispose(): Promise<void> {
    await this.session.release();
    // One that could not be made has nothing to release.
    await this.loop?.then((loop) => loop.release()).catch(() => undefined);
    await this.replay?.then(({ session }) => session.release()).catch(() => undefined);
    await this.fixed?.dispose();
    this.fixed = undefined;
  }

  private emptyCache(batch: number): KeyValueCache {
    const { Tensor } = this.runtime.ort;
    return Object.fromEntries(
      this.ports.caches.map((port) => {
        const shape = emptyCacheShape(port, batch);
        // States that have no positions begin as zeros.
        const size = shape.reduce((all, dim) => all * dim, 1);
        // A float16 tensor is not made from plain numbers.
        const zeros = port.input.type === 'float16' ? new Uint16Array(size) : Array(size).fill(0);
        return [port.input.name, new Tensor(port.input.type, zeros as never, shape)];
      }),
    );
  }
}

function optionsFor({ provider, device }: Runtime): InferenceSession.SessionOptions {
  // It warns of initializers of other people's graphs that nothing reads.
  if (provider === 'wasm') return { executionProviders: ['wasm'], logSeverityLevel: 3 };
  return {
    executionProviders: [{ name: 'webgpu', device } as never],
    preferredOutputLocation: 'gpu-buffer',
    // Errors only: it warns that masks and positions are computed on the CPU, as they should be.
    logSeverityLevel: 3,
  };
}
