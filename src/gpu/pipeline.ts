/**
 * From WGSL to compute pipelines. Contract: a pipeline is compiled once per device, shader and
 * constants; whatever WGSL has to complain about arrives as a ShaderError that names file and line.
 * Shared snippets are appended *behind* the shader, so its own line numbers stay right.
 */
import { message } from '../message';

export interface Shader {
  /** file name, for messages */
  name: string;
  code: string;
}

/** Constants of a dispatch that travel with its command, without a buffer (in Chromium 156; not in Firefox 153). */
export function hasImmediates(): boolean {
  const known = globalThis.navigator?.gpu?.wgslLanguageFeatures;
  return (
    known?.has('immediate_address_space') === true &&
    typeof GPUComputePassEncoder !== 'undefined' &&
    'setImmediates' in GPUComputePassEncoder.prototype
  );
}

/**
 * The shader with its parameters as immediates.
 * @param declaration of the parameters as a uniform buffer; it has the last binding
 */
export function withImmediates({ name, code }: Shader, declaration: string): Shader {
  if (!code.includes(declaration))
    throw new ShaderError(`${name} does not declare: ${declaration}`);
  const variable = declaration.replace(/^.*var<uniform>/, 'var<immediate>');
  return { name: `${name} (immediates)`, code: code.replace(declaration, variable) };
}

/** For devices with the feature `subgroups`. On the shader's first line, so that its line numbers stay right. */
export function withSubgroups({ name, code }: Shader): Shader {
  return { name, code: `enable subgroups; ${code}` };
}

export class ShaderError extends Error {
  override name = 'ShaderError';
}

const caches = new WeakMap<GPUDevice, Map<string, Promise<GPUComputePipeline>>>();

async function compile(
  device: GPUDevice,
  shader: Shader,
  entryPoint: string,
  constants: Record<string, number>,
): Promise<GPUComputePipeline> {
  device.pushErrorScope('validation');
  const module = device.createShaderModule({ label: shader.name, code: shader.code });
  const [{ messages }, invalid] = await Promise.all([
    module.getCompilationInfo(),
    device.popErrorScope(),
  ]);
  const errors = messages.filter(({ type }) => type === 'error');
  if (errors.length > 0 || invalid) {
    const lines = errors.map((e) => `${shader.name}:${e.lineNum}:${e.linePos}: ${e.message}`);
    throw new ShaderError(lines.join('\n') || `${shader.name}: ${invalid?.message}`);
  }
  try {
    return await device.createComputePipelineAsync({
      label: `${shader.name} ${entryPoint}`,
      layout: 'auto',
      compute: { module, entryPoint, constants },
    });
  } catch (cause) {
    const detail = message(cause);
    throw new ShaderError(`${shader.name}, entry ${entryPoint}: ${detail}`, { cause });
  }
}

/**
 * @param constants values of the shader's `override`s
 * @throws ShaderError
 */
export function computePipeline(
  device: GPUDevice,
  shader: Shader,
  entryPoint = 'main',
  constants: Record<string, number> = {},
): Promise<GPUComputePipeline> {
  let cache = caches.get(device);
  if (!cache) caches.set(device, (cache = new Map()));
  const key = JSON.stringify([shader.name, entryPoint, constants]);
  let pipeline = cache.get(key);
  if (!pipeline) cache.set(key, (pipeline = compile(device, shader, entryPoint, constants)));
  return pipeline;
}

/** Most workgroups that WebGPU guarantees along one dimension of a dispatch. */
const MAX_WORKGROUPS = 65535;

/**
 * Two dimensions for any number of workgroups. The shader counts `id.y * num_workgroups.x + id.x` and
 * must ignore what lies past the end.
 */
export function workgroupGrid(workgroups: number): [number, number] {
  const rows = Math.ceil(workgroups / MAX_WORKGROUPS);
  return [Math.ceil(workgroups / Math.max(1, rows)), rows];
}

export interface Dispatch {
  pipeline: GPUComputePipeline;
  /** bound as @group(0) @binding(0), (1), ... */
  bindings: (GPUBuffer | GPUBufferBinding)[];
  workgroups: number | [number, number];
  /** words for the shader's immediates, 16 at most */
  immediates?: readonly number[] | undefined;
}

/** Encodes one compute pass that runs the dispatches in order. */
export function encodePass(encoder: GPUCommandEncoder, device: GPUDevice, work: Dispatch[]): void {
  const pass = encoder.beginComputePass();
  for (const { pipeline, bindings, workgroups, immediates } of work) {
    const [x, y] = typeof workgroups === 'number' ? workgroupGrid(workgroups) : workgroups;
    pass.setPipeline(pipeline);
    if (immediates) pass.setImmediates(0, Uint32Array.from(immediates));
    pass.setBindGroup(
      0,
      device.createBindGroup({
        layout: pipeline.getBindGroupLayout(0),
        entries: bindings.map((bound, binding) => ({
          binding,
          resource: 'buffer' in bound ? bound : { buffer: bound },
        })),
      }),
    );
    pass.dispatchWorkgroups(x, y);
  }
  pass.end();
}
