/**
 * Everything worth knowing of a real GPU, in one command (`npm run bench:gpu`): the GPU tests of the check, the
 * speed of the token kernel against that of memory, sampling and scoring by batch size, the same tokens as
 * WebAssembly, and a training step on both. Contract: prints one line per finding as it comes and writes all
 * of them to `--json FILE`; exits with 1 where a test failed or tokens differ. `--small` is for software
 * adapters: the same code on little data.
 */
import './node-webgpu';
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { openDevice } from '../../src/gpu/device';
import { createGpuKernels } from '../../src/gpu/kernels';
import { cpuKernels } from '../../src/math/cpu-kernels';
import { fetchCatalogue, findPolicy } from '../../src/policy/fetch';
import { PolicyHost } from '../../src/policy/host';
import { loadRuntime, type Provider } from '../../src/policy/runtime';
import { sampleSequences, type SampleRequest } from '../../src/policy/sample';
import { scoreSequences, type ScoringKernels } from '../../src/policy/score';
import { arithmetic } from '../../src/tasks/arithmetic';
import { heldOutPrompts } from '../../src/tasks/task';
import { benchTokenKernel } from '../token-kernel';
import { modelFiles, SITE_ASSETS } from './assets';
import { inFile, runTests, type TestResult } from './suite';
import { trainingSteps } from './training';

const { values: options } = parseArgs({
  options: {
    small: { type: 'boolean', default: false },
    json: { type: 'string' },
    only: { type: 'string' },
  },
});
const small = options.small;
const asked = (part: string) => (options.only ?? part).split(',').includes(part);

const findings: Record<string, unknown>[] = [];
let failures = 0;

function tell(what: string, finding: object): void {
  findings.push({ what, ...finding });
  console.log(`${what}: ${JSON.stringify(finding)}`);
  if (options.json !== undefined) {
    writeFileSync(options.json, `${JSON.stringify(findings, null, 1)}\n`);
  }
}

const round = (x: number, digits = 4) => Number(x.toPrecision(digits));
const median = (values: readonly number[]) =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN;

/** The files import `vitest`, which is `suite.ts` here. */
const TEST_FILES: Record<string, () => Promise<unknown>> = {
  device: () => import('../../src/gpu/device.gpu.test'),
  kernels: () => import('../../src/gpu/kernels.gpu.test'),
  'token statistics': () => import('../../src/gpu/token-stats.gpu.test'),
  sampler: () => import('../../src/gpu/sampler.gpu.test'),
  backends: () => import('../../src/policy/backends.gpu.test'),
  racer: () => import('../../src/training/racer.gpu.test'),
};

async function test(): Promise<void> {
  for (const [name, load] of Object.entries(TEST_FILES)) {
    const began = performance.now();
    let passed = 0;
    const failed: TestResult[] = [];
    inFile(name);
    await load();
    await runTests((result) => {
      if (result.error === undefined) passed++;
      else failed.push(result);
    });
    failures += failed.length;
    const seconds = round((performance.now() - began) / 1000);
    tell(`tests, ${name}`, { passed, failed: failed.length, seconds, failures: failed });
  }
}

interface Side {
  host: PolicyHost;
  kernels: ScoringKernels;
}

async function open(provider: Provider, device?: GPUDevice): Promise<Side> {
  const runtime = await loadRuntime(provider, {
    assets: SITE_ASSETS,
    ...(device ? { device } : {}),
  });
  const manifest = findPolicy(await fetchCatalogue(modelFiles), 'arithmetic-dense');
  const host = await PolicyHost.open(runtime, modelFiles, manifest);
  return { host, kernels: device ? createGpuKernels(device) : cpuKernels };
}

/** Groups of eight, as a run samples them. */
function requestOf({ files }: PolicyHost, batch: number): SampleRequest {
  const range = { minOperators: 1, maxOperators: small ? 2 : 9 };
  const prompts = heldOutPrompts(arithmetic, 5, range, Math.ceil(batch / 8));
  return {
    prompts: Array.from({ length: batch }, (_, i) =>
      files.tokenizer.encode(prompts[Math.floor(i / 8)] ?? ''),
    ),
    firstSequence: 0,
    temperature: 1,
    maxLength: small ? 12 : 180,
    maxPositions: files.maxPositions,
    seed: 1,
    endToken: files.endToken,
    padToken: files.padToken,
  };
}

async function measure({ host, kernels }: Side, batch: number) {
  const { old, theta } = await host.pair(...pairOf(host));
  const request = requestOf(host, batch);
  let began = performance.now();
  const { sequences: sampled } = await sampleSequences(host.session, old, request);
  const sampling = performance.now() - began;
  const sequences = sampled.map(({ tokens }, i) => ({
    prompt: [...(request.prompts[i] ?? [])],
    response: tokens,
  }));
  began = performance.now();
  const pad = host.files.padToken;
  const scored = await scoreSequences(host.session, old, kernels, sequences, pad);
  await scoreSequences(host.session, theta, kernels, sequences, pad);
  const scoring = performance.now() - began;
  const tokens = sampled.reduce((sum, { tokens: t }) => sum + t.length, 0);
  const longest = Math.max(...sampled.map(({ tokens: t }) => t.length));
  return { sampled, sequences, scored, sampling, scoring, tokens, longest };
}

