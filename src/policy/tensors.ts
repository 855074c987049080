/**
 * Tensors that a policy's session is fed and hands out. Contract: whoever receives one disposes it; here because both
 * the session and its static decoder need them.
 */
import type { Tensor } from 'onnxruntime-web';

/** Weights on the device: feeds by name. `dispose` frees the GPU buffers. */
export interface ResidentWeights {
  feeds: Record<string, Tensor>;
  dispose(): void;
}

/** By the name of the input that takes it. */
export type KeyValueCache = Record<string, Tensor>;

export function disposeTensors(tensors: Record<string, Tensor>): void {
  for (const tensor of Object.values(tensors)) tensor.dispose();
}
