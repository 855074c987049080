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
import { emptyCacheShape, readPorts, type PolicyPorts, type PortNames } from './graph/ports';
import { decode, encode } from './graph/proto';
import type { Runtime } from './runtime';
import { StaticDecoder } from './static-decoder';
import type { StaticShape } from './graph/static-step';
import type { KeyValueCache, ResidentWeights } from './tensors';
import { Yielder } from './yield';

export { disposeTensors, type KeyValueCache, type ResidentWeights } from './tensors';

export interface ForwardInputs {
  /** int64 [batch, length], on either side */
  inputIds: Tensor;
  /** int64 [batch, past + length] */
  attentionMask: Tensor;
  /** int64 [batch, length] */
  positionIds: Tensor;
  /** undefined: nothing cached yet */
  past?: KeyValueCache;
}

export interface ForwardOutputs {
  /** float32 [batch, length, vocabulary] */
  logits: Tensor;
  present: KeyValueCache;
  /** by output name: [batch, length, ...] */
  extras: Record<string, Tensor>;
}

/** The policy as a loop of decoding steps (`graph/decode-loop.ts`), on the wasm provider. */
export interface DecodeSession {
  /** @param feeds all but the weights, by the names of `LOOP` */
  run(weights: ResidentWeights, feeds: Record<string, Tensor>): Promise<Record<string, Tensor>>;
}

/** Caches of a static decoder are a multiple of so many positions long, so that like batches share one. */
const POSITIONS_STEP = 64;

export class PolicySession {
  /**
   * Whether responses are decoded in steps of fixed shapes (`static-decoder.ts`) where the graph allows it: set by
   * whoever has found that the device then samples the same, and faster.
   */
  fixedShapes = false;
  private fixed: StaticDecoder | null | undefined;
  private readonly yielder = new Yielder();
  private loop: Promise<InferenceSession> | undefined;

  private constructor(
    readonly runtime: Runtime,
    private readonly session: InferenceSession,
    /** the graph without its weights */
    private readonly lifted: Uint8Array<ArrayBuffer>,
    readonly ports: PolicyPorts,
    /** the weights that were in the file */
    readonly fileWeights: Weights,
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
    const ports = readPorts(model, names);
    const { bytes, weights } = liftWeights(model);
    const options: InferenceSession.SessionOptions =
      runtime.provider === 'webgpu'
        ? {
            executionProviders: [{ name: 'webgpu', device: runtime.device } as never],
            preferredOutputLocation: 'gpu-buffer',
            // Errors only: it warns that masks and positions are computed on the CPU, as they should be.
            logSeverityLevel: 3,
          }
        : { executionProviders: ['wasm'] };
    const session = await runtime.ort.InferenceSession.create(bytes, options);
    return new PolicySession(runtime, session, bytes, ports, weights);
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

  async forward(weights: ResidentWeights, inputs: ForwardInputs): Promise<ForwardOutputs> {
    const { tokens, mask, positions, logits, caches, extras } = this.ports;
    const feeds: Record<string, Tensor> = {
      ...weights.feeds,
      ...(inputs.past ?? this.emptyCache(inputs.inputIds.dims[0])),
      [tokens.name]: inputs.inputIds,
    };
    if (mask) feeds[mask.name] = inputs.attentionMask;
    if (positions) feeds[positions.name] = inputs.positionIds;
    const outputs = await this.session.run(feeds, this.outputNames);
    // On WebAssembly a run is computed at once, here, and its promise yields to no message.
    if (this.runtime.provider === 'wasm') await this.yielder.pause();
    const of = (name: string) => outputs[name];
    return {
      logits: of(logits.name),
      present: Object.fromEntries(caches.map((port) => [port.input.name, of(port.output.name)])),
      extras: Object.fromEntries(extras.map(({ name }) => [name, of(name)])),
    };
  }

  /**
   * Made on first use. A Loop keeps what it carries on the CPU, so that WebGPU has none.
   * @returns null where the graph or the provider has no such loop
   */
  async decodeSession(): Promise<DecodeSession | null> {
    const { runtime, ports } = this;
    if (runtime.provider !== 'wasm') return null;
    if (!this.loop) {
      const model = decode(this.lifted);
      if (whyNoLoop(model, ports) !== null) return null;
      const bytes = encode(decodeLoop(model, ports));
      this.loop = runtime.ort.InferenceSession.create(bytes, { executionProviders: ['wasm'] });
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
    if (!this.fixedShapes || this.fixed === null) return null;
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
    this.fixed = await StaticDecoder.create(runtime, lifted, ports, shape, maxPositions);
    return this.fixed;
  }

  /** int64 tensor on the CPU side. */
  integers(values: ArrayLike<number>, dims: number[]): Tensor {
    const data = new BigInt64Array(values.length);
    for (let i = 0; i < values.length; i++) data[i] = BigInt(values[i]);
    return new this.runtime.ort.Tensor('int64', data, dims);
  }

  async dispose(): Promise<void> {
    await this.session.release();
    await (await this.loop)?.release();
    await this.fixed?.dispose();
    this.fixed = undefined;
  }

  /** What is not handed out is not asked for. */
  private get outputNames(): string[] {
    const { logits, caches, extras } = this.ports;
    return [logits, ...caches.map(({ output }) => output), ...extras].map(({ name }) => name);
  }

  private emptyCache(batch: number): KeyValueCache {
    const { Tensor } = this.runtime.ort;
    return Object.fromEntries(
      this.ports.caches.map((port) => [
        port.input.name,
        // A float16 tensor is not made from plain numbers.
        port.input.type === 'float16'
          ? new Tensor('float16', new Uint16Array(0), emptyCacheShape(port, batch))
          : new Tensor(port.input.type, [], emptyCacheShape(port, batch)),
      ]),
    );
  }
}
