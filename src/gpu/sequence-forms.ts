/**
 * `Kernels.sequenceForms` on the GPU: one workgroup per sequence. Each form is within 1e-5 of float64,
 * relatively, at any length up to MAX_SEQUENCE_LENGTH; sums are exact integers (fixed.wgsl). Float64
 * input is rounded to float32 first.
 */
import { checkLogProbPair } from '../math/kernel-input';
import type { FloatArray, SequenceForms } from '../math/kernels';
import { toFloat32, withArena } from './buffers';
import { computePipeline, encodePass, type Shader } from './pipeline';
import code from './sequence-forms.wgsl?raw';
import { FIXED } from './snippets';
import { submitAndRead } from './submit';

const SHADER: Shader = { name: 'sequence-forms.wgsl', code: [code, FIXED].join('\n') };

/** In the order in which the shader writes them. */
const COLUMNS = [
  'geometric',
  'perplexity',
  'entropy',
  'pplOld',
  'pplNew',
  'crossEntropyOld',
  'crossEntropyNew',
  'logWeight',
  'naive',
] as const satisfies readonly (keyof SequenceForms)[];

export async function sequenceForms(
  device: GPUDevice,
  logpOld: FloatArray,
  logpNew: FloatArray,
  offsets: Uint32Array,
): Promise<SequenceForms> {
  checkLogProbPair(logpOld, logpNew, offsets);
  const n = offsets.length - 1;
  const bytes = COLUMNS.length * n * 4;
  const words = await withArena(device, async (arena) => {
    const pipeline = await computePipeline(device, SHADER);
    return submitAndRead(device, 'the sequence forms', bytes, (encoder) => {
      const result = arena.storage(bytes);
      const bindings = [
        arena.upload(toFloat32(logpOld)),
        arena.upload(toFloat32(logpNew)),
        arena.upload(offsets),
        result,
        arena.uniform([n]),
      ];
      if (n > 0) encodePass(encoder, device, [{ pipeline, bindings, workgroups: n }]);
      return result;
    });
  });
  const column = (name: (typeof COLUMNS)[number]) =>
    new Float32Array(words, COLUMNS.indexOf(name) * n * 4, n);
  return {
    geometric: column('geometric'),
    perplexity: column('perplexity'),
    entropy: column('entropy'),
    pplOld: column('pplOld'),
    pplNew: column('pplNew'),
    crossEntropyOld: column('crossEntropyOld'),
    crossEntropyNew: column('crossEntropyNew'),
    logWeight: column('logWeight'),
    naive: column('naive'),
  };
}
