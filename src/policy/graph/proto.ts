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
import { floatsFromHalves, fromHalf } from '../../math/half';

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

function demandInside(tensor: TensorProto): void {
  if (tensor.externalData.length === 0) return;
  throw new GraphError(
    `Tensor "${tensor.name}" is stored outside the file; that is not supported.`,
  );
}

/** Values of a float32 or float16 initializer, copied. Throws for other types and for external data. */
export function floatValues(tensor: TensorProto): Float32Array<ArrayBuffer> {
  const { FLOAT, FLOAT16 } = TensorProto_DataType;
  if (tensor.dataType !== FLOAT && tensor.dataType !== FLOAT16) {
    throw new GraphError(`Tensor "${tensor.name}" is neither float32 nor float16.`);
  }
  demandInside(tensor);
  const half = tensor.dataType === FLOAT16;
  if (tensor.rawData.length > 0) {
    const { buffer } = tensor.rawData.slice();
    return half
      ? floatsFromHalves(new Uint16Array(buffer))
      : new Float32Array(buffer as ArrayBuffer);
  }
  // Halves that are not raw stand as their bits among the integers.
  return half ? Float32Array.from(tensor.int32Data, fromHalf) : Float32Array.from(tensor.floatData);
}

/** Bytes of a uint8 initializer. Throws for other types and for external data. */
export function byteValues(tensor: TensorProto): Uint8Array<ArrayBuffer> {
  if (tensor.dataType !== TensorProto_DataType.UINT8) {
    throw new GraphError(`Tensor "${tensor.name}" holds no bytes.`);
  }
  demandInside(tensor);
  return Uint8Array.from(tensor.rawData.length > 0 ? tensor.rawData : tensor.int32Data);
}

/** Values of a uint8, int32 or int64 initializer, copied. Throws for other types and for external data. */
export function integerValues(tensor: TensorProto): number[] {
  const { UINT8, INT32, INT64 } = TensorProto_DataType;
  demandInside(tensor);
  const { buffer } = tensor.rawData.slice();
  const raw = tensor.rawData.length > 0;
  switch (tensor.dataType) {
    case UINT8:
      return Array.from(raw ? new Uint8Array(buffer) : tensor.int32Data);
    case INT32:
      return Array.from(raw ? new Int32Array(buffer) : tensor.int32Data);
    case INT64:
      return Array.from(raw ? new BigInt64Array(buffer) : tensor.int64Data, Number);
    default:
      throw new GraphError(`Tensor "${tensor.name}" holds no integers that this lab reads.`);
  }
}
