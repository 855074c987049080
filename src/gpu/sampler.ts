/**
 * Sampling a batch of responses without a read-back per token. Contract: `step` queues one decode step
 * (logits -> next ids, on the GPU); what was sampled is read once, at the end. The tokens are those of
 * `src/math/sampler.ts` for the same seed, sequence and step, up to float32 ties.
 */
import { KernelInputError } from '../math/kernel-input';
import { STREAM } from '../math/philox';
import { checkTopP, inverseTemperature } from '../math/nucleus';
import { Arena } from './buffers';
import {
  computePipeline,
  encodePass,
  hasImmediates,
  withImmediates,
  withSubgroups,
  type Dispatch,
  type Shader,
} from './pipeline';
import { rowRanges } from './row-ranges';
import subgroupsCode from './sampler-subgroups.wgsl?raw';
import treeCode from './sampler-tree.wgsl?raw';
import code from './sampler.wgsl?raw';
import { FLOAT, PHILOX } from './snippets';
import { readBack, submit } from './submit';

const TREE: Shader = { name: 'sampler.wgsl', code: [code, treeCode, FLOAT, PHILOX].join('\n') };
const SUBGROUPS = withSubgroups({
  name: 'sampler.wgsl (subgroups)',
  code: [code, subgroupsCode, FLOAT, PHILOX].join('\n'),
});

const PARAMETERS = '@group(0) @binding(6) var<uniform> params: Params;';

function shaderFor(subgroups: boolean, immediates: boolean): Shader {
  const shader = subgroups ? SUBGROUPS : TREE;
  return immediates ? withImmediates(shader, PARAMETERS) : shader;
}

/** Small vocabularies keep no more threads busy. */
const SMALL_VOCABULARY = 1024;

/** One workgroup each, along one dimension. */
const MAX_BATCH = 65535;

/** Words of state before the per-sequence lengths: unfinished sequences, rows without usable logits. */
const STATE_HEADER = 2;

export interface SamplerSettings {
  /** sequences */
  batch: number;
  vocabulary: number;
  /** most tokens per response */
  maxNew: number;
  /** 0 = greedy */
  temperature: number;
  /** share of the probability that the drawn tokens have (`math/nucleus.ts`); left out: 1 */
  topP?: number | undefined;
  /** 32-bit seed */
  seed: number;
  /** index within the run of the batch's first sequence; sequence b draws as first + b */
  firstSequence: number;
  /** token that ends a response; it is part of the response */
  endToken: number;
  /** what finished sequences emit */
  padToken: number;
}

/** Where a step finds its logits. */
export interface LogitsLayout {
  /** elements from one sequence's row to the next; the vocabulary where left out */
  stride?: number;
  /** element where the first sequence's row begins */
  offset?: number;
}

/** Where a step puts the ids it chose; both buffers need usage STORAGE. */
export interface NextIds {
  /** int64 [batch]; what ONNX graphs take */
  int64: GPUBuffer;
  /** int32 [batch] */
  int32: GPUBuffer;
}

export interface SampledBatch {
  /** [batch, maxNew]; the pad id behind the end of a response, 0 where no step was taken */
  tokens: Uint32Array;
  /** [batch] tokens of each response, its end token included */
  lengths: Uint32Array;
  /** [batch] 1 = ended by itself, 0 = cut */
  finished: Uint8Array;
  /** [batch, maxNew] log of the probability that top-p kept, at temperature 1; null where it cuts nothing off */
  logKept: Float32Array | null;
}

export interface SamplerOptions {
  /** most bytes that one binding may show; the device's own limit where left out */
  bindingLimit?: number | undefined;
  /** find the best by subgroups; whether the device has them where left out */
  subgroups?: boolean | undefined;
  /** a step's constants travel with its command; whether the browser has that where left out */
  immediates?: boolean | undefined;
}

const cuts = ({ topP = 1, temperature }: SamplerSettings) => topP < 1 && temperature > 0;

export class Sampler {
  private taken = 0;
  /** first step that the GPU refused */
  private failure: { error: unknown } | undefined;

  private constructor(
    private readonly device: GPUDevice,
    private readonly arena: Arena,
    private readonly pipeline: GPUComputePipeline,
    private readonly settings: SamplerSettings,
    private readonly bindingLimit: number,
    private readonly immediates: boolean,
    private readonly tokens: GPUBuffer,
    private readonly state: GPUBuffer,
    private readonly kept: GPUBuffer,
  ) {}

