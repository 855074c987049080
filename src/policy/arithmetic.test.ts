/**
 * The sampler's arithmetic: rounded weights against onnxruntime's own operators and against formulas, and a run whose
 * sampler computes in other arithmetic than its trainer.
 */
import { create } from '@bufbuild/protobuf';
import {
  GraphProtoSchema,
  ModelProtoSchema,
  OperatorSetIdProtoSchema,
  TensorProto_DataType,
  type NodeProto,
  type TensorProto,
} from 'onnx-buf';
import { beforeAll, describe, expect, test } from 'vitest';
import { tinyPolicy, type TinyPolicy } from '../../models/build/tiny';
import { NODE_ASSETS } from '../../scripts/node/ort';
import { ARITHMETICS, inArithmetic, quantiseColumns, type Arithmetic } from '../math/arithmetic';
import { quantiseBlocks } from '../math/block-quantisation';
import { cpuKernels } from '../math/cpu-kernels';
import { Random, STREAM } from '../math/philox';
import { policiesSource } from '../rollouts/policies';
import { measureKnown } from '../experiments/mismatch/known';
import { LOG_KEPT, withSampler, type Rollouts } from '../rollouts/rollouts';
import { DEFAULT_POLICIES } from '../settings/run';
import { bytes, floats, nodeOf, portInfo } from './graph/make';
import { encode } from './graph/proto';
import { PolicyHost } from './host';
import { loadRuntime, type Runtime } from './runtime';
import { scoreSequences } from './score';
import { weightsIn } from './weights';

const { FLOAT, FLOAT16 } = TensorProto_DataType;
const [K, N] = [80, 6];
const random = new Random(21, STREAM.synthetic);
// One column is all zeros, one has an outlier.
const W = Float32Array.from({ length: K * N }, (_, i) =>
  i % N === 5 ? 0 : (i === 6 ? 9 : 1) * random.normal() * 0.2,
);
let runtime: Runtime;
let tiny: TinyPolicy;

beforeAll(async () => {
  runtime = await loadRuntime('wasm', { assets: NODE_ASSETS });
  tiny = await tinyPolicy();
});

/** What the nodes make of W and of x = 1. */
async function operators(nodes: NodeProto[], initializer: TensorProto[]): Promise<number[]> {
  const graph = create(GraphProtoSchema, {
    name: 'one',
    node: nodes,
    initializer,
    input: [portInfo('w', FLOAT, [K, N]), portInfo('x', FLOAT, [K, K])],
    output: [portInfo('y', FLOAT)],
  });
  const opsetImport = [
    create(OperatorSetIdProtoSchema, { domain: '', version: 17n }),
    create(OperatorSetIdProtoSchema, { domain: 'com.microsoft', version: 1n }),
  ];
  const onnx = encode({
    graph,
    proto: create(ModelProtoSchema, { irVersion: 8n, opsetImport, graph }),
  });
  const { ort } = runtime;
  const session = await ort.InferenceSession.create(onnx, { executionProviders: ['wasm'] });
  const one = Float32Array.from({ length: K * K }, (_, i) => (i % (K + 1) === 0 ? 1 : 0));
  const all = {
    w: new ort.Tensor('float32', W, [K, N]),
    x: new ort.Tensor('float32', one, [K, K]),
  };
  const feeds = Object.fromEntries(
    Object.entries(all).filter(([name]) => session.inputNames.includes(name)),
  );
  const { y } = await session.run(feeds);
  await session.release();
  return Array.from(y?.data as Float32Array);
}

const inOurs = (arithmetic: Arithmetic) => Array.from(inArithmetic(arithmetic, [K, N], W, true));

