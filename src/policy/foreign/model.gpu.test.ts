/** Foreign models on WebGPU in a real browser: what is found there, and that it is what WebAssembly finds. */
import { beforeAll, describe, expect, test } from 'vitest';
import {
  initialWeights,
  parameterSpecs,
  type Architecture,
} from '../../../models/build/architecture';
import { writeHubOnnx } from '../../../models/build/hub-author';
import { writeOnnx } from '../../../models/build/onnx-author';
import { SITE_ASSETS } from '../../engine/assets';
import { openDevice } from '../../gpu/device';
import { createGpuKernels } from '../../gpu/kernels';
import { loadRuntime } from '../runtime';
import { sampleSequences } from '../sample';
import { scoreSequences } from '../score';
import { ForeignModel, type OpenOptions } from './model';
import type { ModelFiles } from './repository';

const WORDS = Array.from('0123456789+-*/=; abcdefghijklmnopqrstuvwxyz');
const architecture = (vocabulary: number, kvHeads = 2): Architecture => ({
  vocabulary: Array.from({ length: vocabulary }, (_, i) => WORDS[i] ?? `<${i}>`),
  hiddenSize: 32,
  layers: 2,
  heads: 2,
  kvHeads,
  intermediateSize: 64,
  maxPositions: 64,
  ropeTheta: 10_000,
  rmsNormEpsilon: 1e-5,
});

function filesOf(a: Architecture, onnx: Uint8Array): ModelFiles {
  const vocab = Object.fromEntries(a.vocabulary.map((text, id) => [text, id]));
  const bytes = Uint8Array.from(onnx);
  return {
    repository: {
      ref: 'folder:x',
      revision: null,
      files: [],
      graphs: [],
      licence: null,
      card: null,
    },
    dtype: 'fp32',
    config: { max_position_embeddings: a.maxPositions, eos_token_id: [15, 16] },
    tokenizer: { model: { type: 'BPE', vocab, merges: [] }, decoder: { type: 'Fuse' } },
    tokenizerConfig: null,
    generationConfig: null,
    chatTemplate: null,
    onnx: bytes,
    external: new Map(),
    sha256: {},
  };
}

let options: OpenOptions;
beforeAll(async () => {
  const { device } = await openDevice();
  const runtime = await loadRuntime('webgpu', { assets: SITE_ASSETS, device });
  const wasm = await loadRuntime('wasm', { assets: SITE_ASSETS });
  options = {
    gpu: { runtime, kernels: createGpuKernels(device) },
    wasm: () => Promise.resolve(wasm),
  };
}, 120_000);

const NO_WEIGHTS = { feeds: {}, dispose: () => undefined };

function weightsOf(a: Architecture): Map<string, Float32Array> {
  const all = initialWeights(a, 3);
  return new Map(parameterSpecs(a).map(({ name }) => [name, all.get(name) as Float32Array]));
}

async function answers(model: ForeignModel, prompts: number[][]) {
  const { session, kernels, ends, padToken, maxPositions } = model;
  const [endToken, ...alsoEnds] = ends;
  const { sequences } = await sampleSequences(session, NO_WEIGHTS, {
    prompts,
    temperature: 1,
    maxLength: 6,
    maxPositions,
    seed: 5,
    firstSequence: 3,
    endToken,
    alsoEnds,
    padToken,
  });
  const scored = sequences.map(({ tokens }, i) => ({ prompt: prompts[i], response: tokens }));
  const { logp } = await scoreSequences(session, NO_WEIGHTS, kernels, scored, padToken);
  return { tokens: sequences.map(({ tokens }) => tokens), logp: Array.from(logp) };
}

describe('on the GPU', () => {
  test.for([
    ['standard operators', (a: Architecture) => writeOnnx(a, weightsOf(a)), 44, 2],
    ['fused attention', (a: Architecture) => writeHubOnnx(a, weightsOf(a)), 44, 1],
    ['blocks of four bits', (a: Architecture) => writeHubOnnx(a, weightsOf(a), { bits: 4 }), 44, 1],
    ['a large vocabulary', (a: Architecture) => writeOnnx(a, weightsOf(a)), 20_000, 2],
  ] as const)('%s', async ([, write, vocabulary, kvHeads]) => {
    const a = architecture(vocabulary, kvHeads);
    const files = filesOf(a, write(a));
    const gpu = await ForeignModel.open(files, options);
    expect(gpu.report.refusedGpu).toBeNull();
    expect(gpu.report.provider).toBe('webgpu');
    expect(gpu.report.probe.wasm?.logp).toBeLessThan(1e-3);
    const cpu = await ForeignModel.open(files, { ...options, gpu: null });
    const prompts = ['1+1=', '8*3+2=', '1+1='].map((text) => gpu.tokenizer.encode(text));
    const [got, want] = [await answers(gpu, prompts), await answers(cpu, prompts)];
    expect(got.tokens).toEqual(want.tokens);
    got.logp.forEach((x, i) => expect(Math.abs(x - want.logp[i])).toBeLessThan(1e-3));
    await gpu.dispose();
    await cpu.dispose();
  });
});