function pairOf({ manifest }: PolicyHost): [string, string, number] {
  const { old, new: next } = manifest.defaultPair;
  return [old, next, 1];
}

async function policies(device: GPUDevice): Promise<void> {
  const gpu = await open('webgpu', device);
  const wasm = await open('wasm');
  {
    const batch = small ? 8 : 64;
    const [a, b] = [await measure(gpu, batch), await measure(wasm, batch)];
    const same = a.sampled.filter(
      ({ tokens }, i) => tokens.join() === b.sampled[i]?.tokens.join(),
    ).length;
    const { old } = await wasm.host.pair(...pairOf(wasm.host));
    const pad = wasm.host.files.padToken;
    const check = await scoreSequences(wasm.host.session, old, cpuKernels, a.sequences, pad);
    const worst = (column: 'logp' | 'entropy' | 'collision') =>
      Array.from(check[column]).reduce(
        (most, x, t) => Math.max(most, Math.abs(x - (a.scored[column][t] ?? NaN))),
        0,
      );
    if (same < batch) failures++;
    tell('same tokens as WebAssembly', {
      responses: batch,
      same,
      worstLogp: round(worst('logp'), 2),
      worstEntropy: round(worst('entropy'), 2),
      worstCollision: round(worst('collision'), 2),
    });
  }
  const sizes = small ? [8] : [32, 64, 128, 256, 512, 1024, 2048];
  for (const [name, side, batches] of [
    ['wasm, one thread', wasm, small ? [8] : [32]],
    ['webgpu', gpu, sizes],
    ['webgpu in steps of fixed shapes', gpu, sizes],
  ] as const) {
    for (const batch of batches) {
      side.host.session.fixedShapes = name.endsWith('fixed shapes');
      const rounds: Awaited<ReturnType<typeof measure>>[] = [];
      for (let i = 0; i < (small ? 1 : 3); i++) rounds.push(await measure(side, batch));
      const rate = (of: (x: Awaited<ReturnType<typeof measure>>) => number) =>
        Math.round(median(rounds.map((x) => (x.tokens / of(x)) * 1000)));
      const [first] = rounds;
      tell(`sampling and scoring, ${name}`, {
        batch,
        tokens: first?.tokens,
        longest: first?.longest,
        samplingMs: Math.round(median(rounds.map(({ sampling }) => sampling))),
        msPerStep: round(median(rounds.map(({ sampling, longest }) => sampling / longest)), 3),
        samplingTokensPerSecond: rate(({ sampling }) => sampling),
        scoringPairMs: Math.round(median(rounds.map(({ scoring }) => scoring))),
        scoringPairTokensPerSecond: rate(({ scoring }) => scoring),
        responsesPerSecond: round(
          median(rounds.map(({ sampling, scoring }) => (batch / (sampling + scoring)) * 1000)),
        ),
      });
    }
  }
}

async function main(): Promise<void> {
  const began = performance.now();
  const opened = await openDevice();
  const { device, info } = opened;
  tell('adapter', {
    name: opened.name,
    vendor: info.vendor,
    architecture: info.architecture,
    software: opened.isFallbackAdapter,
    cpu: cpus()[0]?.model,
    features: [...device.features].sort(),
    maxBufferSize: device.limits.maxBufferSize,
    maxStorageBufferBindingSize: device.limits.maxStorageBufferBindingSize,
    subgroupSizes: [info.subgroupMinSize, info.subgroupMaxSize],
  });
  if (asked('kernel')) {
    const shape = small ? { rows: 8, rounds: 3 } : { rows: 1024, rounds: 15 };
    for (const vocabulary of small ? [50257] : [50257, 151936]) {
      const bench = await benchTokenKernel(device, { ...shape, vocabulary });
      tell('token kernel', {
        vocabulary,
        rows: bench.rows,
        gigabytesPerSecond: round(bench.tokenKernel.gigabytesPerSecond),
        subgroups: bench.subgroups,
        timeOverTree: round(bench.ratioToTree),
        timeOverBufferCopy: round(bench.ratioToBufferCopy),
        timeOverCopyKernel: round(bench.ratioToShaderCopy),
      });
    }
  }
  if (asked('policies')) await policies(device);
  if (asked('training')) {
    for (const provider of ['webgpu', 'wasm'] as const) {
      tell(`training step, ${provider}`, await trainingSteps(provider, { small, device }));
    }
  }
  if (asked('tests')) await test();
  tell('done', { seconds: round((performance.now() - began) / 1000), failures });
  process.exit(failures === 0 ? 0 : 1);
}

await main();
