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

/** A node with one output, named after it. */
export function nodeOf(
  opType: string,
  input: string[],
  output: string,
  attributes: Record<string, number | number[] | GraphProto> = {},
): NodeProto {
  const attribute = Object.entries(attributes).map(([name, value]) => attributeOf(name, value));
  return create(NodeProtoSchema, {
    opType,
    name: `${output}.node`,
    input,
    output: [output],
    attribute,
  });
}

export function attributeOf(name: string, value: number | number[] | GraphProto): AttributeProto {
  const { INT, INTS, GRAPH } = AttributeProto_AttributeType;
  if (typeof value === 'number') {
    return create(AttributeProtoSchema, { name, type: INT, i: BigInt(value) });
  }
  return Array.isArray(value)
    ? create(AttributeProtoSchema, { name, type: INTS, ints: value.map(BigInt) })
    : create(AttributeProtoSchema, { name, type: GRAPH, g: value });
}

export function floatScalar(name: string, value: number): TensorProto {
  const dataType = TensorProto_DataType.FLOAT;
  return create(TensorProtoSchema, { name, dims: [], dataType, floatData: [value] });
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
