/**
 * The kernels on the GPU: `Kernels` in WGSL, plus what the engine needs to keep logits and decoding on
 * the device. Contract: float32, the same numbers as `src/math/cpu-kernels.ts` to rounding; whatever a
 * call allocates on the GPU is gone when its promise settles, unless it was asked to stay there.
 */
import type { Kernels, TokenStats } from '../math/kernels';
import { autocovariance } from './autocovariance';
import { histogram } from './histogram';
import { prefixMoments } from './prefix-moments';
import { sequenceForms } from './sequence-forms';
import {
  encodeTokenStats,
  tokenStats,
  tokenStatsInPlace,
  type GpuTokenStats,
  type RowTargets,
  type TokenStatsOptions,
} from './token-stats';

export { Sampler } from './sampler';
export type { LogitsLayout, NextIds, SampledBatch, SamplerSettings } from './sampler';
export type { GpuTokenStats, RowTargets } from './token-stats';

export interface GpuKernels extends Kernels {
  readonly backend: 'webgpu';
  readonly device: GPUDevice;
  /** As `tokenStats`, for listed rows of logits that are on the GPU already. */
  tokenStatsInPlace(logits: GPUBuffer, job: RowTargets): Promise<TokenStats>;
  /** As `tokenStatsInPlace`, with the results left there too; the caller destroys them. */
  encodeTokenStats(logits: GPUBuffer, job: RowTargets): Promise<GpuTokenStats>;
}

/**
 * All methods reject with KernelInputError on bad input, ShaderError where WGSL does not compile, and
 * GpuError where the GPU refuses the work, runs out of memory or is lost.
 */
export function createGpuKernels(
  device: GPUDevice,
  options: Pick<TokenStatsOptions, 'subgroups'> = {},
): GpuKernels {
  return {
    backend: 'webgpu',
    device,
    tokenStats: (...input) => tokenStats(device, ...input, options),
    tokenStatsInPlace: (...input) => tokenStatsInPlace(device, ...input, options),
    encodeTokenStats: (...input) => encodeTokenStats(device, ...input, options),
    sequenceForms: (...input) => sequenceForms(device, ...input),
    histogram: (...input) => histogram(device, ...input),
    prefixMoments: (...input) => prefixMoments(device, ...input),
    autocovariance: (...input) => autocovariance(device, ...input),
  };
}
