/**
 * `Kernels.autocovariance` on the GPU: float32 within blocks of 1,024 tokens, added over blocks in
 * float64. Float64 input is rounded to float32 first.
 */
import { checkAutocovariance } from '../math/kernel-input';
import { type Autocovariance, type FloatArray, lagPairs } from '../math/kernels';
import { longestSequence } from '../math/prefix-moments';
import { compensatedSum } from '../math/summation';
import code from './autocovariance.wgsl?raw';
import { toFloat32, withArena } from './buffers';
import { computePipeline, encodePass, type Shader } from './pipeline';
import { submitAndRead } from './submit';

const SHADER: Shader = { name: 'autocovariance.wgsl', code };
/** As in the shader. */
const TOKENS_PER_GROUP = 1024;

/** [tokens] where the sequence of each token ends. */
function tokenEnds(offsets: Uint32Array): Uint32Array {
  const ends = new Uint32Array(offsets.at(-1) as number);
  for (let i = 0; i + 1 < offsets.length; i++) {
    ends.fill(offsets[i + 1], offsets[i], offsets[i + 1]);
  }
  return ends;
}

export async function autocovariance(
  device: GPUDevice,
  logRatio: FloatArray,
  offsets: Uint32Array,
  center: number,
  maxLag: number,
): Promise<Autocovariance> {
  checkAutocovariance(logRatio, offsets, center, maxLag);
  const pairs = lagPairs(offsets, maxLag);
  const sums = new Float64Array(maxLag + 1);
  // No pair is further apart than the longest response allows.
  const lags = Math.min(maxLag + 1, longestSequence(offsets));
  if (lags === 0) return { pairs, sums };

  const blocks = Math.ceil(logRatio.length / TOKENS_PER_GROUP);
  const partial = await withArena(device, async (arena) => {
    const pipeline = await computePipeline(device, SHADER);
    const centerBits = new Uint32Array(Float32Array.of(center).buffer)[0];
    const bytes = lags * blocks * 4;
    const words = await submitAndRead(device, 'an autocovariance', bytes, (encoder) => {
      const result = arena.storage(bytes);
      const bindings = [
        arena.upload(toFloat32(logRatio)),
        arena.upload(tokenEnds(offsets)),
        result,
        arena.uniform([logRatio.length, centerBits]),
      ];
      encodePass(encoder, device, [{ pipeline, bindings, workgroups: [blocks, lags] }]);
      return result;
    });
    return new Float32Array(words);
  });
  for (let lag = 0; lag < lags; lag++) {
    sums[lag] = compensatedSum(partial, lag * blocks, (lag + 1) * blocks);
  }
  return { pairs, sums };
}
