/** The small files of a policy folder in Hugging Face layout, as Transformers.js expects them. */
import type { Recipe } from './recipes';

const END = ';';

export function configFiles({ architecture: a }: Recipe): Record<string, unknown> {
  const endToken = a.vocabulary.indexOf(END);
  return {
    'config.json': {
      architectures: ['LlamaForCausalLM'],
      model_type: 'llama',
      vocab_size: a.vocabulary.length,
      hidden_size: a.hiddenSize,
      intermediate_size: a.intermediateSize,
      num_hidden_layers: a.layers,
      num_attention_heads: a.heads,
      num_key_value_heads: a.heads,
      head_dim: a.hiddenSize / a.heads,
      max_position_embeddings: a.maxPositions,
      rope_theta: a.ropeTheta,
      rms_norm_eps: a.rmsNormEpsilon,
      hidden_act: 'silu',
      tie_word_embeddings: false,
      torch_dtype: 'float32',
      bos_token_id: null,
      eos_token_id: endToken,
      pad_token_id: 0,
      'transformers.js_config': { dtype: 'fp32' },
    },
    'generation_config.json': {
      eos_token_id: endToken,
      pad_token_id: 0,
      max_length: a.maxPositions,
      do_sample: true,
      temperature: 1,
      top_k: 0,
    },
    'tokenizer_config.json': {
      tokenizer_class: 'PreTrainedTokenizerFast',
      model_max_length: a.maxPositions,
      pad_token: a.vocabulary[0],
      eos_token: END,
      padding_side: 'left',
      clean_up_tokenization_spaces: false,
    },
    'tokenizer.json': {
      version: '1.0',
      truncation: null,
      padding: null,
      added_tokens: [
        {
          id: 0,
          content: a.vocabulary[0],
          single_word: false,
          lstrip: false,
          rstrip: false,
          normalized: false,
          special: true,
        },
      ],
      normalizer: null,
      pre_tokenizer: null,
      post_processor: null,
      decoder: { type: 'Fuse' },
      model: {
        type: 'BPE',
        dropout: null,
        unk_token: null,
        continuing_subword_prefix: null,
        end_of_word_suffix: null,
        fuse_unk: false,
        byte_fallback: false,
        ignore_merges: false,
        vocab: Object.fromEntries(a.vocabulary.map((text, id) => [text, id])),
        merges: [],
      },
    },
  };
}
