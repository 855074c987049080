/**
 * `Kernels.prefixMoments` on the GPU: float32 within slices of a few hundred sequences, merged over
 * slices in float64. Float64 input is rounded to float32 first.
 */
import { checkPrefixMoments } from '../math/kernel-input';
import type { FloatArray, PrefixMoments } from '../math/kernels';
import { longestSequence, prefixCounts } from '../math/prefix-moments';
import { toFloat32, withArena } from './buffers';
import { computePipeline, encodePass, type Shader } from './pipeline';
import code from './prefix-moments.wgsl?raw';
import { submitAndRead } from './submit';

const SHADER: Shader = { name: 'prefix-moments.wgsl', code };
const THREADS = 128;
const SMALLEST_SLICE = 256;
const MOST_SLICES = 64;

/** Adds one slice's moments (Chan, Golub & LeVeque 1979). `seen` counts the sequences merged so far. */
function merge(
  out: { mean: Float64Array; m2: Float64Array },
  seen: Uint32Array,
  k: number,
  slice: { count: number; mean: number; m2: number },
): void {
  if (slice.count === 0) return;
  const before = seen[k];
  const total = before + slice.count;
  const mean = out.mean[k];
  const delta = slice.mean - mean;
  out.mean[k] = mean + (delta * slice.count) / total;
  out.m2[k] = out.m2[k] + slice.m2 + (delta * delta * before * slice.count) / total;
  seen[k] = total;
}

export async function prefixMoments(
  device: GPUDevice,
  logRatio: FloatArray,
  offsets: Uint32Array,
  maxLength: number,
): Promise<PrefixMoments> {
  checkPrefixMoments(logRatio, offsets, maxLength);
  const count = prefixCounts(offsets, maxLength);
  const out = { count, mean: new Float64Array(maxLength), m2: new Float64Array(maxLength) };
  const n = offsets.length - 1;
  const longest = Math.min(maxLength, longestSequence(offsets));
  if (longest === 0) return out;

  const slice = Math.max(SMALLEST_SLICE, Math.ceil(n / MOST_SLICES));
  const slices = Math.ceil(n / slice);
  const bytes = slices * longest * 12;
  const words = await withArena(device, async (arena) => {
    const [means, moments] = await Promise.all([
      computePipeline(device, SHADER, 'prefix_means'),
      computePipeline(device, SHADER, 'moments'),
    ]);
    return submitAndRead(device, 'prefix moments', bytes, (encoder) => {
      const partial = arena.storage(bytes);
      const shared = [
        arena.upload(toFloat32(logRatio)),
        arena.upload(offsets),
        arena.uniform([n, longest, slice]),
      ];
      encodePass(encoder, device, [
        { pipeline: means, bindings: shared, workgroups: n },
        {
          pipeline: moments,
          bindings: [...shared, partial],
          workgroups: [Math.ceil(longest / THREADS), slices],
        },
      ]);
      return partial;
    });
  });
  const counts = new Uint32Array(words);
  const floats = new Float32Array(words);
  const seen = new Uint32Array(longest);
  for (let at = 0; at < slices * longest; at++) {
    merge(out, seen, at % longest, {
      count: counts[at * 3],
      mean: floats[at * 3 + 1],
      m2: floats[at * 3 + 2],
    });
  }
  return out;
}
