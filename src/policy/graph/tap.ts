/**
 * `tap`: an inner tensor becomes a graph output, so that it can be read beside the logits (routing).
 * Contract: nothing else of the graph changes; every other tensor keeps its name and its numbers.
 */
import { create } from '@bufbuild/protobuf';
import {
  TypeProto_TensorSchema,
  TypeProtoSchema,
  ValueInfoProtoSchema,
  type TensorProto_DataType,
} from 'onnx-buf';
import { GraphError, type OnnxModel } from './proto';

/**
 * @param model is edited in place
 * @param tensor name of a node's output; its shape is left open
 * @throws GraphError when no node makes that tensor
 */
export function tap({ graph }: OnnxModel, tensor: string, elemType: TensorProto_DataType): void {
  const made = graph.node.some(({ output }) => output.includes(tensor));
  if (!made) throw new GraphError(`The graph has no inner tensor "${tensor}" to tap.`);
  if (graph.output.some(({ name }) => name === tensor)) return;
  graph.output.push(
    create(ValueInfoProtoSchema, {
      name: tensor,
      type: create(TypeProtoSchema, {
        value: { case: 'tensorType', value: create(TypeProto_TensorSchema, { elemType }) },
      }),
    }),
  );
}
