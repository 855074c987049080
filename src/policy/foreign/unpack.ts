/**
 * Matrices of few bits (`MatMulNBits`) as matrices of float32 beside the graph, for WebAssembly: there onnxruntime unpacks
 * all of them again at every step, which costs three to four times what multiplying does when a few rows are decoded.
 *
 * Contract: only where the operator computes in float32 anyway, so that the weights are the very numbers that it
 * multiplies with and nothing changes but the order in which products are added.
 */
import { create } from '@bufbuild/protobuf';
import {
  StringStringEntryProtoSchema,
  TensorProto_DataLocation,
  TensorProto_DataType,
  TensorProtoSchema,
  type NodeProto,
} from 'onnx-buf';
import { nodeOf } from '../graph/make';
import { DEFAULT_PORT_NAMES } from '../graph/ports';
import { decode, encode } from '../graph/proto';
import { layoutOf, matMulNBits, unpackedMatrix } from '../graph/expand/blocks';
import { operatorOf, Surgery } from '../graph/expand/surgery';
import type { ModelFiles } from './repository';

type Files = Pick<ModelFiles, 'onnx' | 'external'>;

const { FLOAT } = TensorProto_DataType;

/** `accuracy_level`s that ask for products in float32, or for nothing. */
const IN_FLOATS = [0n, 1n];

function computesInFloats(node: NodeProto, s: Surgery): boolean {
  if (!matMulNBits.operators.includes(operatorOf(node)) || matMulNBits.why(node, s) !== null) {
    return false;
  }
  const level = node.attribute.find(({ name }) => name === 'accuracy_level')?.i ?? 0n;
  const constants = node.input.slice(1).map((name) => s.constant(name));
  return (
    IN_FLOATS.includes(level) &&
    constants[1]?.dataType === FLOAT &&
    constants.every((tensor) => tensor === null || tensor.externalData.length === 0)
  );
}

/**
 * @param least @param most bytes that the unpacked matrices may have
 * @returns null where there are none, or they have fewer or more
 * @throws GraphError where the file's arrays do not fit what a node says of them
 */
export function unpackBlocks(
  { onnx, external }: Files,
  { least, most }: { least: number; most: number },
): Files | null {
  const model = decode(onnx);
  const { graph } = model;
  const s = new Surgery(graph, model, DEFAULT_PORT_NAMES);
  const nodes = new Set(graph.node.filter((node) => computesInFloats(node, s)));
  const sizes = new Map<string, number>();
  for (const node of nodes) {
    const { k, n } = layoutOf(node);
    sizes.set(node.input[1], 4 * k * n);
  }
  const bytes = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  if (bytes === 0 || bytes < least || bytes > most) return null;
  const beside = new Map(external);
  const matrices = new Map<string, string>();
  const matrixOf = (node: NodeProto): string => {
    const [, packed] = node.input;
    const known = matrices.get(packed);
    if (known !== undefined) return known;
    const layout = layoutOf(node);
    const values = Float32Array.from(unpackedMatrix(node, layout, s));
    const name = `lab.unpacked.${matrices.size}`;
    matrices.set(packed, name);
    beside.set(name, new Uint8Array(values.buffer));
    const where = { location: name, offset: 0, length: values.byteLength };
    graph.initializer.push(
      create(TensorProtoSchema, {
        name,
        dims: [BigInt(layout.k), BigInt(layout.n)],
        dataType: FLOAT,
        dataLocation: TensorProto_DataLocation.EXTERNAL,
        externalData: Object.entries(where).map(([key, value]) =>
          create(StringStringEntryProtoSchema, { key, value: String(value) }),
        ),
      }),
    );
    return name;
  };
  graph.node = graph.node.flatMap((node) => {
    if (!nodes.has(node)) return [node];
    const [x, , , , , bias = ''] = node.input;
    const [output] = node.output;
    const matrix = matrixOf(node);
    if (bias === '') return [nodeOf('MatMul', [x, matrix], output)];
    const product = `${output}.lab.product`;
    return [nodeOf('MatMul', [x, matrix], product), nodeOf('Add', [product, bias], output)];
  });
  const read = new Set(graph.node.flatMap(({ input }) => input));
  const gone = new Set([...nodes].flatMap(({ input }) => input.slice(1, 4)));
  graph.initializer = graph.initializer.filter(({ name }) => !gone.has(name) || read.has(name));
  return { onnx: encode(model), external: beside };
}