  /** @throws KernelInputError, ShaderError */
  static async create(
    device: GPUDevice,
    settings: SamplerSettings,
    {
      bindingLimit = device.limits.maxStorageBufferBindingSize,
      subgroups = device.features.has('subgroups'),
      immediates = hasImmediates(),
    }: SamplerOptions = {},
  ): Promise<Sampler> {
    const { batch, vocabulary, maxNew, temperature, topP = 1, endToken, padToken } = settings;
    for (const [name, value] of Object.entries({ batch, vocabulary, maxNew })) {
      if (!Number.isSafeInteger(value) || value < 1) {
        throw new KernelInputError(`The sampler needs a ${name} of at least 1, not ${value}.`);
      }
    }
    for (const [name, id] of Object.entries({ endToken, padToken })) {
      if (!Number.isSafeInteger(id) || id < 0 || id >= vocabulary) {
        throw new KernelInputError(`The ${name} ${id} is not one of ${vocabulary} tokens.`);
      }
    }
    if (batch > MAX_BATCH) {
      throw new KernelInputError(`The sampler takes at most ${MAX_BATCH} sequences, not ${batch}.`);
    }
    inverseTemperature(temperature);
    checkTopP(topP);
    const pipeline = await computePipeline(device, shaderFor(subgroups, immediates), 'main', {
      threads: vocabulary <= SMALL_VOCABULARY ? 64 : 256,
    });
    const arena = new Arena(device);
    const state = new Uint32Array(STATE_HEADER + batch);
    state[0] = batch;
    return new Sampler(
      device,
      arena,
      pipeline,
      settings,
      bindingLimit,
      immediates,
      arena.storage(batch * maxNew * 4),
      arena.upload(state),
      arena.storage(cuts(settings) ? batch * maxNew * 4 : 16),
    );
  }

  /** Steps queued so far; the next one draws with this step number. */
  get steps(): number {
    return this.taken;
  }

  /**
   * Queues one step: chooses a token per sequence, appends it, and writes it to `next`. Returns when
   * submitted, not when done.
   * @param logits float32, with usage STORAGE
   * @throws KernelInputError where the logits do not hold the batch, or after `maxNew` steps
   */
  step(logits: GPUBuffer, next: NextIds, layout: LogitsLayout = {}): void {
    const { batch, vocabulary, maxNew } = this.settings;
    const { stride = vocabulary, offset = 0 } = layout;
    if (this.taken >= maxNew) {
      throw new KernelInputError(`All ${maxNew} steps of this batch have been taken.`);
    }
    const needed = offset + (batch - 1) * stride + vocabulary;
    if (needed * 4 > logits.size) {
      throw new KernelInputError(
        `${batch} rows of ${vocabulary} logits end at element ${needed}, ` +
          `but the buffer has ${logits.size / 4}.`,
      );
    }
    const scratch = new Arena(this.device);
    const starts = Float64Array.from({ length: batch }, (_, row) => offset + row * stride);
    const work = rowRanges(starts, vocabulary, this.bindingLimit).map((range): Dispatch => {
      const start = starts[range.from] - range.offset / 4;
      const parameters = this.parameters(range.from, start, stride);
      return {
        pipeline: this.pipeline,
        bindings: [
          { buffer: logits, offset: range.offset, size: range.size },
          this.tokens,
          this.state,
          next.int64,
          next.int32,
          this.kept,
          ...(this.immediates ? [] : [scratch.uniform(parameters)]),
        ],
        workgroups: [range.to - range.from, 1],
        immediates: this.immediates ? parameters : undefined,
      };
    });
    const verdict = submit(this.device, 'a sampling step', (encoder) =>
      encodePass(encoder, this.device, work),
    );
    // Heard where somebody waits; the first failure is the one that matters.
    verdict.catch((error: unknown) => (this.failure ??= { error }));
    scratch.destroy();
    this.taken++;
  }

  /**
   * How many sequences still run after all queued steps; waits for the GPU.
   * @throws GpuError where it refused a step
   */
  async unfinished(): Promise<number> {
    const words = new Uint32Array(await readBack(this.device, this.state, 8));
    if (this.failure) throw this.failure.error;
    return words[0];
  }

  /**
   * What was sampled so far; waits for the GPU.
   * @throws KernelInputError where a row of logits held no usable number, GpuError where a step failed
   */
  async read(): Promise<SampledBatch> {
    const { batch, maxNew } = this.settings;
    const [tokens, state, kept] = await Promise.all([
      readBack(this.device, this.tokens, batch * maxNew * 4),
      readBack(this.device, this.state, (STATE_HEADER + batch) * 4),
      cuts(this.settings) ? readBack(this.device, this.kept, batch * maxNew * 4) : null,
    ]);
    if (this.failure) throw this.failure.error;
    const words = new Uint32Array(state);
    if (words[1] !== 0) {
      throw new KernelInputError(
        `${words[1]} rows of logits held no usable number; the policy cannot go on.`,
      );
    }
    const ends = words.subarray(STATE_HEADER);
    return {
      tokens: new Uint32Array(tokens),
      lengths: ends.map((end) => end || this.taken),
      finished: Uint8Array.from(ends, (end) => (end > 0 ? 1 : 0)),
      logKept: kept && new Float32Array(kept),
    };
  }

  destroy(): void {
    this.arena.destroy();
  }

  private parameters(firstRow: number, offset: number, stride: number): number[] {
    const s = this.settings;
    const scale = new Uint32Array(Float32Array.of(inverseTemperature(s.temperature)).buffer);
    return [
      s.vocabulary,
      offset,
      stride,
      firstRow,
      s.firstSequence,
      this.taken,
      s.maxNew,
      s.seed,
      STREAM.sampling,
      scale[0],
      s.temperature === 0 ? 1 : 0,
      s.endToken,
      s.padToken,
      new Uint32Array(Float32Array.of(s.topP ?? 1).buffer)[0],
    ];
  }
}
