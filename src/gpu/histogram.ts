/**
 * `Kernels.histogram` on the GPU. Counts of float32 values are those of the float64 oracle, exactly:
 * the edges are rounded up to the float32 at which the comparison with the float64 edge flips. Float64
 * values are rounded to float32 first.
 */
import { checkHistogram } from '../math/kernel-input';
import {
  type FloatArray,
  type Histogram,
  histogramEdges,
  type HistogramSpec,
} from '../math/kernels';
import { toFloat32, withArena } from './buffers';
import code from './histogram.wgsl?raw';
import { computePipeline, encodePass, type Shader } from './pipeline';
import { submitAndRead } from './submit';

const SHADER: Shader = { name: 'histogram.wgsl', code };
const THREADS = 256;
/** Counters in workgroup memory; `LOCAL_SLOTS` in the shader. */
const LOCAL_SLOTS = 1024;
const MAX_WORKGROUPS = 256;

const scratch = new DataView(new ArrayBuffer(4));

/** An integer that sorts like the float32; -0 is 0. */
function sortable(float32: number): number {
  scratch.setFloat32(0, float32 + 0);
  const bits = scratch.getUint32(0);
  return (bits >= 0x80000000 ? ~bits : bits | 0x80000000) >>> 0;
}

/** Sortable integer of the smallest float32 that is >= x, or > x where `above`. */
function firstFloat32(x: number, above: boolean): number {
  const rounded = Math.fround(x);
  const key = sortable(rounded === 0 ? 0 : rounded);
  return rounded < x || (above && rounded === x) ? key + 1 : key;
}

export async function histogram(
  device: GPUDevice,
  values: FloatArray,
  spec: HistogramSpec,
): Promise<Histogram> {
  checkHistogram(spec);
  const { bins } = spec;
  const edges = histogramEdges(spec);
  const keys = Uint32Array.from(edges, (edge, k) => firstFloat32(edge, k === bins));
  const counts = await withArena(device, async (arena) => {
    const local = bins + 3 <= LOCAL_SLOTS;
    const pipeline = await computePipeline(device, SHADER, local ? 'main' : 'main_global');
    const words = await submitAndRead(device, 'a histogram', (bins + 3) * 4, (encoder) => {
      const result = arena.storage((bins + 3) * 4);
      const bindings = [
        arena.upload(toFloat32(values)),
        arena.upload(keys),
        result,
        arena.uniform([values.length, bins]),
      ];
      const workgroups = Math.min(MAX_WORKGROUPS, Math.ceil(values.length / THREADS));
      encodePass(encoder, device, [{ pipeline, bindings, workgroups: [workgroups, 1] }]);
      return result;
    });
    return new Uint32Array(words);
  });
  return {
    counts: counts.slice(0, bins),
    underflow: counts[bins],
    overflow: counts[bins + 1],
    notFinite: counts[bins + 2],
  };
}
