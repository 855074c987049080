/**
 * `liftWeights`: float initializers become graph inputs, so that theta is a named set of tensors fed at
 * each run. One session then serves every set of weights: two checkpoints, a point between them, or
 * weights in training.
 *
 * Why not simply feed an initializer that is also listed as an input, as ONNX allows: onnxruntime's
 * JavaScript API silently ignores such feeds (seen in onnxruntime-web 1.30).
 */
import { create } from '@bufbuild/protobuf';
import {
  TensorProto_DataType,
  TensorShapeProto_DimensionSchema,
  TensorShapeProtoSchema,
  TypeProto_TensorSchema,
  TypeProtoSchema,
  ValueInfoProtoSchema,
} from 'onnx-buf';
import { dimensions, encode, floatValues, GraphError, type OnnxModel } from './proto';

export interface Weight {
  shape: number[];
  values: Float32Array<ArrayBuffer>;
}

/** Name -> tensor, in file order. */
export type Weights = Map<string, Weight>;

export interface Lifted {
  /** the model without its weights, which are now inputs of the same names */
  bytes: Uint8Array<ArrayBuffer>;
  weights: Weights;
}

/**
 * A trained tensor by the exporters' naming, those whose transpose PyTorch's exporter has stored under no name of
 * their own among them; constants of the graph (RoPE tables, scales) stay in.
 */
export function isTrainable(name: string): boolean {
  return name.endsWith('.weight') || name.endsWith('.bias') || /^onnx::(MatMul|Gemm)_/.test(name);
}

/**
 * @param model is consumed: its graph is edited in place
 * @param select which initializers to lift, by name
 * @throws GraphError when nothing matches
 */
export function liftWeights(
  model: OnnxModel,
  select: (name: string) => boolean = isTrainable,
): Lifted {
  const weights: Weights = new Map();
  const { graph } = model;
  graph.initializer = graph.initializer.filter((tensor) => {
    if (tensor.dataType !== TensorProto_DataType.FLOAT || !select(tensor.name)) return true;
    weights.set(tensor.name, { shape: dimensions(tensor), values: floatValues(tensor) });
    return false;
  });
  if (weights.size === 0) {
    throw new GraphError('The model has no float32 weights that could be swapped.');
  }
  const listed = new Set(graph.input.map(({ name }) => name));
  for (const [name, { shape }] of weights) {
    if (listed.has(name)) continue;
    graph.input.push(
      create(ValueInfoProtoSchema, {
        name,
        type: create(TypeProtoSchema, {
          value: {
            case: 'tensorType',
            value: create(TypeProto_TensorSchema, {
              elemType: TensorProto_DataType.FLOAT,
              shape: create(TensorShapeProtoSchema, {
                dim: shape.map((size) =>
                  create(TensorShapeProto_DimensionSchema, {
                    value: { case: 'dimValue', value: BigInt(size) },
                  }),
                ),
              }),
            }),
          },
        }),
      }),
    );
  }
  return { bytes: encode(model), weights };
}
