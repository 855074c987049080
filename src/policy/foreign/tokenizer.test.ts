/** Tokenizers and chat templates of foreign models. */
import { describe, expect, test } from 'vitest';
import { foreignFiles } from '../../../scripts/node/model-files';
import { ForeignTokenizer, tokenizersDiffer } from './tokenizer';

/** Byte pairs over the bytes of UTF-8, as most models have them. */
const byteLevel = {
  model: {
    type: 'BPE',
    vocab: { a: 0, b: 1, Ġ: 2, Ã: 3, '©': 4, â: 5, Ģ: 6, Ķ: 7, ab: 8, '×': 9, Ĳ: 10 },
    merges: [['a', 'b']],
  },
  added_tokens: [
    { id: 11, content: '<|end|>', special: true },
    { id: 12, content: '<script>alert(1)</script>', special: false },
  ],
  pre_tokenizer: {
    type: 'ByteLevel',
    add_prefix_space: false,
    trim_offsets: true,
    use_regex: true,
  },
  decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
};

const open = (json: unknown = byteLevel, config: unknown = null, template: string | null = null) =>
  ForeignTokenizer.open(json, config, template);

describe('tokens as texts', () => {
  test('a text goes in and comes out', async () => {
    const { tokenizer, tokenizerConfig } = foreignFiles();
    const one = await open(tokenizer, tokenizerConfig);
    const ids = one.encode('1+1=2');
    expect(one.decode(ids).trim()).toBe('1+1=2');
  });

  test('a letter of several tokens stands at the last of them', async () => {
    const one = await open();
    expect(one.textsOf([8, 2, 3, 4, 0])).toEqual(['ab', ' ', '', 'é', 'a']);
    expect(one.text(3)).toBe('<0xC3>');
  });

  test('bytes that never become a letter are shown as bytes', async () => {
    const one = await open();
    expect(one.textsOf([3, 0, 5])).toEqual(['<0xC3>', 'a', '<0xE2>']);
  });

  test('right-to-left text stays in its order', async () => {
    const one = await open();
    // U+05D0 is D7 90 in UTF-8
    expect(one.textsOf([9, 10]).join('')).toBe('א');
  });

  test('ids beyond the tokenizer have no text, and a script in a token is a text', async () => {
    const one = await open();
    expect(one.text(500)).toBe('');
    expect(one.decode([0, 500, 1])).toBe('ab');
    expect(one.text(12)).toBe('<script>alert(1)</script>');
  });
});

describe('hostile files', () => {
  test.for<[unknown, RegExp]>([
    [null, /tokenizer\.json/],
    [{ model: { vocab: { a: -1 } } }, /tokenizer\.json/],
    [{ model: { vocab: { a: 1e9 } } }, /tokenizer\.json/],
    [{ model: { type: 'BPE', vocab: { a: 0 }, merges: 7 } }, /cannot be used/],
  ])('%j', async ([json, sentence]) => {
    await expect(open(json)).rejects.toThrow(sentence);
  });

  test('a template that does not parse, or asks for what is not there', async () => {
    const broken = await open(byteLevel, null, '{% for x in %}');
    await expect(broken.prepareChat()).rejects.toThrow(/cannot be read/);
    const without = await open();
    await expect(without.prepareChat()).rejects.toThrow(/no chat template/);
    const raising = await open(byteLevel, null, "{{ raise_exception('no system prompt') }}");
    await raising.prepareChat();
    expect(() => raising.chat([{ role: 'user', content: 'a' }])).toThrow(/no system prompt/);
  });
});

test('a chat template is what the model reads', async () => {
  const template =
    "{% for m in messages %}{{ m['role'][0] }}{{ m['content'] }}{{ eos_token }}{% endfor %}{% if add_generation_prompt %}b{% endif %}";
  const one = await open(byteLevel, { eos_token: '<|end|>' }, template);
  await one.prepareChat();
  expect(one.end).toBe(11);
  const ids = one.chat([{ role: 'user', content: 'ab' }]);
  expect(ids.slice(-3)).toEqual([8, 11, 1]);
});

test('two tokenizers are compared token by token', async () => {
  const one = await open();
  expect(tokenizersDiffer(one, await open())).toBeNull();
  const vocab = { ...byteLevel.model.vocab, ab: 9, '×': 8 };
  const other = await open({ ...byteLevel, model: { ...byteLevel.model, vocab } });
  expect(tokenizersDiffer(one, other)).toMatch(/token 8 is "ab" in the old one and "×"/);
  const merged = await open({ ...byteLevel, model: { ...byteLevel.model, merges: [] } });
  expect(tokenizersDiffer(one, merged)).toBeNull();
});
