/**
 * What a person's device makes of the lab, backend by backend: kernels and policy against float64, both backends
 * against each other, whether they draw the same tokens, and how fast. For the page `device`, which a teacher opens
 * the day before. Contract: a runtime of its own for each backend, disposed at the end; a backend that fails is
 * reported, and the others are checked all the same; `tell` has what is known so far after each part.
 */
import { compareKernels, compare, type Comparison } from '../gpu/check';
import { createGpuKernels } from '../gpu/kernels';
import { openDevice, type OpenedDevice } from '../gpu/device';
import { cpuKernels } from '../math/cpu-kernels';
import { message } from '../message';
import {
  comparePolicy,
  engineMismatch,
  randomPrompts,
  requestFor,
  type EngineMismatch,
  type PolicySide,
} from '../policy/check';
import { ROWS } from '../policy/decoder';
import { fetchCatalogue, fetchCheckpoint, type FileSource } from '../policy/fetch';
import { PolicyHost } from '../policy/host';
import { referenceLogProbs, shapeOf, type Shape } from '../policy/reference';
import { loadRuntime, type OrtAssets, type Runtime } from '../policy/runtime';
import { sampleSequences } from '../policy/sample';
import { scoreSequences, type ScoringKernels } from '../policy/score';
import { bestBatch, rowsThatFit, samplingSpeed } from '../policy/speed';

export type CheckedBackend = 'wasm' | 'webgpu';

/** Of one backend. */
export interface BackendReport {
  backend: CheckedBackend;
  comparisons: Comparison[];
  /** tokens a second, of short responses and on one thread; null: not measured */
  speed: { sampling: number; scoring: number; rows: number } | null;
  /** why there is no more; null: nothing went wrong */
  failed: string | null;
}

export interface AdapterReport {
  name: string;
  software: boolean;
  features: string[];
  /** bytes */
  maxBufferSize: number;
  maxStorageBufferBindingSize: number;
}

export interface DeviceReport {
  /** a sentence says why there is none */
  adapter: AdapterReport | string;
  backends: BackendReport[];
  /** the same weights sampled on one backend and scored on the other; none where there are not two */
  mismatch: (EngineMismatch & { sampler: CheckedBackend })[];
  /** the policy that was run */
  policy: string;
}

export interface CheckProgress {
  /** what is being done */
  doing: string;
  /** 0 to 1 */
  fraction: number;
  report: DeviceReport;
}

/** What a test replaces. */
export interface CheckParts {
  openDevice(): Promise<OpenedDevice>;
  createKernels(device: GPUDevice): ScoringKernels;
  loadRuntime: typeof loadRuntime;
}

export interface CheckOptions {
  assets: OrtAssets;
  files: FileSource;
  tell(progress: CheckProgress): void;
  signal: AbortSignal;
  parts?: CheckParts;
}

const PARTS: CheckParts = {
  openDevice: () => openDevice(),
  createKernels: createGpuKernels,
  loadRuntime,
};

/** Log-probs in float32 against float64, through four layers; what is broken is off by far more. */
const ROUNDING = 2e-4;

/** Few enough for float64 loops in JavaScript, long enough that every position differs. */
const REFERENCE_LENGTHS = [3, 8, 5, 13];
const RESPONSE_LENGTH = 8;

/** Responses whose scoring is timed. */
const SCORED = 64;
const SCORED_LENGTH = 24;

const STEPS = 8;

/** Responses that one backend draws and the other scores; few and short where the GPU is a software one. */
const DRAWN = { responses: 64, length: 48 };
const DRAWN_IN_SOFTWARE = { responses: 8, length: 12 };

