/** What stands in the way of a gradient is named; what is said to have one is known to jax-js. */
import { create } from '@bufbuild/protobuf';
import { ONNXModel } from '@jax-js/onnx';
import {
  GraphProtoSchema,
  ModelProtoSchema,
  OperatorSetIdProtoSchema,
  TensorProto_DataType,
} from 'onnx-buf';
import { describe, expect, test } from 'vitest';
import { writeHubOnnx } from '../../../../models/build/hub-author';
import { initialWeights } from '../../../../models/build/architecture';
import { TINY, tinyPolicy } from '../../../../models/build/tiny';
import { foreignModel } from '../../../../scripts/node/foreign';
import { nodeOf, portInfo } from '../make';
import { decode, encode, GraphError, type OnnxModel } from '../proto';
import {
  DIFFERENTIABLE_OPERATORS,
  makeDifferentiable,
  whyNotDifferentiable,
} from './differentiable';
import { operatorOf } from './surgery';

const { FLOAT } = TensorProto_DataType;
const shared = { ...TINY, kvHeads: 1 };

/** The lab's own graph in the exporters' operators, with one node more in front of the logits. */
function withNode(opType: string, domain = ''): OnnxModel {
  const model = decode(writeHubOnnx(shared, initialWeights(shared, 1)));
  const last = model.graph.node.at(-1);
  if (!last) throw new Error('The graph is empty.');
  last.output = ['before'];
  model.graph.node.push(nodeOf(opType, ['before'], 'logits', {}, domain));
  return model;
}

/** Compared at once: a megabyte's elements would take a minute one by one. */
const same = (model: OnnxModel, bytes: Uint8Array) => Buffer.from(encode(model)).equals(bytes);

describe('a gradient can be taken', () => {
  test('through the lab’s own graph, which is left as it is', async () => {
    const model = decode((await tinyPolicy()).onnx);
    const before = encode(model);
    expect(whyNotDifferentiable(model)).toBeNull();
    makeDifferentiable(model);
    expect(same(model, before)).toBe(true);
  });

  test.each(['model', 'model_gqa', 'model_q4'] as const)('through %s', (form) => {
    const model = decode(foreignModel().onnx[form]);
    const before = encode(model);
    expect(whyNotDifferentiable(model)).toBeNull();
    expect(same(model, before)).toBe(true);
    makeDifferentiable(model);
    const left = new Set(model.graph.node.map(operatorOf));
    expect([...left].filter((operator) => !DIFFERENTIABLE_OPERATORS.has(operator))).toEqual([]);
    // Written in plain operators, it stays as it is.
    const once = encode(model);
    makeDifferentiable(model);
    expect(same(model, once)).toBe(true);
  });

  test.each([...DIFFERENTIABLE_OPERATORS])('%s is an operator of jax-js', (operator) => {
    const graph = create(GraphProtoSchema, {
      node: [nodeOf(operator, [], 'y')],
      output: [portInfo('y', FLOAT)],
    });
    const opsetImport = [create(OperatorSetIdProtoSchema, { domain: '', version: 17n })];
    const proto = create(ModelProtoSchema, { irVersion: 8n, opsetImport, graph });
    let said = '';
    try {
      new ONNXModel(encode({ proto, graph })).run({});
    } catch (error) {
      said = String(error);
    }
    expect(said).not.toContain('Unsupported ONNX operation');
  });
});

describe('what stands in the way is named by operator and node', () => {
  test.each([
    ['MatMulInteger', '', 'MatMulInteger at node "logits.node" multiplies integers of 8 bits'],
    ['Loop', '', 'Loop at node "logits.node" is a loop'],
    ['ArgMax', '', 'ArgMax at node "logits.node" is an operator without a gradient here'],
    ['MultiHeadAttention', 'com.microsoft', 'MultiHeadAttention at node "logits.node" is fused'],
    ['Pow', '', 'Pow at node "logits.node" raises to another power than 2'],
    ['Range', '', 'Range at node "logits.node" counts in other steps than 1'],
  ])('%s', (operator, domain, sentence) => {
    const model = withNode(operator, domain);
    expect(whyNotDifferentiable(model)).toContain(sentence);
    expect(() => makeDifferentiable(model)).toThrow(GraphError);
  });

  test('an attention that cannot be expanded', () => {
    const model = decode(writeHubOnnx(shared, initialWeights(shared, 1)));
    model.graph.input = model.graph.input.filter(({ name }) => name !== 'attention_mask');
    expect(whyNotDifferentiable(model)).toMatch(
      /GroupQueryAttention at node ".*" has no int64 input "attention_mask"/,
    );
  });

  test('weights in half precision', () => {
    expect(whyNotDifferentiable(decode(foreignModel().onnx.model_fp16))).toMatch(
      /float16.*fp32 file/,
    );
  });
});
