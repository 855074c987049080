/**
 * Decoding steps that the GPU is asked for once and then repeats: a session of fixed shapes (`graph/static-step.ts`)
 * with graph capture, on buffers of its own. What a step needs (position, slot) is written into the buffers by the
 * queue; weights are copied in when a batch begins, because a replay reads the buffers that it was recorded with.
 *
 * Contract: WebGPU only; one batch at a time; the same tokens as stepping from outside with growing caches. It
 * takes the caches once as long as they will be, and all of them are read at every step.
 *
 * What the session hands out lies in buffers of onnxruntime's own making: it binds outputs at the first run only, and
 * forgets the addresses of foreign buffers after every run, so that a later run would look up an address that is
 * gone, or another buffer's (seen in 1.30; `webgpuUnregisterBuffer` in its glue). To go when it keeps them.
 */
import type { InferenceSession, Tensor } from 'onnxruntime-web';
import { placeRows } from '../gpu/place-rows';
import { allocator } from './graph/allocator';
import { decode, encode } from './graph/proto';
import { STATIC, staticCacheShape, staticStep, type StaticShape } from './graph/static-step';
import type { CachePort, PolicyPorts } from './graph/ports';
import type { Runtime } from './runtime';
import { disposeTensors, type KeyValueCache, type ResidentWeights } from './tensors';

/** Beyond every position: what padding has for one. */
const NEVER = 1e9;

interface Cache {
  port: CachePort;
  shape: [number, number, number, number];
  tensor: Tensor;
}

export class StaticDecoder {
  private readonly buffers: GPUBuffer[] = [];
  private readonly weights = new Map<string, { tensor: Tensor; bytes: number }>();
  private readonly caches: Cache[];
  private readonly inputs: Record<'tokens' | 'positions' | 'slot' | 'keys' | 'query', Tensor>;
  private readonly logitsTensor: Tensor;
  private readonly heads: number;
  /** prompts, padded to this many positions; steps taken since; the prompts' own lengths */
  private width = 0;
  private taken = 0;
  private prompts: readonly number[] = [];

  private constructor(
    private readonly runtime: Runtime & { device: GPUDevice },
    private readonly session: InferenceSession,
    private readonly ports: PolicyPorts,
    readonly shape: StaticShape,
    shapes: [number, number, number, number][],
    private readonly outputs: Allocated,
    private readonly maxPositions: number,
  ) {
    const { batch, positions } = shape;
    const [logits, ...caches] = outputs.tensors;
    this.logitsTensor = logits;
    this.caches = ports.caches.map((port, i) => ({ port, shape: shapes[i], tensor: caches[i] }));
    this.heads = shapes[0][1];
    this.inputs = {
      tokens: this.tensor('int64', [batch, 1], 8),
      positions: this.tensor('int64', [batch, 1], 8),
      slot: this.tensor('int64', [batch, this.heads, 1, 3], 8),
      keys: this.tensor('float32', [batch, 1, 1, positions], 4),
      query: this.tensor('float32', [batch, 1, 1, 1], 4),
    };
  }

  /**
   * @param lifted the graph without its weights
   * @returns null where the graph is not of the known kind, or onnxruntime does not take it
   */
  static async create(
    runtime: Runtime,
    lifted: Uint8Array,
    ports: PolicyPorts,
    shape: StaticShape,
    maxPositions: number,
  ): Promise<StaticDecoder | null> {
    const { device, ort } = runtime;
    if (!device) return null;
    const model = decode(lifted);
    const shapes = ports.caches.map((port) => staticCacheShape(port, shape));
    if (!shapes.every((dims) => dims !== null) || !staticStep(model, ports, shape)) return null;
    const session = await ort.InferenceSession.create(encode(model), {
      executionProviders: [{ name: 'webgpu', device } as never],
      preferredOutputLocation: 'gpu-buffer',
      enableGraphCapture: true,
      logSeverityLevel: 3,
    });
    const logits = [shape.batch, 1, Number(ports.logits.shape[2])];
    const outputs = await allocate(runtime, device, [logits, ...shapes]);
    const on = { ...runtime, device };
    return new StaticDecoder(on, session, ports, shape, shapes, outputs, maxPositions);
  }

  /** int64 [batch]: the tokens that the next step is fed */
  get tokens(): GPUBuffer {
    return this.inputs.tokens.gpuBuffer;
  }

  /** float32 [batch, 1, vocabulary], overwritten by every step */
  get logits(): Tensor {
    return this.logitsTensor;
  }

