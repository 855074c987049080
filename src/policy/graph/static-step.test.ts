/** A step of fixed shapes against the plain graph, on wasm: the same logits, step after step. */
import { expect, test } from 'vitest';
import { tinyPolicy } from '../../../models/build/tiny';
import { NODE_ASSETS } from '../../../scripts/node/ort';
import { padBatch } from '../batch';
import { loadRuntime } from '../runtime';
import { PolicySession } from '../session';
import { liftWeights } from './lift';
import { readPorts } from './ports';
import { decode, encode } from './proto';
import { STATIC, staticCacheShape, staticStep } from './static-step';

const SHAPE = { batch: 2, positions: 9 };
/** The second sequence is shorter: padded on the left. */
const PADDING = [0, 2];
const TOKENS = [
  [3, 5, 7, 2, 9, 4],
  [0, 0, 8, 1, 6, 3],
];

test('the logits of every step are those of the plain graph over the whole text', async () => {
  const { onnx } = await tinyPolicy();
  const runtime = await loadRuntime('wasm', { assets: NODE_ASSETS });
  const { ort } = runtime;
  const plain = await PolicySession.create(runtime, onnx);
  const model = decode(onnx);
  const ports = readPorts(model);
  const { weights } = liftWeights(model);
  expect(staticStep(model, ports, SHAPE)).toBe(true);
  const session = await ort.InferenceSession.create(encode(model), {
    executionProviders: ['wasm'],
  });
  type Tensor = InstanceType<typeof ort.Tensor>;
  const floats = (values: number[], dims: number[]) =>
    new ort.Tensor('float32', Float32Array.from(values), dims);
  const longs = (values: number[], dims: number[]) =>
    new ort.Tensor('int64', BigInt64Array.from(values, BigInt), dims);
  const feeds: Record<string, Tensor> = {};
  for (const [name, { shape, values }] of weights) {
    feeds[name] = new ort.Tensor('float32', values, shape);
  }
  let heads = 0;
  for (const port of ports.caches) {
    const dims = staticCacheShape(port, SHAPE);
    if (dims === null) throw new Error('The cache has no static shape.');
    heads = dims[1];
    // What no step has written must not matter.
    const size = dims.reduce((a, b) => a * b, 1);
    feeds[port.input.name] = floats(Array<number>(size).fill(7), dims);
  }
  const keys = PADDING.flatMap((padding) =>
    Array.from({ length: SHAPE.positions }, (_, t) => (t < padding ? 1e9 : t - padding)),
  );
  feeds[STATIC.keys] = floats(keys, [2, 1, 1, SHAPE.positions]);

  for (let at = 0; at < 6; at++) {
    const places = PADDING.map((padding) => at - padding);
    const fed = TOKENS.map((row) => row[at]);
    feeds[ports.tokens.name] = longs(fed, [2, 1]);
    feeds[ports.positions?.name ?? ''] = longs(
      places.map((place) => Math.max(0, place)),
      [2, 1],
    );
    feeds[STATIC.query] = floats(places, [2, 1, 1, 1]);
    const slots = [0, 1].flatMap((row) =>
      Array.from({ length: heads }, (_, head) => [row, head, at]).flat(),
    );
    feeds[STATIC.slot] = longs(slots, [2, heads, 1, 3]);
    const output = await session.run(feeds);
    for (const { input, output: port } of ports.caches) feeds[input.name] = output[port.name];
    if (at < 2) continue;
    const texts = TOKENS.map((row, i) => row.slice(PADDING[i], at + 1));
    const uploaded = plain.upload(plain.fileWeights);
    const whole = await plain.forward(uploaded, padBatch(plain, texts, 'left', 0));
    const [, length, vocabulary] = whole.logits.dims as [number, number, number];
    const got = output[ports.logits.name].data as Float32Array;
    const all = whole.logits.data as Float32Array;
    for (let row = 0; row < 2; row++) {
      const start = ((row + 1) * length - 1) * vocabulary;
      for (let v = 0; v < vocabulary; v++) {
        expect(Math.abs(got[row * vocabulary + v] - all[start + v])).toBeLessThan(2e-5);
      }
    }
  }
});

test('a graph whose mask or caches are not of the known kind is refused', async () => {
  const { onnx } = await tinyPolicy();
  const otherMask = decode(onnx);
  const ports = readPorts(otherMask);
  const rename = (name: string) => name.replace('mask.bias', 'mask.other');
  for (const node of otherMask.graph.node) {
    node.output = node.output.map(rename);
    node.input = node.input.map(rename);
  }
  expect(staticStep(otherMask, ports, SHAPE)).toBe(false);
  const otherCaches = decode(onnx);
  for (const node of otherCaches.graph.node) {
    if (node.opType === 'Concat') node.opType = 'Sum';
  }
  expect(staticStep(otherCaches, ports, SHAPE)).toBe(false);
});