describe('weights are those that onnxruntime’s operators multiply with', () => {
  test('16 bits: Cast there and back', async () => {
    const cast = [
      nodeOf('Cast', ['w'], 'half', { to: FLOAT16 }),
      nodeOf('Cast', ['half'], 'y', { to: FLOAT }),
    ];
    expect(await operators(cast, [])).toEqual(inOurs('fp16'));
  });

  test('8 bits per column: QuantizeLinear and DequantizeLinear on the last axis', async () => {
    const { scales } = quantiseColumns(W, N);
    // A column of zeros has no scale; the operator wants one.
    const given = [
      floats(
        'scales',
        [N],
        scales.map((x) => x || 1),
      ),
      signedZeros('zeros', N),
    ];
    const nodes = [
      nodeOf('QuantizeLinear', ['w', 'scales', 'zeros'], 'q', { axis: 1 }),
      nodeOf('DequantizeLinear', ['q', 'scales', 'zeros'], 'y', { axis: 1 }),
    ];
    expect(await operators(nodes, given)).toEqual(inOurs('int8').map((x) => x + 0));
  });

  test.each(['int4', 'int4-zero'] as const)('%s: MatMulNBits with the identity', async (which) => {
    const layout = { k: K, n: N, bits: 4, blockSize: 32 } as const;
    const blocks = Math.ceil(K / 32);
    const zeroPoints = which === 'int4-zero';
    const { packed, scales, zeroPoints: zeros } = quantiseBlocks(layout, W, { zeroPoints });
    const given = [bytes('b', [N, blocks, 16], packed), floats('scales', [N * blocks], scales)];
    if (zeros) given.push(bytes('zeros', [N * Math.ceil(blocks / 2)], zeros));
    const node = nodeOf(
      'MatMulNBits',
      ['x', 'b', 'scales', ...(zeros ? ['zeros'] : [])],
      'y',
      { K, N, bits: 4, block_size: 32 },
      'com.microsoft',
    );
    const theirs = await operators([node], given);
    const ours = inOurs(which);
    const apart = ours.map((x, i) => Math.abs(x - theirs[i]));
    expect(Math.max(...apart)).toBeLessThan(1e-6);
    // And they are not the weights themselves.
    expect(Math.max(...ours.map((x, i) => Math.abs(x - W[i])))).toBeGreaterThan(1e-3);
  });

  test('8 bits: no entry is off by more than half a step of its column; twice is once', () => {
    const once = inArithmetic('int8', [K, N], W, true);
    for (let column = 0; column < N; column++) {
      const own = Array.from(W).filter((_, i) => i % N === column);
      const step = Math.max(...own.map(Math.abs)) / 127;
      own.forEach((x, row) => {
        expect(Math.abs(once[row * N + column] - x)).toBeLessThanOrEqual(step / 2 + 1e-7);
      });
    }
    expect(inArithmetic('int8', [K, N], once, true)).toEqual(once);
    expect(inArithmetic('fp16', [K, N], inArithmetic('fp16', [K, N], W, true), true)).toEqual(
      inArithmetic('fp16', [K, N], W, true),
    );
  });

  test('products are quantised; embeddings and norms stay, but for 16 bits', () => {
    const { a } = tiny.checkpoints;
    const changed = (arithmetic: Arithmetic) =>
      [...weightsIn(arithmetic, a)].filter(([name, { values }]) =>
        values.some((x, i) => x !== a.get(name)?.values[i]),
      );
    for (const which of ['int8', 'int4', 'int4-zero'] as const) {
      const names = changed(which).map(([name]) => name);
      expect(names.length).toBe(2 * 7 + 1);
      expect(names.every((name) => name.includes('MatMul'))).toBe(true);
    }
    expect(changed('fp16').map(([name]) => name)).toContain('model.embed_tokens.weight');
    expect(weightsIn('fp32', a)).toBe(a);
  });
});

function signedZeros(name: string, n: number): TensorProto {
  const tensor = bytes(name, [n], new Uint8Array(n));
  tensor.dataType = TensorProto_DataType.INT8;
  return tensor;
}

