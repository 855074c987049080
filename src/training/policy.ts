/**
 * The policy's own ONNX graph as a differentiable function of its lifted weights, by jax-js.
 *
 * Contract: `tokenLogProbs` is log softmax of the very graph that onnxruntime samples from (a test
 * compares them); weights go in and out as `Weights`, in file order.
 */
import { nn, numpy as np } from '@jax-js/jax';
import { ONNXModel } from '@jax-js/onnx';
import type { PolicyFiles } from '../policy/fetch';
import { liftWeights, type Weights } from '../policy/graph/lift';
import { decode } from '../policy/graph/proto';
import type { CacheShape } from '../policy/session';
import type { Params } from './adamw';

/** Token grids of one forward pass, int32 [B, T]. */
export interface TokenGrids {
  inputIds: np.Array;
  attentionMask: np.Array;
  positionIds: np.Array;
  /** the token that each place is to predict */
  targets: np.Array;
}

export class DifferentiablePolicy {
  private readonly model: ONNXModel;
  /** the weights that were in the file */
  readonly fileWeights: Weights;

  /** @param onnx the bytes of `onnx/model.onnx` */
  constructor(
    onnx: Uint8Array,
    private readonly cache: CacheShape,
    private readonly vocabularySize: number,
  ) {
    const lifted = liftWeights(decode(onnx));
    this.model = new ONNXModel(lifted.bytes);
    this.fileWeights = lifted.weights;
  }

  /**
   * Consumes everything.
   * @returns [B, T] log pi(target | what stands before it), nats
   */
  tokenLogProbs(params: Params, grids: TokenGrids): np.Array {
    const [batch] = grids.inputIds.shape as [number];
    const feeds: Params = {
      ...params,
      input_ids: grids.inputIds,
      attention_mask: grids.attentionMask,
      position_ids: grids.positionIds,
    };
    const { layers, heads, headSize } = this.cache;
    for (let i = 0; i < layers; i++) {
      for (const kind of ['key', 'value']) {
        feeds[`past_key_values.${i}.${kind}`] = np.zeros([batch, heads, 0, headSize]);
      }
    }
    const { logits, ...rest } = this.model.run(feeds);
    for (const array of Object.values(rest)) array.dispose();
    return nn
      .logSoftmax(logits as np.Array, -1)
      .mul(nn.oneHot(grids.targets, this.vocabularySize))
      .sum(-1);
  }

  dispose(): void {
    this.model.dispose();
  }
}

/** The graph that a session samples from, differentiable. */
export function differentiable({ onnx, cache, tokenizer }: PolicyFiles): DifferentiablePolicy {
  return new DifferentiablePolicy(onnx, cache, tokenizer.vocabulary.length);
}

export function uploadParams(weights: Weights, prefix = ''): Params {
  const params: Params = {};
  for (const [name, { shape, values }] of weights) {
    if (!name.startsWith(prefix)) continue;
    params[name.slice(prefix.length)] = np.array(values, { shape, dtype: np.float32 });
  }
  return params;
}

/** Copies; the parameters stay, and may be disposed of while the copy is under way. */
export async function downloadParams(params: Params, prefix = ''): Promise<Weights> {
  const weights: Weights = new Map();
  const held = Object.entries(params).map(([name, array]) => [name, array.ref] as const);
  for (const [name, array] of held) {
    const shape = [...array.shape];
    const values = (await array.data()) as Float32Array<ArrayBuffer>;
    weights.set(prefix + name, { shape, values: new Float32Array(values) });
  }
  return weights;
}
