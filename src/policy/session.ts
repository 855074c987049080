/**
 * One ONNX graph on one runtime, its weights lifted out: `forward(weights, ...)` is the policy under
 * whichever theta is fed.
 *
 * Contract: Llama-like inputs and outputs (see models/build/onnx-author.ts). On WebGPU, `logits` and
 * the KV cache stay in GPU buffers; whoever receives a tensor disposes it.
 */
import type { InferenceSession, Tensor } from 'onnxruntime-web';
import { liftWeights, type Weights } from './graph/lift';
import { Breath } from './breath';
import { decode } from './graph/proto';
import type { Runtime } from './runtime';

export interface CacheShape {
  layers: number;
  heads: number;
  headSize: number;
}

/** Weights on the device: feeds by name. `dispose` frees the GPU buffers. */
export interface ResidentWeights {
  feeds: Record<string, Tensor>;
  dispose(): void;
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
}

/** `N.key` and `N.value` -> [batch, heads, length, head]. */
export type KeyValueCache = Record<string, Tensor>;

export interface ForwardOutputs {
  /** float32 [batch, length, vocabulary] */
  logits: Tensor;
  present: KeyValueCache;
}

export class PolicySession {
  private readonly breath = new Breath();

  private constructor(
    readonly runtime: Runtime,
    private readonly session: InferenceSession,
    readonly cache: CacheShape,
    /** the weights that were in the file */
    readonly fileWeights: Weights,
  ) {}

  /** @param onnx the bytes of `onnx/model.onnx`; throws GraphError when they are no such model */
  static async create(
    runtime: Runtime,
    onnx: Uint8Array,
    cache: CacheShape,
  ): Promise<PolicySession> {
    const { bytes, weights } = liftWeights(decode(onnx));
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
    return new PolicySession(runtime, session, cache, weights);
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
    const feeds: Record<string, Tensor> = {
      ...weights.feeds,
      input_ids: inputs.inputIds,
      attention_mask: inputs.attentionMask,
      position_ids: inputs.positionIds,
    };
    const past = inputs.past ?? this.emptyCache(inputs.inputIds.dims[0] as number);
    for (const [name, tensor] of Object.entries(past)) feeds[`past_key_values.${name}`] = tensor;
    const { logits, ...rest } = await this.session.run(feeds);
    // On WebAssembly a run is computed at once, here, and its promise lets no message in.
    if (this.runtime.provider === 'wasm') await this.breath.take();
    const present: KeyValueCache = {};
    for (const [name, tensor] of Object.entries(rest)) {
      present[name.replace(/^present\./, '')] = tensor as Tensor;
    }
    return { logits: logits as Tensor, present };
  }

  /** int64 tensor on the CPU side. */
  integers(values: ArrayLike<number>, dims: number[]): Tensor {
    const data = new BigInt64Array(values.length);
    for (let i = 0; i < values.length; i++) data[i] = BigInt(values[i] as number);
    return new this.runtime.ort.Tensor('int64', data, dims);
  }

  async dispose(): Promise<void> {
    await this.session.release();
  }

  private emptyCache(batch: number): KeyValueCache {
    const { layers, heads, headSize } = this.cache;
    const empty: KeyValueCache = {};
    for (let i = 0; i < layers; i++) {
      for (const kind of ['key', 'value']) {
        const dims = [batch, heads, 0, headSize];
        empty[`${i}.${kind}`] = new this.runtime.ort.Tensor('float32', new Float32Array(0), dims);
      }
    }
    return empty;
  }
}

export function disposeCache(cache: KeyValueCache | undefined): void {
  for (const tensor of Object.values(cache ?? {})) tensor.dispose();
}
