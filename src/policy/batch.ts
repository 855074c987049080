/** Rectangular int64 inputs from ragged token lists. */
import type { Tensor } from 'onnxruntime-web';
import type { PolicySession } from './session';

export interface PaddedBatch {
  inputIds: Tensor;
  attentionMask: Tensor;
  positionIds: Tensor;
  batch: number;
  length: number;
}

/** The last position of each row, counted through the batch: what follows a text that ends there. */
export function lastRows({ batch, length }: Pick<PaddedBatch, 'batch' | 'length'>): number[] {
  return Array.from({ length: batch }, (_, row) => (row + 1) * length - 1);
}

/**
 * @param side where the padding goes: 'left' to continue a prompt, 'right' to score a text
 * @param pad id written into padding; its value never matters, the mask hides it
 */
export function padBatch(
  session: PolicySession,
  sequences: readonly (readonly number[])[],
  side: 'left' | 'right',
  pad: number,
): PaddedBatch {
  const batch = sequences.length;
  const length = Math.max(...sequences.map((tokens) => tokens.length));
  const ids = new Int32Array(batch * length).fill(pad);
  const mask = new Int32Array(batch * length);
  const positions = new Int32Array(batch * length);
  sequences.forEach((tokens, row) => {
    const start = row * length + (side === 'left' ? length - tokens.length : 0);
    tokens.forEach((token, i) => {
      ids[start + i] = token;
      mask[start + i] = 1;
      positions[start + i] = i;
    });
  });
  const dims = [batch, length];
  return {
    inputIds: session.integers(ids, dims),
    attentionMask: session.integers(mask, dims),
    positionIds: session.integers(positions, dims),
    batch,
    length,
  };
}
