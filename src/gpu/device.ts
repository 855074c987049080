/**
 * The one GPUDevice of the lab. Contract: `openDevice` either returns a device with all the limits and
 * the optional features that the adapter offers and the lab can use, or throws a NoGpuError whose
 * message is a sentence for a person. ONNX Runtime is handed this same device.
 */
import { message } from '../message';

export class NoGpuError extends Error {
  override name = 'NoGpuError';
}

/** Asked for where the adapter has them; nothing depends on one being there. */
const WANTED_FEATURES = [
  'subgroups',
  'timestamp-query',
  'shader-f16',
] as const satisfies readonly GPUFeatureName[];

/** Raised to what the adapter offers: large vocabularies need large buffers, runtimes large groups. */
const RAISED_LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupSizeY',
  'maxComputeWorkgroupSizeZ',
  'maxComputeWorkgroupsPerDimension',
] as const satisfies readonly (keyof GPUSupportedLimits)[];

export interface OpenedDevice {
  device: GPUDevice;
  adapter: GPUAdapter;
  info: GPUAdapterInfo;
  /** name of the adapter for people, such as "nvidia ampere" */
  name: string;
  /** true for a software adapter: right, but slower than the CPU backends */
  isFallbackAdapter: boolean;
  /** resolves, never rejects, with a sentence when the device is gone */
  lost: Promise<DeviceLoss>;
}

export interface DeviceLoss {
  /** true where the program itself destroyed the device */
  intended: boolean;
  message: string;
}

export function adapterName(info: GPUAdapterInfo): string {
  const parts = [info.vendor, info.architecture].filter((part) => part !== '');
  return info.description || info.device || parts.join(' ') || 'unnamed adapter';
}

async function lossOf(device: GPUDevice, name: string): Promise<DeviceLoss> {
  const { reason, message } = await device.lost;
  return {
    intended: reason === 'destroyed',
    message: `The GPU (${name}) was lost${message ? `: ${message}` : '.'}`,
  };
}

/**
 * @param gpu the WebGPU entry point; the browser's own where left out (also in workers)
 * @throws NoGpuError
 */
export async function openDevice(
  gpu: GPU | undefined = globalThis.navigator?.gpu,
): Promise<OpenedDevice> {
  if (!gpu) throw new NoGpuError('This browser has no WebGPU.');
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) throw new NoGpuError('This browser has WebGPU, but found no usable GPU.');
  const name = adapterName(adapter.info);
  try {
    const device = await adapter.requestDevice({
      requiredFeatures: WANTED_FEATURES.filter((feature) => adapter.features.has(feature)),
      requiredLimits: Object.fromEntries(
        RAISED_LIMITS.map((limit) => [limit, adapter.limits[limit]]),
      ),
    });
    return {
      device,
      adapter,
      info: adapter.info,
      name,
      isFallbackAdapter: adapter.info.isFallbackAdapter,
      lost: lossOf(device, name),
    };
  } catch (cause) {
    const detail = message(cause);
    throw new NoGpuError(`The GPU (${name}) could not be opened: ${detail}`, { cause });
  }
}
