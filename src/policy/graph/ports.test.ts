/** Inputs, outputs and caches are what the graph and its config say, whatever they are called. */
import { TensorProto_DataType, type ValueInfoProto } from 'onnx-buf';
import { beforeAll, describe, expect, test } from 'vitest';
import * as v from 'valibot';
import { tinyPolicy } from '../../../models/build/tiny';
import { NODE_ASSETS } from '../../../scripts/node/ort';
import { cpuKernels } from '../../math/cpu-kernels';
import { loadRuntime, type Runtime } from '../runtime';
import { sampleSequences } from '../sample';
import { scoreSequences } from '../score';
import { PolicySession } from '../session';
import { emptyCacheShape, portNamesSchema, readPorts } from './ports';
import { decode, encode, GraphError, type OnnxModel } from './proto';

let onnx: Uint8Array;
let runtime: Runtime;

beforeAll(async () => {
  ({ onnx } = await tinyPolicy());
  runtime = await loadRuntime('wasm', { assets: NODE_ASSETS });
});

/** The same graph under other names. */
function renamed({ graph }: OnnxModel, rename: (name: string) => string): void {
  const each = (info: { name: string }) => (info.name = rename(info.name));
  graph.input.forEach(each);
  graph.output.forEach(each);
  for (const node of graph.node) {
    node.input = node.input.map(rename);
    node.output = node.output.map(rename);
  }
}

const FOREIGN = v.parse(portNamesSchema, {
  tokens: 'tokens',
  logits: 'scores',
  caches: [{ input: 'state_*_in', output: 'state_*_out' }],
});
const foreign = (name: string) =>
  name
    .replace(/^input_ids$/, 'tokens')
    .replace(/^logits$/, 'scores')
    .replace(/^past_key_values\.(.+)$/, 'state_$1_in')
    .replace(/^present\.(.+)$/, 'state_$1_out');

const request = {
  prompts: [[5, 9, 2], [5]],
  firstSequence: 0,
  temperature: 1,
  maxLength: 8,
  maxPositions: 64,
  seed: 3,
  endToken: 17,
  padToken: 0,
};

/** An output [batch, length, 2]: the ids of the tokens and their positions. */
function withExtra({ graph }: OnnxModel): void {
  const like = graph.node.find(({ opType }) => opType === 'Unsqueeze');
  const ids = graph.input.find(({ name }) => name === 'input_ids') as ValueInfoProto;
  if (!like) throw new Error('no node to copy');
  const copy = (input: string, output: string) => {
    graph.node.push({
      ...like,
      name: output,
      opType: 'Identity',
      input: [input],
      output: [output],
      attribute: [],
    });
    graph.output.push({ ...ids, name: output });
  };
  copy('position_ids', 'where');
}

describe('the ports of a graph', () => {
  test('are read with types and shapes, each cache with its output', () => {
    const ports = readPorts(decode(onnx));
    expect(ports.tokens).toMatchObject({ name: 'input_ids', type: 'int64' });
    expect(ports.caches.map(({ input, output }) => [input.name, output.name])).toEqual(
      [0, 1].flatMap((i) =>
        ['key', 'value'].map((kind) => [`past_key_values.${i}.${kind}`, `present.${i}.${kind}`]),
      ),
    );
    expect(emptyCacheShape(ports.caches[0], 3)).toEqual([3, 2, 0, 8]);
    expect(ports.extras).toEqual([]);
  });

  test('under other names, a config is enough to sample and score the same', async () => {
    const model = decode(onnx);
    renamed(model, foreign);
    const usual = await PolicySession.create(runtime, onnx);
    const other = await PolicySession.create(runtime, encode(model), FOREIGN);
    const run = async (session: PolicySession) => {
      const weights = session.upload(session.fileWeights);
      const sampled = await sampleSequences(session, weights, request);
      const scored = sampled.sequences.map(({ tokens }, i) => ({
        prompt: request.prompts[i],
        response: tokens,
      }));
      return [sampled, await scoreSequences(session, weights, cpuKernels, scored, 0)];
    };
    expect(await run(other)).toEqual(await run(usual));
  });

  test('an output about each token comes with the scores, response tokens only', async () => {
    const model = decode(onnx);
    withExtra(model);
    const session = await PolicySession.create(runtime, encode(model));
    const weights = session.upload(session.fileWeights);
    const sequences = [
      { prompt: [5, 9, 2], response: [4, 6] },
      { prompt: [5], response: [3, 3, 17] },
    ];
    const { extras } = await scoreSequences(session, weights, cpuKernels, sequences, 0);
    // Where each response token was predicted: one place before its own.
    expect(extras).toEqual({ where: { width: 1, values: Int32Array.of(2, 3, 0, 1, 2) } });
  });

  test('what nobody would feed, or cannot be found, is named', () => {
    const names = v.parse(portNamesSchema, { caches: [] });
    expect(() => readPorts(decode(onnx), names)).toThrow('"past_key_values.0.key"');
    const lost = v.parse(portNamesSchema, { logits: 'scores' });
    expect(() => readPorts(decode(onnx), lost)).toThrow(/no output "scores"\. It has: logits/);
    const model = decode(onnx);
    const [input] = model.graph.input;
    if (input?.type?.value.case === 'tensorType') {
      input.type.value.value.elemType = TensorProto_DataType.STRING;
    }
    expect(() => readPorts(model)).toThrow(GraphError);
  });
});
