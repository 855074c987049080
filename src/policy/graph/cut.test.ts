/** A cut graph computes what the whole one does when it is fed what it used to compute. */
import type { Tensor } from 'onnxruntime-web';
import { TensorProto_DataType } from 'onnx-buf';
import { beforeAll, describe, expect, test } from 'vitest';
import { TINY, tinyPolicy } from '../../../models/build/tiny';
import { NODE_ASSETS } from '../../../scripts/node/ort';
import { loadRuntime, type Runtime } from '../runtime';
import { cut } from './cut';
import { decode, encode, GraphError } from './proto';

const RUNNING = 'mask.running.output';
let runtime: Runtime;
let onnx: Uint8Array;

beforeAll(async () => {
  runtime = await loadRuntime('wasm', { assets: NODE_ASSETS });
  ({ onnx } = await tinyPolicy());
});

async function logits(bytes: Uint8Array, more: Record<string, Tensor> = {}): Promise<number[]> {
  const { ort } = runtime;
  const session = await ort.InferenceSession.create(bytes, { executionProviders: ['wasm'] });
  const int64 = (values: number[]) =>
    new ort.Tensor('int64', BigInt64Array.from(values, BigInt), [2, 3]);
  const feeds: Record<string, Tensor> = {
    input_ids: int64([3, 4, 5, 6, 7, 0]),
    attention_mask: int64([1, 1, 1, 1, 1, 0]),
    position_ids: int64([0, 1, 2, 0, 1, 0]),
    ...more,
  };
  const { layers, heads, hiddenSize } = TINY;
  for (let i = 0; i < layers; i++) {
    for (const kind of ['key', 'value']) {
      const dims = [2, heads, 0, hiddenSize / heads];
      feeds[`past_key_values.${i}.${kind}`] = new ort.Tensor('float32', new Float32Array(0), dims);
    }
  }
  const result = await session.run(feeds);
  return Array.from(result['logits']?.data as Float32Array);
}

describe('cut', () => {
  const running = (values: number[]) => ({
    [RUNNING]: new runtime.ort.Tensor('int64', BigInt64Array.from(values, BigInt), [2, 3]),
  });

  test('the tensor is fed, and the node that made it is gone', async () => {
    const model = decode(onnx);
    cut(model, RUNNING, TensorProto_DataType.INT64);
    expect(model.graph.node.some(({ opType }) => opType === 'CumSum')).toBe(false);
    const bytes = encode(model);
    expect(await logits(bytes, running([1, 2, 3, 1, 2, 2]))).toEqual(await logits(onnx));
    // It is what is fed that counts: keys said to stand later are not seen.
    expect(await logits(bytes, running([1, 9, 9, 1, 9, 9]))).not.toEqual(await logits(onnx));
  });

  test('all that only led to the cut goes, and nothing else', () => {
    const model = decode(onnx);
    const { length } = model.graph.node;
    cut(model, 'mask.bias.output', TensorProto_DataType.FLOAT);
    const gone = length - model.graph.node.length;
    const left = model.graph.node.flatMap(({ output }) => output);
    expect(left.filter((name) => name.startsWith('mask.'))).toEqual([]);
    expect(gone).toBe(
      decode(onnx).graph.node.filter(({ output }) => output[0]?.startsWith('mask.')).length,
    );
  });

  test('a tensor that the graph does not make is named', () => {
    expect(() => cut(decode(onnx), 'mask.nowhere', TensorProto_DataType.INT64)).toThrow(GraphError);
    expect(() => cut(decode(onnx), 'mask.nowhere', TensorProto_DataType.INT64)).toThrow(
      '"mask.nowhere"',
    );
  });
});
