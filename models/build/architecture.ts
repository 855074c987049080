/**
 * The shapes of a policy, read by the ONNX author, the trainer and the model card.
 * Contract: everything that is derivable from `Architecture` is derived here and nowhere else.
 */
import { Random, STREAM } from '../../src/math/philox';

export interface Architecture {
  vocabulary: readonly string[];
  hiddenSize: number;
  layers: number;
  heads: number;
  /** heads of keys and values, each shared by `heads / kvHeads` queries; absent: as many as `heads` */
  kvHeads?: number;
  /** inner width of the SwiGLU block; with experts, of each expert */
  intermediateSize: number;
  /** mixture of experts in every layer; absent in a dense policy */
  experts?: { count: number; perToken: 2 };
  /** context in tokens */
  maxPositions: number;
  ropeTheta: number;
  rmsNormEpsilon: number;
}

export interface ParameterSpec {
  name: string;
  /** as stored: a matrix is [in, out], ready for `x @ W` */
  shape: number[];
  /** standard deviation of the normal initialisation; 'ones' for norm gains */
  init: number | 'ones';
}

/** Width of all of a layer's SwiGLU blocks side by side: one, or one an expert. */
export function innerWidth({ intermediateSize, experts }: Architecture): number {
  return intermediateSize * (experts?.count ?? 1);
}

/** Width of a layer's keys, and of its values: all of their heads side by side. */
export function keyWidth({ hiddenSize, heads, kvHeads = heads }: Architecture): number {
  return (hiddenSize / heads) * kvHeads;
}

/** Every trained tensor in file order. Names follow the ONNX exporters' `module.MatMul.weight`. */
export function parameterSpecs(a: Architecture): ParameterSpec[] {
  const d = a.hiddenSize;
  const std = d ** -0.5;
  // Residual branches start smaller, so that depth does not grow the activations (GPT-2's rule).
  const residual = std / Math.sqrt(2 * a.layers);
  const specs: ParameterSpec[] = [
    { name: 'model.embed_tokens.weight', shape: [a.vocabulary.length, d], init: 0.5 },
  ];
  for (let i = 0; i < a.layers; i++) {
    const layer = `model.layers.${i}`;
    const inner = innerWidth(a);
    specs.push(
      { name: `${layer}.input_layernorm.weight`, shape: [d], init: 'ones' },
      { name: `${layer}.attn.q_proj.MatMul.weight`, shape: [d, d], init: std },
      { name: `${layer}.attn.k_proj.MatMul.weight`, shape: [d, keyWidth(a)], init: std },
      { name: `${layer}.attn.v_proj.MatMul.weight`, shape: [d, keyWidth(a)], init: std },
      { name: `${layer}.attn.o_proj.MatMul.weight`, shape: [d, d], init: residual },
      { name: `${layer}.post_attention_layernorm.weight`, shape: [d], init: 'ones' },
      ...(a.experts
        ? [{ name: `${layer}.mlp.router.MatMul.weight`, shape: [d, a.experts.count], init: std }]
        : []),
      { name: `${layer}.mlp.gate_proj.MatMul.weight`, shape: [d, inner], init: std },
      { name: `${layer}.mlp.up_proj.MatMul.weight`, shape: [d, inner], init: std },
      {
        name: `${layer}.mlp.down_proj.MatMul.weight`,
        shape: [inner, d],
        init: a.intermediateSize ** -0.5 / Math.sqrt(2 * a.layers),
      },
    );
  }
  specs.push(
    { name: 'model.norm.weight', shape: [d], init: 'ones' },
    { name: 'lm_head.MatMul.weight', shape: [d, a.vocabulary.length], init: std * 0.5 },
  );
  return specs;
}

export function parameterCount(a: Architecture): number {
  return parameterSpecs(a).reduce((sum, { shape }) => sum + shape.reduce((x, y) => x * y, 1), 0);
}

/** Parameters that one token's forward pass depends on: all but the experts that were not chosen. */
export function activeParameterCount(a: Architecture): number {
  if (!a.experts) return parameterCount(a);
  const idle = a.experts.count - a.experts.perToken;
  return parameterCount(a) - a.layers * idle * 3 * a.hiddenSize * a.intermediateSize;
}

/** Initial weights; each tensor has its own random substream, so adding one changes no other. */
export function initialWeights(a: Architecture, seed: number): Map<string, Float32Array> {
  const weights = new Map<string, Float32Array>();
  parameterSpecs(a).forEach(({ name, shape, init }, index) => {
    const size = shape.reduce((x, y) => x * y, 1);
    const values = new Float32Array(size).fill(1);
    if (init !== 'ones') {
      const random = new Random(seed, STREAM.init, index);
      for (let i = 0; i < size; i++) values[i] = init * random.normal();
    }
    weights.set(name, values);
  });
  return weights;
}
