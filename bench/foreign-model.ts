/**
 * A model of SmolLM2-135M's size with random weights, in the layout of a hub, for the bench: 30 layers of width 576,
 * 9 heads on 3 key heads of 64, SwiGLU 1,536, 49,152 tokens; matrices in blocks of 4 bits, the embedding in float32.
 * Contract: written once below the given folder (190 MB); the same bytes every time.
 */
import { existsSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { parameterSpecs, type Architecture } from '../models/build/architecture';
import { writeHubOnnx } from '../models/build/hub-author';

export const SMOL: Architecture = {
  vocabulary: vocabularyOf(49_152),
  hiddenSize: 576,
  layers: 30,
  heads: 9,
  kvHeads: 3,
  intermediateSize: 1536,
  maxPositions: 2048,
  ropeTheta: 100_000,
  rmsNormEpsilon: 1e-5,
};
/** The token that ends a response; with random weights it is as likely as any other, so responses run to their limit. */
const END = 0;

/** Printable characters first, so that a text has tokens; then names that no text is split into. */
function vocabularyOf(size: number): string[] {
  const characters = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i));
  const named = ['<end>', ...characters];
  return [...named, ...Array.from({ length: size - named.length }, (_, i) => `<t${i}>`)];
}

/** Uniform numbers of a given deviation by xorshift: 160 million of them in seconds. */
function uniform(size: number, deviation: number, seed: number): Float32Array {
  let state = (seed + 1) * 2654435761;
  const scale = (2 * deviation * Math.sqrt(3)) / 2 ** 32;
  const values = new Float32Array(size);
  for (let i = 0; i < size; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    values[i] = state * scale;
  }
  return values;
}

const json = (value: unknown) => JSON.stringify(value);

/** @param folder where repositories stand, with its closing slash @returns the name of this one */
export async function writeSmol(folder: string): Promise<string> {
  const name = 'smollm2-size';
  const base = `${folder}${name}/`;
  if (existsSync(`${base}onnx/model_q4.onnx`)) return name;
  await mkdir(`${base}onnx`, { recursive: true });
  const specs = new Map(parameterSpecs(SMOL).map((spec, i) => [spec.name, { ...spec, i }]));
  const onnx = writeHubOnnx(
    SMOL,
    {
      get: (wanted) => {
        const spec = specs.get(wanted);
        if (!spec) return undefined;
        const size = spec.shape.reduce((x, y) => x * y, 1);
        return spec.init === 'ones'
          ? new Float32Array(size).fill(1)
          : uniform(size, spec.init, spec.i);
      },
    },
    { bits: 4 },
  );
  const vocab = Object.fromEntries(SMOL.vocabulary.map((token, id) => [token, id]));
  const special = { single_word: false, lstrip: false, rstrip: false, normalized: false };
  const files: Record<string, string> = {
    'config.json': json({
      architectures: ['LlamaForCausalLM'],
      model_type: 'llama',
      vocab_size: SMOL.vocabulary.length,
      hidden_size: SMOL.hiddenSize,
      intermediate_size: SMOL.intermediateSize,
      num_hidden_layers: SMOL.layers,
      num_attention_heads: SMOL.heads,
      num_key_value_heads: SMOL.kvHeads,
      max_position_embeddings: SMOL.maxPositions,
      rope_theta: SMOL.ropeTheta,
      rms_norm_eps: SMOL.rmsNormEpsilon,
      hidden_act: 'silu',
      tie_word_embeddings: false,
      bos_token_id: null,
      eos_token_id: END,
    }),
    'generation_config.json': json({ eos_token_id: END, pad_token_id: END }),
    'tokenizer_config.json': json({
      tokenizer_class: 'PreTrainedTokenizerFast',
      eos_token: '<end>',
      pad_token: '<end>',
      model_max_length: SMOL.maxPositions,
    }),
    'tokenizer.json': json({
      version: '1.0',
      added_tokens: [{ id: END, content: '<end>', special: true, ...special }],
      normalizer: null,
      pre_tokenizer: null,
      post_processor: null,
      decoder: { type: 'Fuse' },
      model: { type: 'BPE', vocab, merges: [], unk_token: null, byte_fallback: false },
    }),
  };
  for (const [file, text] of Object.entries(files)) await writeFile(base + file, text);
  // A file cut off in mid-writing must not pass for the model.
  await writeFile(`${base}onnx/part`, onnx);
  await rename(`${base}onnx/part`, `${base}onnx/model_q4.onnx`);
  return name;
}
