/**
 * A GPU is believed after it has been checked. Contract: at its first use the kernels are compared with float64
 * (`proveKernels`), at the first use of a policy a sampled and a scored batch and the speed with WebAssembly
 * (`provePolicy`, which also finds how many responses at a time serve the GPU best). What came out is remembered
 * for the worker's life, by adapter and policy. Nothing here decides what becomes of a device that failed.
 */
import { checkKernels, type Comparison } from '../gpu/check';
import { message } from '../message';
import { cpuKernels } from '../math/cpu-kernels';
import type { Kernels } from '../math/kernels';
import { checkPolicy, type PolicySide } from '../policy/check';
import { ROWS } from '../policy/decoder';
import type { PolicyHost } from '../policy/host';
import type { Runtime } from '../policy/runtime';
import type { ScoringKernels } from '../policy/score';
import { PolicySession } from '../policy/session';
import { bestBatch, rowsThatFit, samplingSpeed, tryFixedShapes, type Speed } from '../policy/speed';

export interface Proof {
  /** why the device is not to be trusted or not worth using, one sentence or more; null: it may be used */
  trouble: string | null;
  /** null: it did not come to that */
  speed: { device: Speed; wasm: Speed } | null;
  /** the device samples the same in steps of fixed shapes, and faster (`PolicySession.fixedShapes`) */
  fixedShapes: boolean;
}

/** Long enough for any real GPU to compile its shaders; a device that says nothing for so long has failed. */
export const PATIENCE_MS = 60_000;

const number = (x: number) =>
  Number.isFinite(x) ? Number(x.toPrecision(2)).toString() : 'no number';
const perSecond = ({ tokensPerSecond }: Speed) =>
  `${Math.round(tokensPerSecond).toLocaleString('en')} tokens/s`;

/** A sentence of what is off by how much. */
export function disagreementWords(found: readonly Comparison[], with_: string): string {
  const each = found.map(({ what, by, allowed }) =>
    allowed === 0
      ? `${what} (${number(by)} differ)`
      : `${what} (off by ${number(by)}, allowed ${number(allowed)})`,
  );
  return `It disagrees with ${with_} on ${each.join(', ')}.`;
}

const failedWords = (error: unknown) => `It failed its check: ${message(error)}`;

/** Rejects where the work is not done in time; what is under way then is left alone. */
function within<T>(patienceMs: number, work: Promise<T>): Promise<T> {
  if (patienceMs === Infinity) return work;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    const words = `nothing came back within ${patienceMs / 1000} s.`;
    timer = setTimeout(() => reject(new Error(words)), patienceMs);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

/** @returns trouble as in `Proof` */
export async function proveKernels(kernels: Kernels, patienceMs: number): Promise<string | null> {
  try {
    const found = await within(patienceMs, checkKernels(kernels));
    return found.length > 0 ? disagreementWords(found, 'float64') : null;
  } catch (error) {
    return failedWords(error);
  }
}

export interface PolicyProofOptions {
  patienceMs: number;
  /** a software adapter: slower than WebAssembly by far, and not made to show it at length */
  software: boolean;
  signal?: AbortSignal | undefined;
}

const UNMEASURED = { speed: null, fixedShapes: false };

const SOFTWARE = 'It is a software adapter, far slower than WebAssembly.';

/**
 * @param wasm the other runtime; loaded for this
 * @throws what loading it throws; AbortError
 */
export async function provePolicy(
  host: PolicyHost,
  kernels: ScoringKernels,
  wasm: () => Promise<Runtime>,
  options: PolicyProofOptions,
): Promise<Proof> {
  const { signal } = options;
  const { files } = host;
  const reference = await PolicySession.create(await wasm(), files.onnx, files.portNames);
  const sides = [
    { session: host.session, kernels },
    { session: reference, kernels: cpuKernels },
  ].map((side): PolicySide => ({
    ...side,
    weights: side.session.upload(host.session.fileWeights),
  }));
  const [device, other] = sides as [PolicySide, PolicySide];
  try {
    return await within(options.patienceMs, compareSides(device, other, host, options));
  } catch (error) {
    if (signal?.aborted) throw error;
    return { ...UNMEASURED, trouble: failedWords(error) };
  } finally {
    for (const { weights } of sides) weights.dispose();
    await reference.dispose();
  }
}

async function compareSides(
  device: PolicySide,
  wasm: PolicySide,
  { files }: PolicyHost,
  { software, signal }: PolicyProofOptions,
): Promise<Proof> {
  const found = await checkPolicy(device, wasm, files, signal);
  if (found.length > 0) return { ...UNMEASURED, trouble: disagreementWords(found, 'WebAssembly') };
  if (software) return { ...UNMEASURED, trouble: `It agrees with WebAssembly. ${SOFTWARE}` };
  const limits = device.session.runtime.device?.limits;
  const speed = {
    wasm: await samplingSpeed(wasm, files, ROWS, signal),
    device: await bestBatch(
      (rows) => samplingSpeed(device, files, rows, signal),
      limits && rowsThatFit(device, files, limits),
    ),
  };
  const agrees = async () => (await checkPolicy(device, wasm, files, signal)).length === 0;
  const fixed = await tryFixedShapes(device, files, speed.device.rows, agrees, signal);
  if (fixed !== null) speed.device = fixed;
  return { trouble: tooSlow(speed.device, speed.wasm), speed, fixedShapes: fixed !== null };
}

/** Null: the device is at least as fast. */
export function tooSlow(device: Speed, wasm: Speed): string | null {
  const times = wasm.tokensPerSecond / device.tokensPerSecond;
  if (times <= 1) return null;
  return (
    `It agrees with WebAssembly, but samples ${times.toPrecision(2)} times as slowly: ` +
    `${perSecond(device)} against ${perSecond(wasm)}.`
  );
}

/** What a GPU that is used has shown, one sentence. */
export function provenWords({ device, wasm }: NonNullable<Proof['speed']>): string {
  const times = (device.tokensPerSecond / wasm.tokensPerSecond).toPrecision(2);
  return (
    `It agrees with WebAssembly and samples ${times} times as fast ` +
    `(${perSecond(device)}, ${device.rows} responses at a time).`
  );
}
