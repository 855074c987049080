/**
 * Writes a Llama-like decoder (RMSNorm, RoPE, SwiGLU, KV cache) as an ONNX file.
 *
 * Contract: standard operators of opset 17 only; the same bytes run in onnxruntime-web, in jax-js and
 * in Transformers.js. Inputs `input_ids`, `attention_mask`, `position_ids` (int64) and
 * `past_key_values.N.key|value` [batch, heads, past, head]; outputs `logits` and `present.N.key|value`.
 * Left padding works: a key's position is the running sum of the attention mask.
 *
 * Two choices look odd and have a reason: shapes for Reshape are built with Shape + Concat, because
 * jax-js refuses the 0 of "copy this dimension"; and RoPE's rotate-half is a product with a constant
 * +-1 matrix, one node where slicing and concatenating takes four (the result is exact either way).
 */
import { create, toBinary } from '@bufbuild/protobuf';
import {
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  GraphProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
  TensorProto_DataType,
  TensorProtoSchema,
  TensorShapeProto_DimensionSchema,
  TensorShapeProtoSchema,
  TypeProto_TensorSchema,
  TypeProtoSchema,
  ValueInfoProtoSchema,
  type AttributeProto,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from 'onnx-buf';
import { innerWidth, parameterSpecs, type Architecture } from './architecture';

const OPSET = 17;
const IR_VERSION = 8n;
/** Additive mask. Finite, so that a row with nothing visible gives a uniform softmax, never NaN. */
const MASKED = -1e9;

type AttributeValue = number | number[];

function attribute(name: string, value: AttributeValue): AttributeProto {
  return Array.isArray(value)
    ? create(AttributeProtoSchema, {
        name,
        type: AttributeProto_AttributeType.INTS,
        ints: value.map(BigInt),
      })
    : create(AttributeProtoSchema, {
        name,
        type: AttributeProto_AttributeType.INT,
        i: BigInt(value),
      });
}

function floatTensor(name: string, dims: number[], values: Float32Array): TensorProto {
  return create(TensorProtoSchema, {
    name,
    dims: dims.map(BigInt),
    dataType: TensorProto_DataType.FLOAT,
    rawData: new Uint8Array(Float32Array.from(values).buffer),
  });
}

function int64Tensor(name: string, dims: number[], values: number[]): TensorProto {
  return create(TensorProtoSchema, {
    name,
    dims: dims.map(BigInt),
    dataType: TensorProto_DataType.INT64,
    rawData: new Uint8Array(new BigInt64Array(values.map(BigInt)).buffer),
  });
}

function valueInfo(
  name: string,
  elemType: TensorProto_DataType,
  dims: (string | number)[],
): ValueInfoProto {
  return create(ValueInfoProtoSchema, {
    name,
    type: create(TypeProtoSchema, {
      value: {
        case: 'tensorType',
        value: create(TypeProto_TensorSchema, {
          elemType,
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
        }),
      },
    }),
  });
}

/** Collects nodes and constants; `node` returns the name of the node's output. */
class GraphWriter {
  readonly nodes: NodeProto[] = [];
  readonly initializers: TensorProto[] = [];

  node(
    opType: string,
    name: string,
    input: string[],
    attributes: Record<string, AttributeValue> = {},
    output = `${name}.output`,
  ): string {
    this.nodes.push(
      create(NodeProtoSchema, {
        opType,
        name,
        input,
        output: [output],
        attribute: Object.entries(attributes).map(([key, value]) => attribute(key, value)),
      }),
    );
    return output;
  }

  floats(name: string, dims: number[], values: Float32Array | number[]): string {
    this.initializers.push(floatTensor(name, dims, Float32Array.from(values)));
    return name;
  }

  integers(name: string, dims: number[], values: number[]): string {
    this.initializers.push(int64Tensor(name, dims, values));
    return name;
  }
}

/** Names of tensors that every layer reads. */
interface Shared {
  cos: string;
  sin: string;
  rotateHalf: string;
  maskBias: string;
  splitHeads: string;
  mergeHeads: string;
  scale: string;
  epsilon: string;
  /** [experts, inner]: 1 where a column of the SwiGLU block belongs to the expert */
  expertColumns: string;
}

function writeShared(g: GraphWriter, a: Architecture): Shared {
  const head = a.hiddenSize / a.heads;
  const half = head / 2;

  // Tables, not Sin and Cos: WGSL promises these to 2^-11 only, which put log-probs 1.5e-4 apart between
  // WebGPU and wasm.
  const table = (name: string, f: (angle: number) => number): string => {
    const values = new Float32Array(a.maxPositions * head);
    for (let position = 0; position < a.maxPositions; position++) {
      for (let i = 0; i < head; i++) {
        values[position * head + i] = f(position * a.ropeTheta ** (-(i % half) / half));
      }
    }
    const rows = g.node('Gather', `rope.${name}.rows`, [
      g.floats(`rope.${name}.table`, [a.maxPositions, head], values),
      'position_ids',
    ]);
    return g.node('Unsqueeze', `rope.${name}`, [rows, g.integers(`axes.${name}`, [1], [1])]);
  };
  // x @ R = [-x2, x1] for x = [x1, x2]
  const rotation = new Float32Array(head * head);
  for (let i = 0; i < half; i++) {
    rotation[(i + half) * head + i] = -1;
    rotation[i * head + i + half] = 1;
  }

  const keyPositions = g.node('Sub', 'mask.key_positions', [
    g.node('CumSum', 'mask.running', ['attention_mask', g.integers('axis.last', [], [1])]),
    g.integers('one', [], [1]),
  ]);
  const isVisible = g.node('And', 'mask.visible', [
    g.node('LessOrEqual', 'mask.causal', [
      g.node('Unsqueeze', 'mask.keys', [keyPositions, g.integers('axes.key', [2], [1, 2])]),
      g.node('Unsqueeze', 'mask.queries', ['position_ids', g.integers('axes.query', [2], [1, 3])]),
    ]),
    g.node('Unsqueeze', 'mask.present', [
      g.node('Greater', 'mask.nonzero', ['attention_mask', g.integers('zero', [], [0])]),
      'axes.key',
    ]),
  ]);
  const maskBias = g.node('Where', 'mask.bias', [
    isVisible,
    g.floats('mask.open', [], [0]),
    g.floats('mask.closed', [], [MASKED]),
  ]);

  // Not the shape of input_ids: onnxruntime computes shapes on the CPU, and a runtime that keeps the
  // sampled ids on the GPU would have to read them back at every token (seen in 1.30).
  const batchAndLength = g.node('Shape', 'shape.input', ['position_ids']);
  return {
    cos: table('cos', Math.cos),
    sin: table('sin', Math.sin),
    rotateHalf: g.floats('rope.rotate_half', [head, head], rotation),
    maskBias,
    splitHeads: g.node(
      'Concat',
      'shape.split_heads',
      [batchAndLength, g.integers('shape.heads', [2], [a.heads, head])],
      { axis: 0 },
    ),
    mergeHeads: g.node(
      'Concat',
      'shape.merge_heads',
      [batchAndLength, g.integers('shape.hidden', [1], [a.hiddenSize])],
      { axis: 0 },
    ),
    scale: g.floats('attn.scale', [], [head ** -0.5]),
    epsilon: g.floats('norm.epsilon', [], [a.rmsNormEpsilon]),
    expertColumns: a.experts ? writeExpertColumns(g, a, a.experts.count) : '',
  };
}

function writeExpertColumns(g: GraphWriter, a: Architecture, count: number): string {
  g.integers('router.axis', [1], [-1]);
  g.floats('router.out', [], [0]);
  g.floats('router.in', [], [1]);
  g.floats('router.excluded', [], [MASKED]);
  const inner = innerWidth(a);
  const owned = Float32Array.from({ length: count * inner }, (_, i) =>
    Math.floor((i % inner) / a.intermediateSize) === Math.floor(i / inner) ? 1 : 0,
  );
  return g.floats('router.columns', [count, inner], owned);
}

function rmsNorm(g: GraphWriter, shared: Shared, name: string, x: string): string {
  const square = g.node('Mul', `${name}.square`, [x, x]);
  const mean = g.node('ReduceMean', `${name}.mean`, [square], { axes: [-1], keepdims: 1 });
  const root = g.node('Sqrt', `${name}.root`, [
    g.node('Add', `${name}.variance`, [mean, shared.epsilon]),
  ]);
  const unit = g.node('Div', `${name}.unit`, [x, root]);
  return g.node('Mul', name, [unit, `${name}.weight`]);
}

function rope(g: GraphWriter, shared: Shared, name: string, x: string): string {
  const straight = g.node('Mul', `${name}.straight`, [x, shared.cos]);
  const rotated = g.node('MatMul', `${name}.rotated`, [x, shared.rotateHalf]);
  const turned = g.node('Mul', `${name}.turned`, [rotated, shared.sin]);
  return g.node('Add', `${name}.rope`, [straight, turned]);
}

function attention(g: GraphWriter, shared: Shared, layer: number, x: string): string {
  const name = `model.layers.${layer}.attn`;
  const heads = (projection: string): string => {
    const flat = g.node('MatMul', `${name}.${projection}.MatMul`, [
      x,
      `${name}.${projection}.MatMul.weight`,
    ]);
    const split = g.node('Reshape', `${name}.${projection}.heads`, [flat, shared.splitHeads]);
    return g.node('Transpose', `${name}.${projection}.transpose`, [split], { perm: [0, 2, 1, 3] });
  };
  const query = rope(g, shared, `${name}.q`, heads('q_proj'));
  const withPast = (kind: string, now: string): string =>
    g.node(
      'Concat',
      `${name}.${kind}.cache`,
      [`past_key_values.${layer}.${kind}`, now],
      { axis: 2 },
      `present.${layer}.${kind}`,
    );
  const key = withPast('key', rope(g, shared, `${name}.k`, heads('k_proj')));
  const value = withPast('value', heads('v_proj'));

  const keyTransposed = g.node('Transpose', `${name}.k.transposed`, [key], { perm: [0, 1, 3, 2] });
  const scores = g.node('MatMul', `${name}.scores`, [query, keyTransposed]);
  const scaled = g.node('Mul', `${name}.scaled`, [scores, shared.scale]);
  const masked = g.node('Add', `${name}.masked`, [scaled, shared.maskBias]);
  const weights = g.node('Softmax', `${name}.softmax`, [masked], { axis: -1 });
  const mixed = g.node('MatMul', `${name}.mixed`, [weights, value]);
  const back = g.node('Transpose', `${name}.back`, [mixed], { perm: [0, 2, 1, 3] });
  const merged = g.node('Reshape', `${name}.merged`, [back, shared.mergeHeads]);
  return g.node('MatMul', `${name}.o_proj.MatMul`, [merged, `${name}.o_proj.MatMul.weight`]);
}

/**
 * Top-2 routing by two maxima (no TopK: its gradient and its kernels are not everywhere).
 * `<layer>.mlp.router.logits` and `<layer>.mlp.router.routes` (1 for a chosen expert, else 0), both
 * [batch, tokens, experts], can be tapped; `routes` can be cut, so that other routes are replayed.
 * @returns [batch, tokens, inner] each column's gate: the softmax over the two chosen experts
 */
function route(g: GraphWriter, shared: Shared, layer: number, x: string): string {
  const name = `model.layers.${layer}.mlp.router`;
  const last = { axes: [-1], keepdims: 1 };
  const weight = `${name}.MatMul.weight`;
  const logits = g.node('MatMul', `${name}.MatMul`, [x, weight], {}, `${name}.logits`);
  const first = g.node('ReduceMax', `${name}.first`, [logits], last);
  const others = g.node('Where', `${name}.others`, [
    g.node('GreaterOrEqual', `${name}.is_first`, [logits, first]),
    'router.excluded',
    logits,
  ]);
  const second = g.node('ReduceMax', `${name}.second`, [others], last);
  const routes = g.node(
    'Where',
    `${name}.choice`,
    [g.node('GreaterOrEqual', `${name}.is_chosen`, [logits, second]), 'router.in', 'router.out'],
    {},
    `${name}.routes`,
  );
  const powers = g.node('Mul', `${name}.powers`, [
    g.node('Exp', `${name}.exp`, [g.node('Sub', `${name}.shifted`, [logits, first])]),
    routes,
  ]);
  const total = g.node('ReduceSum', `${name}.total`, [powers, 'router.axis'], { keepdims: 1 });
  const gates = g.node('Div', `${name}.gates`, [powers, total]);
  return g.node('MatMul', `${name}.columns`, [gates, shared.expertColumns]);
}

/** With experts: all of them side by side in one block, the columns of those not chosen gated to 0. */
function swiglu(g: GraphWriter, shared: Shared, a: Architecture, layer: number, x: string): string {
  const name = `model.layers.${layer}.mlp`;
  const project = (part: string, from: string) =>
    g.node('MatMul', `${name}.${part}.MatMul`, [from, `${name}.${part}.MatMul.weight`]);
  const gate = project('gate_proj', x);
  const activated = g.node('Mul', `${name}.silu`, [
    gate,
    g.node('Sigmoid', `${name}.sigmoid`, [gate]),
  ]);
  const gated = g.node('Mul', `${name}.gated`, [activated, project('up_proj', x)]);
  if (!a.experts) return project('down_proj', gated);
  const chosen = g.node('Mul', `${name}.chosen`, [gated, route(g, shared, layer, x)]);
  return project('down_proj', chosen);
}

/**
 * The ONNX file of a policy.
 * @param weights one Float32Array per name of `parameterSpecs`; throws when one is missing or misshapen
 */
export function writeOnnx(a: Architecture, weights: ReadonlyMap<string, Float32Array>): Uint8Array {
  if (a.kvHeads !== undefined && a.kvHeads !== a.heads) {
    throw new RangeError('Shared key heads are written by hub-author.ts.');
  }
  const g = new GraphWriter();
  for (const { name, shape } of parameterSpecs(a)) {
    const values = weights.get(name);
    const size = shape.reduce((x, y) => x * y, 1);
    if (values?.length !== size) {
      throw new Error(`weight ${name}: expected ${size} values, got ${values?.length ?? 'none'}`);
    }
    g.floats(name, shape, values);
  }

  const shared = writeShared(g, a);
  let x = g.node('Gather', 'model.embed_tokens', ['model.embed_tokens.weight', 'input_ids']);
  for (let i = 0; i < a.layers; i++) {
    const layer = `model.layers.${i}`;
    const attended = attention(g, shared, i, rmsNorm(g, shared, `${layer}.input_layernorm`, x));
    x = g.node('Add', `${layer}.attn.residual`, [x, attended]);
    const fed = swiglu(g, shared, a, i, rmsNorm(g, shared, `${layer}.post_attention_layernorm`, x));
    x = g.node('Add', `${layer}.mlp.residual`, [x, fed]);
  }
  const last = rmsNorm(g, shared, 'model.norm', x);
  g.node('MatMul', 'lm_head.MatMul', [last, 'lm_head.MatMul.weight'], {}, 'logits');

  const { INT64, FLOAT } = TensorProto_DataType;
  const head = a.hiddenSize / a.heads;
  const caches = (prefix: string, length: string): ValueInfoProto[] =>
    Array.from({ length: a.layers }, (_, i) =>
      ['key', 'value'].map((kind) =>
        valueInfo(`${prefix}.${i}.${kind}`, FLOAT, ['batch_size', a.heads, length, head]),
      ),
    ).flat();

  return toBinary(
    ModelProtoSchema,
    create(ModelProtoSchema, {
      irVersion: IR_VERSION,
      producerName: 'gspo-lab',
      opsetImport: [create(OperatorSetIdProtoSchema, { domain: '', version: BigInt(OPSET) })],
      graph: create(GraphProtoSchema, {
        name: 'policy',
        node: g.nodes,
        initializer: g.initializers,
        input: [
          valueInfo('input_ids', INT64, ['batch_size', 'sequence_length']),
          valueInfo('attention_mask', INT64, ['batch_size', 'total_sequence_length']),
          valueInfo('position_ids', INT64, ['batch_size', 'sequence_length']),
          ...caches('past_key_values', 'past_sequence_length'),
        ],
        output: [
          valueInfo('logits', FLOAT, ['batch_size', 'sequence_length', a.vocabulary.length]),
          ...caches('present', 'total_sequence_length'),
        ],
      }),
    }),
  );
}
