/** Nodes, constants and ports for graph surgery, in few words. */
import { create } from '@bufbuild/protobuf';
import {
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  NodeProtoSchema,
  TensorProto_DataType,
  TensorProtoSchema,
  TensorShapeProto_DimensionSchema,
  TensorShapeProtoSchema,
  TypeProto_TensorSchema,
  TypeProtoSchema,
  ValueInfoProtoSchema,
  type AttributeProto,
  type GraphProto,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from 'onnx-buf';
import { toHalf } from '../../math/half';

/** A number is an integer, unless it is said to be a float. */
export type AttributeValue = number | number[] | { float: number } | GraphProto;

/** A node, named after its first output. */
export function nodeOf(
  opType: string,
  input: string[],
  output: string | string[],
  attributes: Record<string, AttributeValue> = {},
  domain = '',
): NodeProto {
  const attribute = Object.entries(attributes).map(([name, value]) => attributeOf(name, value));
  const outputs = [output].flat();
  const name = `${outputs[0]}.node`;
  return create(NodeProtoSchema, { opType, domain, name, input, output: outputs, attribute });
}

export function attributeOf(name: string, value: AttributeValue): AttributeProto {
  const { INT, INTS, FLOAT, GRAPH } = AttributeProto_AttributeType;
  if (typeof value === 'number') {
    return create(AttributeProtoSchema, { name, type: INT, i: BigInt(value) });
  }
  if (Array.isArray(value)) {
    return create(AttributeProtoSchema, { name, type: INTS, ints: value.map(BigInt) });
  }
  return 'float' in value
    ? create(AttributeProtoSchema, { name, type: FLOAT, f: value.float })
    : create(AttributeProtoSchema, { name, type: GRAPH, g: value });
}

export function floatScalar(name: string, value: number): TensorProto {
  return floats(name, [], [value]);
}

/** @param dataType FLOAT, or FLOAT16, to which the values are then rounded */
export function floats(
  name: string,
  dims: readonly number[],
  values: ArrayLike<number>,
  dataType = TensorProto_DataType.FLOAT,
): TensorProto {
  const array =
    dataType === TensorProto_DataType.FLOAT16
      ? Uint16Array.from(values, toHalf)
      : Float32Array.from(values);
  const rawData = new Uint8Array(array.buffer);
  return create(TensorProtoSchema, { name, dims: dims.map(BigInt), dataType, rawData });
}

/** @param dataType UINT8, or INT8 in two's complement */
export function bytes(
  name: string,
  dims: readonly number[],
  values: Uint8Array<ArrayBuffer>,
  dataType = TensorProto_DataType.UINT8,
): TensorProto {
  return create(TensorProtoSchema, { name, dims: dims.map(BigInt), dataType, rawData: values });
}

/** int64; a list has one dimension, a number none. */
export function integers(name: string, value: number | number[]): TensorProto {
  const dataType = TensorProto_DataType.INT64;
  const [dims, values] = Array.isArray(value) ? [[BigInt(value.length)], value] : [[], [value]];
  return create(TensorProtoSchema, { name, dims, dataType, int64Data: values.map(BigInt) });
}

/** @param dims left out: the number of dimensions is open too */
export function portInfo(
  name: string,
  elemType: TensorProto_DataType,
  dims?: readonly (string | number)[],
): ValueInfoProto {
  const shape = dims && {
    shape: create(TensorShapeProtoSchema, {
      dim: dims.map((dim) =>
        create(TensorShapeProto_DimensionSchema, {
          value:
            typeof dim === 'string'
              ? { case: 'dimParam', value: dim }
              : { case: 'dimValue', value: BigInt(dim) },
        }),
      ),
    }),
  };
  return create(ValueInfoProtoSchema, {
    name,
    type: create(TypeProtoSchema, {
      value: { case: 'tensorType', value: create(TypeProto_TensorSchema, { elemType, ...shape }) },
    }),
  });
}

export function renamed(info: ValueInfoProto, name: string): ValueInfoProto {
  return create(ValueInfoProtoSchema, { name, ...(info.type ? { type: info.type } : {}) });
}

export function elementTypeOf({ type }: ValueInfoProto): TensorProto_DataType {
  return type?.value.case === 'tensorType'
    ? type.value.value.elemType
    : TensorProto_DataType.UNDEFINED;
}
