/** The same policy on both providers in one real browser: WebGPU kernels against wasm and float64. */
import { beforeAll, describe, expect, test } from 'vitest';
import { tinyPolicy, type TinyPolicy } from '../../models/build/tiny';
import { SITE_ASSETS } from '../engine/assets';
import { openDevice } from '../gpu/device';
import { checkKernels } from '../gpu/check';
import { createGpuKernels } from '../gpu/kernels';
import { cpuKernels } from '../math/cpu-kernels';
import { checkPolicy, type PolicySide } from './check';
import { PolicyHost } from './host';
import { loadRuntime } from './runtime';
import { sampleSequences } from './sample';
import { scoreSequences, type ScoringKernels } from './score';
import type { ResidentWeights } from './session';

interface Side {
  host: PolicyHost;
  kernels: ScoringKernels;
}

let tiny: TinyPolicy;
let webgpu: Side;
let wasm: Side;
let device: GPUDevice;

beforeAll(async () => {
  tiny = await tinyPolicy();
  ({ device } = await openDevice());
  const gpuRuntime = await loadRuntime('webgpu', { assets: SITE_ASSETS, device });
  const wasmRuntime = await loadRuntime('wasm', { assets: SITE_ASSETS });
  webgpu = {
    host: await PolicyHost.open(gpuRuntime, tiny.files, tiny.manifest),
    kernels: createGpuKernels(device),
  };
  wasm = {
    host: await PolicyHost.open(wasmRuntime, tiny.files, tiny.manifest),
    kernels: cpuKernels,
  };
}, 120_000);

const PROMPTS = ['8*3+2-6=', '1+1=', '9-9*9+4='];

async function sampled(
  host: PolicyHost,
  weights: ResidentWeights,
  temperature: number,
  maxLength: number,
  prompts = PROMPTS,
  topP = 1,
) {
  const { sequences } = await sampleSequences(host.session, weights, {
    prompts: prompts.map((text) => host.files.tokenizer.encode(text)),
    firstSequence: 40,
    temperature,
    topP,
    maxLength,
    maxPositions: host.files.maxPositions,
    seed: 11,
    endToken: host.files.endToken,
    padToken: host.files.padToken,
  });
  return sequences;
}

async function sample({ host }: Side, temperature: number, maxLength = 12) {
  const { old } = await host.pair('a', 'b', 1);
  return sampled(host, old, temperature, maxLength);
}