  /**
   * @param past what the prompts left in the caches, [batch, heads, width, head size], padded on the left
   * @param prompts their lengths; fewer than the decoder has rows are its first ones
   */
  async begin(
    weights: ResidentWeights,
    past: KeyValueCache,
    prompts: readonly number[],
    width: number,
  ): Promise<void> {
    const { device } = this.runtime;
    const { positions } = this.shape;
    this.prompts = prompts;
    this.width = width;
    this.taken = 0;
    const encoder = device.createCommandEncoder();
    for (const [name, { gpuBuffer, dims }] of Object.entries(weights.feeds)) {
      let copy = this.weights.get(name);
      if (!copy) {
        const tensor = this.tensor('float32', [...dims], 4);
        copy = { tensor, bytes: Math.min(gpuBuffer.size, tensor.gpuBuffer.size) };
        this.weights.set(name, copy);
      }
      encoder.copyBufferToBuffer(gpuBuffer, 0, copy.tensor.gpuBuffer, 0, copy.bytes);
    }
    device.queue.submit([encoder.finish()]);
    await placeRows(
      device,
      this.caches.map(({ port, shape: [, heads, , size], tensor }) => ({
        from: past[port.input.name].gpuBuffer,
        to: tensor.gpuBuffer,
        rows: prompts.length * heads,
        length: width * size,
        stride: positions * size,
      })),
    );
    const keys = new Float32Array(prompts.length * positions);
    prompts.forEach((length, row) => {
      for (let t = 0; t < positions; t++) {
        const position = t - (width - length);
        keys[row * positions + t] = position < 0 ? NEVER : position;
      }
    });
    device.queue.writeBuffer(this.inputs.keys.gpuBuffer, 0, keys);
  }

  /** Feeds the tokens that are in `tokens`; `logits` then has what follows. */
  async step(): Promise<void> {
    const { inputs, ports, heads } = this;
    const at = this.width + this.taken;
    const { queue } = this.runtime.device;
    const { batch, positions } = this.shape;
    if (at >= positions) throw new Error(`All ${positions} positions of this batch are taken.`);
    const places = this.prompts.map((length) => length + this.taken);
    const slot = new BigInt64Array(batch * heads * 3);
    for (let i = 0; i < batch * heads; i++) {
      slot[3 * i] = BigInt(Math.floor(i / heads));
      slot[3 * i + 1] = BigInt(i % heads);
      slot[3 * i + 2] = BigInt(at);
    }
    const last = this.maxPositions - 1;
    const clamped = BigInt64Array.from(places, (place) => BigInt(Math.min(place, last)));
    queue.writeBuffer(inputs.slot.gpuBuffer, 0, slot);
    queue.writeBuffer(inputs.positions.gpuBuffer, 0, clamped);
    queue.writeBuffer(inputs.query.gpuBuffer, 0, Float32Array.from(places));
    const feeds: Record<string, Tensor> = {
      [ports.tokens.name]: inputs.tokens,
      [ports.positions?.name ?? '']: inputs.positions,
      [STATIC.slot]: inputs.slot,
      [STATIC.keys]: inputs.keys,
      [STATIC.query]: inputs.query,
    };
    const fetches: Record<string, Tensor> = { [ports.logits.name]: this.logitsTensor };
    for (const [name, { tensor }] of this.weights) feeds[name] = tensor;
    for (const { port, tensor } of this.caches) {
      feeds[port.input.name] = tensor;
      fetches[port.output.name] = tensor;
    }
    // What it returns are the tensors that it was given.
    await this.session.run(feeds, fetches);
    this.taken++;
  }

  async dispose(): Promise<void> {
    await this.session.release();
    await this.outputs.dispose();
    for (const buffer of this.buffers.splice(0)) buffer.destroy();
  }

  private tensor(type: 'float32' | 'int64', dims: number[], bytesEach: number): Tensor {
    const { device, ort } = this.runtime;
    const bytes = dims.reduce((all, size) => all * size, bytesEach);
    const { STORAGE, COPY_SRC, COPY_DST } = GPUBufferUsage;
    const size = Math.max(16, Math.ceil(bytes / 16) * 16);
    const buffer = device.createBuffer({ size, usage: STORAGE | COPY_SRC | COPY_DST });
    this.buffers.push(buffer);
    return ort.Tensor.fromGpuBuffer(buffer, { dataType: type, dims });
  }
}

interface Allocated {
  tensors: Tensor[];
  dispose(): Promise<void>;
}

/** Tensors of zeros in GPU buffers that onnxruntime made and frees. */
async function allocate(
  { ort }: Runtime,
  device: GPUDevice,
  shapes: readonly (readonly number[])[],
): Promise<Allocated> {
  const session = await ort.InferenceSession.create(encode(allocator(shapes)), {
    executionProviders: [{ name: 'webgpu', device } as never],
    preferredOutputLocation: 'gpu-buffer',
    logSeverityLevel: 3,
  });
  const made = await session.run({ zero: new ort.Tensor('float32', [0], [1]) });
  return {
    tensors: shapes.map((_, i) => made[`${i}`]),
    dispose: async () => {
      disposeTensors(made);
      await session.release();
    },
  };
}
