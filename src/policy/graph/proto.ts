/**
 * Reading and writing ONNX files as protobuf messages, with the few look-ups that graph surgery needs.
 * Contract: `decode` throws a `GraphError` with a sentence for a person when the bytes are no model.
 */
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import {
  ModelProtoSchema,
  TensorProto_DataType,
  type GraphProto,
  type ModelProto,
  type TensorProto,
} from 'onnx-buf';

export class GraphError extends Error {
  override name = 'GraphError';
}

export interface OnnxModel {
  proto: ModelProto;
  graph: GraphProto;
}

export function decode(bytes: Uint8Array): OnnxModel {
  let proto: ModelProto;
  try {
    proto = fromBinary(ModelProtoSchema, bytes);
  } catch (cause) {
    throw new GraphError('This file is not an ONNX model: its protobuf cannot be read.', { cause });
  }
  if (!proto.graph) throw new GraphError('This ONNX file holds no graph.');
  return { proto, graph: proto.graph };
}

export function encode(model: OnnxModel): Uint8Array<ArrayBuffer> {
  return toBinary(ModelProtoSchema, model.proto) as Uint8Array<ArrayBuffer>;
}

/** Dimensions of an initializer as numbers. */
export function dimensions(tensor: TensorProto): number[] {
  return tensor.dims.map(Number);
}

/** Values of a float32 initializer, copied. Throws for other types and for external data. */
export function floatValues(tensor: TensorProto): Float32Array<ArrayBuffer> {
  if (tensor.dataType !== TensorProto_DataType.FLOAT) {
    throw new GraphError(`Tensor "${tensor.name}" is not float32.`);
  }
  if (tensor.externalData.length > 0) {
    throw new GraphError(
      `Tensor "${tensor.name}" is stored outside the file; that is not supported.`,
    );
  }
  if (tensor.rawData.length > 0) {
    const copy = new Uint8Array(tensor.rawData.length);
    copy.set(tensor.rawData);
    return new Float32Array(copy.buffer);
  }
  return Float32Array.from(tensor.floatData);
}