describe('a run whose sampler computes in other arithmetic', () => {
  const sampled = new Map<Arithmetic, Promise<Rollouts>>();
  function rolloutsIn(sampler: Arithmetic, topP = 1): Promise<Rollouts> {
    const known = topP === 1 ? sampled.get(sampler) : undefined;
    if (known) return known;
    const made = (async () => {
      const host = await PolicyHost.open(runtime, tiny.files, tiny.manifest);
      const settings = {
        ...DEFAULT_POLICIES,
        policy: 'tiny',
        old: 'a',
        new: 'b',
        prompts: 24,
        groupSize: 4,
        maxLength: 20,
        maxOperators: 3,
        sampler,
        topP,
      };
      const source = policiesSource(settings, {
        open: () => Promise.resolve({ host, kernels: cpuKernels }),
        cut: { sequencesPerBatch: 96 },
      });
      const hooks = {
        signal: new AbortController().signal,
        onPhase: () => undefined,
        onLoad: () => undefined,
      };
      return source.batch(0, hooks);
    })();
    if (topP === 1) sampled.set(sampler, made);
    return made;
  }
  const mean = (x: Iterable<number>) => {
    const all = [...x];
    return all.reduce((sum, y) => sum + y, 0) / all.length;
  };

  test('has the sampler’s log-probs beside the trainer’s; in float32 there is one engine', async () => {
    expect((await rolloutsIn('fp32')).logpSampler).toBeUndefined();
    const spread: number[] = [];
    for (const which of ARITHMETICS.slice(1)) {
      const { logpOld, logpSampler } = await rolloutsIn(which);
      if (!logpSampler) throw new Error(`${which} says nothing of its sampler`);
      const e = Array.from(logpOld, (x, t) => x - logpSampler[t]);
      // The sampler drew the tokens: weights average 1 to sampling noise.
      const sd = Math.sqrt(mean(e.map((x) => x * x)));
      expect(Math.abs(mean(e.map(Math.exp)) - 1)).toBeLessThan((4 * sd) / Math.sqrt(e.length));
      spread.push(sd);
    }
    const [fp16, int8, int4, int4Zero] = spread;
    expect(fp16).toBeGreaterThan(1e-6);
    expect(int8).toBeGreaterThan(3 * (fp16 as number));
    expect(int4).toBeGreaterThan(3 * (int8 as number));
    expect(int4Zero).toBeGreaterThan(3 * (int8 as number));
  });

  test('top-p shifts by what it kept, whatever the arithmetic', async () => {
    for (const which of ['fp32', 'int4'] as const) {
      const rollouts = await rolloutsIn(which, 0.8);
      const { logpOld, logpSampler, tables } = rollouts;
      const kept = tables?.[LOG_KEPT]?.values;
      if (!logpSampler || !kept) throw new Error('nothing is said of what was kept');
      expect(kept).toHaveLength(logpOld.length);
      expect(Math.min(...kept)).toBeGreaterThanOrEqual(Math.log(0.8) - 1e-6);
      const known = withSampler(rollouts);
      const shift = known && measureKnown(known, { kernels: cpuKernels, seed: 1 });
      expect(shift?.predicted.bias.estimate).toBeLessThan(-0.01);
      expect(shift?.predicted.meanWeight.estimate).toBeGreaterThanOrEqual(0.8);
      // What is left is the arithmetic's own: nothing, or as without top-p.
      const e = Array.from(logpOld, (x, t) => x - logpSampler[t] - kept[t]);
      const sd = Math.sqrt(mean(e.map((x) => x * x)));
      if (which === 'fp32') expect(sd).toBeLessThan(1e-6);
      else expect(sd).toBeGreaterThan(1e-3);
      // The estimate is the jackknife's.
      expect(Math.abs((shift?.left.bias.estimate ?? NaN) - mean(e))).toBeLessThan(2e-4);
    }
  });

  test('the trainer’s log-probs are those of the policy itself', async () => {
    const host = await PolicyHost.open(runtime, tiny.files, tiny.manifest);
    const rollouts = await rolloutsIn('int4');
    const { old } = await host.pair('a', 'b', 1);
    const end = rollouts.offsets[1] as number;
    const text = rollouts.prompts[0] as string;
    const one = {
      prompt: host.files.tokenizer.encode(text),
      response: Array.from(rollouts.tokenIds.subarray(0, end)),
    };
    const { logp } = await scoreSequences(
      host.session,
      old,
      cpuKernels,
      [one],
      host.files.padToken,
    );
    logp.forEach((x, t) => expect(rollouts.logpOld[t]).toBeCloseTo(x, 4));
  });
});
