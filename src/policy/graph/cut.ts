/**
 * `cut`: an inner tensor becomes a graph input, so that a caller computes it another way or replays it.
 * Contract: every other tensor keeps its name; nodes and constants that only led to the cut are left out.
 */
import { create } from '@bufbuild/protobuf';
import {
  type NodeProto,
  type TensorProto_DataType,
  TypeProto_TensorSchema,
  TypeProtoSchema,
  ValueInfoProtoSchema,
} from 'onnx-buf';
import { GraphError, type OnnxModel } from './proto';

/**
 * @param model is edited in place
 * @param tensor name of a node's output; its shape is left open
 * @throws GraphError when no node makes that tensor
 */
export function cut({ graph }: OnnxModel, tensor: string, elemType: TensorProto_DataType): void {
  const made = graph.node.some(({ output }) => output.includes(tensor));
  if (!made) throw new GraphError(`The graph has no inner tensor "${tensor}" to cut at.`);
  for (const node of graph.node) {
    node.output = node.output.map((name) => (name === tensor ? '' : name));
  }
  graph.input.push(
    create(ValueInfoProtoSchema, {
      name: tensor,
      type: create(TypeProtoSchema, {
        value: { case: 'tensorType', value: create(TypeProto_TensorSchema, { elemType }) },
      }),
    }),
  );
  removeUnused(graph);
}

/** Nodes are in topological order, so one walk from the back finds all that nothing reads. */
export function removeUnused(graph: OnnxModel['graph']): void {
  const read = new Set(graph.output.map(({ name }) => name));
  const readBy = (node: NodeProto) => {
    for (const name of node.input) read.add(name);
    // What a branch or a loop reads from outside stands only in its own graph.
    for (const { g } of node.attribute) for (const inner of g?.node ?? []) readBy(inner);
    for (const { g } of node.attribute) for (const { name } of g?.output ?? []) read.add(name);
  };
  const kept = [...graph.node].reverse().filter((node) => {
    if (!node.output.some((name) => name !== '' && read.has(name))) return false;
    readBy(node);
    return true;
  });
  graph.node = kept.reverse();
  graph.initializer = graph.initializer.filter(({ name }) => read.has(name));
}

/**
 * `tap`: an inner tensor becomes a graph output, so that it can be read beside the logits (routing).
 * Contract: nothing else of the graph changes; every other tensor keeps its name and its numbers.
 *
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