/** @throws what the site's own files throw; AbortError */
export async function checkDevice(options: CheckOptions): Promise<DeviceReport> {
  const { assets, files, tell, signal, parts = PARTS } = options;
  const [manifest] = await fetchCatalogue(files);
  if (manifest === undefined) throw new Error('This site ships no policy to check with.');
  const report: DeviceReport = {
    adapter: '',
    backends: [],
    mismatch: [],
    policy: manifest.title,
  };
  const open: PolicySide[] = [];
  let done = 0;
  const next = (doing: string) => {
    signal.throwIfAborted();
    tell({ doing, fraction: done++ / STEPS, report: structuredClone(report) });
  };

  const config = JSON.parse(
    new TextDecoder().decode(await files(`${manifest.name}/config.json`, undefined, signal)),
  ) as unknown;
  const shape = shapeOf(config);

  const check = async (
    backend: CheckedBackend,
    runtime: () => Promise<Runtime>,
    kernels: ScoringKernels,
    then: (side: PolicySide, host: PolicyHost, own: BackendReport) => Promise<void>,
  ): Promise<PolicySide | null> => {
    const own: BackendReport = { backend, comparisons: [], speed: null, failed: null };
    report.backends.push(own);
    try {
      next(`loading the policy on ${NAMES[backend]}`);
      const host = await PolicyHost.open(await runtime(), files, manifest, undefined, signal);
      const weights = await fetchCheckpoint(files, manifest, manifest.defaultPair.old);
      const side = { session: host.session, kernels, weights: host.session.upload(weights) };
      open.push(side);
      if (shape !== null) {
        next(`${NAMES[backend]} against float64`);
        own.comparisons.push(await againstReference(side, host, shape, weights, signal));
      }
      await then(side, host, own);
      return side;
    } catch (error) {
      signal.throwIfAborted();
      own.failed = message(error);
      return null;
    }
  };

  let gpu: OpenedDevice | null = null;
  try {
    const wasmRuntime = await parts.loadRuntime('wasm', { assets });
    const wasm = await check(
      'wasm',
      async () => wasmRuntime,
      cpuKernels,
      async (side, host, own) => {
        next('speed of WebAssembly');
        const { tokensPerSecond } = await samplingSpeed(side, host.files, ROWS, signal);
        const scoring = await scoringSpeed(side, host, signal);
        own.speed = { sampling: tokensPerSecond, scoring, rows: ROWS };
      },
    );

    next('looking for a GPU');
    const opened = await parts.openDevice().catch((error: unknown) => message(error));
    if (typeof opened === 'string') {
      report.adapter = opened;
      return report;
    }
    gpu = opened;
    const { device } = opened;
    report.adapter = {
      name: opened.name,
      software: opened.isFallbackAdapter,
      features: [...device.features].map(String).sort(),
      maxBufferSize: device.limits.maxBufferSize,
      maxStorageBufferBindingSize: device.limits.maxStorageBufferBindingSize,
    };
    const kernels = parts.createKernels(device);
    await check(
      'webgpu',
      () => parts.loadRuntime('webgpu', { assets, device }),
      kernels,
      async (mine, host, own) => {
        next('kernels on the GPU against float64');
        own.comparisons.unshift(...(await compareKernels(kernels)));
        if (wasm) own.comparisons.push(...(await comparePolicy(mine, wasm, host.files, signal)));
        if (wasm) {
          next('sampler and trainer on different backends');
          const draw = opened.isFallbackAdapter ? DRAWN_IN_SOFTWARE : DRAWN;
          for (const [sampler, trainer] of [
            [mine, wasm],
            [wasm, mine],
          ] as const) {
            report.mismatch.push({
              sampler: sampler === mine ? 'webgpu' : 'wasm',
              ...(await engineMismatch(sampler, trainer, host.files, draw, signal)),
            });
          }
        }
        next('speed of the GPU');
        // A software adapter is checked for agreement; that it is slow is known.
        if (opened.isFallbackAdapter) return;
        const best = await bestBatch(
          (rows) => samplingSpeed(mine, host.files, rows, signal),
          rowsThatFit(mine, host.files, device.limits),
        );
        const scoring = await scoringSpeed(mine, host, signal);
        own.speed = { sampling: best.tokensPerSecond, scoring, rows: best.rows };
      },
    );
    return report;
  } finally {
    for (const { session, weights } of open) {
      weights.dispose();
      await session.dispose();
    }
    gpu?.device.destroy();
  }
}

export const NAMES: Record<CheckedBackend, string> = { wasm: 'WebAssembly', webgpu: 'WebGPU' };

/** Sampled responses, scored on the backend and in float64. */
async function againstReference(
  side: PolicySide,
  { files }: PolicyHost,
  shape: Shape,
  weights: ReadonlyMap<string, { values: Float32Array }>,
  signal: AbortSignal,
): Promise<Comparison> {
  const prompts = randomPrompts(files, REFERENCE_LENGTHS);
  const request = requestFor(files, prompts, RESPONSE_LENGTH, signal);
  const { sequences } = await sampleSequences(side.session, side.weights, request);
  const responses = sequences.map(({ tokens }, i) => ({
    prompt: prompts[i] as number[],
    response: tokens,
  }));
  const { session, kernels } = side;
  const { logp } = await scoreSequences(
    session,
    side.weights,
    kernels,
    responses,
    files.padToken,
    signal,
  );
  const exact = new Map(
    [...weights].map(([name, { values }]) => [name, Float64Array.from(values)] as const),
  );
  const want = responses.flatMap(({ prompt, response }) =>
    referenceLogProbs(shape, exact, prompt, response),
  );
  return compare('log-probs of the policy, against float64', logp, want, ROUNDING);
}

/** Tokens a second; the first pass warms up. */
async function scoringSpeed(
  { session, weights, kernels }: PolicySide,
  { files }: PolicyHost,
  signal: AbortSignal,
): Promise<number> {
  const lengths = Array.from({ length: 2 * SCORED }, (_, i) => (i < SCORED ? 6 : SCORED_LENGTH));
  const texts = randomPrompts(files, lengths);
  const sequences = Array.from({ length: SCORED }, (_, i) => ({
    prompt: texts[i] as number[],
    response: texts[SCORED + i] as number[],
  }));
  const score = () => scoreSequences(session, weights, kernels, sequences, files.padToken, signal);
  await score();
  const began = performance.now();
  await score();
  return (SCORED * SCORED_LENGTH * 1000) / Math.max(1e-3, performance.now() - began);
}
