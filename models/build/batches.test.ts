/** Problems of one row that don't see each other, against each of them alone. */
import { numpy as np } from '@jax-js/jax';
import { expect, test } from 'vitest';
import { DifferentiablePolicy, uploadParams } from '../../src/training/policy';
import { apartBias, MASK_BIAS, trainingBatch } from './batches';
import { RECIPES, type Recipe } from './recipes';
import { TINY, tinyPolicy } from './tiny';

const recipe: Recipe = {
  ...RECIPES['arithmetic-dense'],
  architecture: TINY,
  prompts: { minOperators: 1, maxOperators: 2 },
  batch: 2,
  rowLength: 60,
  apart: true,
};

const ints = (values: ArrayLike<number>, shape: number[]) =>
  np.array(Int32Array.from(values), { shape, dtype: np.int32 });

test('a problem of a packed row gets the log-probs that it has alone', async () => {
  // onnxruntime-web defines a global Worker in Node, which jax-js takes for a browser's.
  Reflect.deleteProperty(globalThis, 'Worker');
  const { onnx } = await tinyPolicy();
  const packed = new DifferentiablePolicy(onnx, { cuts: [MASK_BIAS] });
  const alone = new DifferentiablePolicy(onnx);
  const batch = trainingBatch(recipe, 7);
  const { inputIds, targets, positions, problems } = batch;
  const [rows, width] = [recipe.batch, recipe.rowLength];
  const bias = np.array(apartBias(batch, recipe), { shape: [rows, 1, width, width] });
  const { logp } = packed.forward(
    uploadParams(packed.fileWeights),
    {
      inputIds: ints(inputIds, [rows, width]),
      targets: ints(targets, [rows, width]),
      positionIds: ints(positions, [rows, width]),
      attentionMask: np.ones([rows, width], { dtype: np.int32 }),
    },
    { [MASK_BIAS]: bias },
  );
  const found = (await logp.data()) as Float32Array;

  let seen = 0;
  for (let row = 0; row < rows; row++) {
    const places = [...problems.subarray(row * width, (row + 1) * width).keys()];
    for (let problem = 0; problem <= problems[row * width + width - 1]; problem++) {
      const own = places.map((i) => row * width + i).filter((at) => problems[at] === problem);
      expect(own.map((at) => positions[at])).toEqual([...own.keys()]);
      const n = own.length;
      const one = alone.tokenLogProbs(uploadParams(alone.fileWeights), {
        inputIds: ints(
          own.map((at) => inputIds[at]),
          [1, n],
        ),
        targets: ints(
          own.map((at) => targets[at]),
          [1, n],
        ),
        positionIds: ints([...own.keys()], [1, n]),
        attentionMask: np.ones([1, n], { dtype: np.int32 }),
      });
      const wanted = (await one.data()) as Float32Array;
      own.forEach((at, i) => expect(found[at]).toBeCloseTo(wanted[i], 4));
      seen++;
    }
  }
  expect(seen).toBeGreaterThan(3);
});
