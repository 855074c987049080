/**
 * `allocator`: a graph whose outputs are zeros of given shapes. Contract: input `zero`, float32 [1]; outputs `0`, `1`,
 * ..., float32. For whoever needs buffers that the runtime itself has made.
 */
import { create } from '@bufbuild/protobuf';
import {
  GraphProtoSchema,
  ModelProtoSchema,
  OperatorSetIdProtoSchema,
  TensorProto_DataType,
} from 'onnx-buf';
import { integers, nodeOf, portInfo } from './make';
import type { OnnxModel } from './proto';

export function allocator(shapes: readonly (readonly number[])[]): OnnxModel {
  const { FLOAT } = TensorProto_DataType;
  const graph = create(GraphProtoSchema, {
    name: 'allocator',
    input: [portInfo('zero', FLOAT, [1])],
    initializer: shapes.map((shape, i) => integers(`shape.${i}`, [...shape])),
    node: shapes.map((_, i) => nodeOf('Expand', ['zero', `shape.${i}`], `${i}`)),
    output: shapes.map((shape, i) => portInfo(`${i}`, FLOAT, shape)),
  });
  const proto = create(ModelProtoSchema, {
    irVersion: 8n,
    opsetImport: [create(OperatorSetIdProtoSchema, { domain: '', version: 17n })],
    graph,
  });
  return { proto, graph };
}