describe('webgpu against wasm', () => {
  test('the same seed gives the same tokens, on both and twice in a row', async () => {
    const onGpu = await sample(webgpu, 1);
    expect(onGpu).toEqual(await sample(wasm, 1));
    expect(await sample(webgpu, 1)).toEqual(onGpu);
    expect(await sample(webgpu, 0)).toEqual(await sample(wasm, 0));
  });

  test('a nucleus is the same on both, and so is what it keeps', async () => {
    const cut = async ({ host }: Side) => {
      const { old } = await host.pair('a', 'b', 1);
      return sampled(host, old, 1, 12, PROMPTS, 0.6);
    };
    const [gpu, cpu] = [await cut(webgpu), await cut(wasm)];
    expect(gpu.map(({ tokens }) => tokens)).toEqual(cpu.map(({ tokens }) => tokens));
    const kept = cpu.flatMap(({ logKept = [] }) => logKept);
    expect(kept).toHaveLength(cpu.flatMap(({ tokens }) => tokens).length);
    expect(Math.min(...kept)).toBeLessThan(-0.1);
    const onGpu = gpu.flatMap(({ logKept = [] }) => logKept);
    kept.forEach((x, t) => expect(Math.abs(x - (onGpu[t] ?? NaN))).toBeLessThan(5e-5));
  });

  test('log-probs, entropies and collision probabilities agree', async () => {
    const score = async ({ host, kernels }: Side) => {
      const { theta } = await host.pair('a', 'b', 0.5);
      const encode = (text: string) => host.files.tokenizer.encode(text);
      const sequences = [
        { prompt: encode('8*3+2-6='), response: encode('24+2-6=24+(-4)=20;') },
        { prompt: encode('1+1='), response: encode('2;') },
      ];
      return scoreSequences(host.session, theta, kernels, sequences, host.files.padToken);
    };
    const [gpu, cpu] = [await score(webgpu), await score(wasm)];
    for (const column of ['logp', 'entropy', 'collision'] as const) {
      gpu[column].forEach((x, t) => expect(Math.abs(x - cpu[column][t])).toBeLessThan(2e-5));
    }
  });

  test('this adapter passes the check that every adapter gets before it is used', async () => {
    const side = ({ host, kernels }: Side): PolicySide => ({
      session: host.session,
      weights: host.session.upload(host.session.fileWeights),
      kernels,
    });
    const [gpu, cpu] = [side(webgpu), side(wasm)];
    expect(await checkKernels(webgpu.kernels)).toEqual([]);
    expect(await checkPolicy(gpu, cpu, webgpu.host.files)).toEqual([]);
    // a device that reads weights as zeros, as after an error that nobody heard
    const zeros = new Map(
      [...webgpu.host.session.fileWeights].map(([name, { shape, values }]) => [
        name,
        { shape, values: new Float32Array(values.length) },
      ]),
    );
    const broken = { ...gpu, weights: webgpu.host.session.upload(zeros) };
    const found = await checkPolicy(broken, cpu, webgpu.host.files);
    expect(found.map(({ what }) => what)).toContain('scored log-probs');
    for (const { weights } of [gpu, broken]) weights.dispose();
  });

  test('steps of fixed shapes, recorded once, sample the same, whatever the batch and weights', async () => {
    const { session } = webgpu.host;
    session.fixedShapes = true;
    const decoder = await session.staticDecoder({ batch: 3, positions: 20 }, 64);
    expect(decoder).not.toBeNull();
    expect(await sample(webgpu, 1)).toEqual(await sample(wasm, 1));
    expect(await sample(webgpu, 0, 30)).toEqual(await sample(wasm, 0, 30));
    // the same shapes, so the same recording, under other weights
    const shifted = async ({ host }: Side) => {
      const { theta } = await host.pair('a', 'b', 1.5);
      return sampled(host, theta, 1, 30);
    };
    const before = await sample(wasm, 1, 30);
    const after = await shifted(wasm);
    expect(after).not.toEqual(before);
    expect(await sample(webgpu, 1, 30)).toEqual(before);
    expect(await shifted(webgpu)).toEqual(after);
    // A smaller batch fits; one that leaves most rows idle, or is larger, is another recording.
    const shaped = () => session.staticDecoder({ batch: 2, positions: 20 }, 64);
    const recorded = await shaped();
    for (const prompts of [PROMPTS.slice(1), [...PROMPTS, ...PROMPTS], PROMPTS.slice(2)]) {
      const few = async ({ host }: Side) => {
        const { old } = await host.pair('a', 'b', 1);
        return sampled(host, old, 1, 12, prompts);
      };
      expect(await few(webgpu)).toEqual(await few(wasm));
      if (prompts.length === 2) expect(await shaped()).toBe(recorded);
    }
    expect(await shaped()).not.toBe(recorded);
    // Buffers come and go between batches: weights of other mixtures, scoring passes.
    for (let round = 1; round <= 4; round++) {
      const mixed = async ({ host, kernels }: Side) => {
        const { theta } = await host.pair('a', 'b', round / 4);
        const text = { prompt: [3, 4], response: [5, 6, 7] };
        await scoreSequences(host.session, theta, kernels, Array(round).fill(text), 0);
        return sampled(host, theta, 1, 30);
      };
      expect(await mixed(webgpu)).toEqual(await mixed(wasm));
    }
    // No replay failed and was done the other way.
    expect(session.fixedShapes).toBe(true);
    session.fixedShapes = false;
  });

  test('nothing is read back per token', async () => {
    const readBacks = async (maxLength: number) => {
      const { mapAsync } = GPUBuffer.prototype;
      let count = 0;
      GPUBuffer.prototype.mapAsync = function (...mode) {
        count++;
        return mapAsync.apply(this, mode);
      };
      await sample(webgpu, 0, maxLength);
      GPUBuffer.prototype.mapAsync = mapAsync;
      return count;
    };
    expect(await readBacks(7)).toBe(await readBacks(2));
  });

  test('our device outlives its last session', async () => {
    const runtime = webgpu.host.session.runtime;
    const short = await PolicyHost.open(runtime, tiny.files, tiny.manifest);
    await short.pair('a', 'b', 1);
    await short.dispose();
    const lost = await Promise.race([
      device.lost.then(() => true),
      new Promise((resolve) => setTimeout(() => resolve(false), 200)),
    ]);
    expect(lost).toBe(false);
    expect((await sample(webgpu, 0)).length).toBe(PROMPTS.length);
  });
});
