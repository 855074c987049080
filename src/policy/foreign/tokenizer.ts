/**
 * A foreign model's tokenizer and chat template, by the libraries that Transformers.js uses itself (together 26 kB gzip,
 * loaded when the first foreign model is). Contract: `tokenizer.json` is hostile until it has passed here; texts are
 * data and stay texts; what is wrong is a FetchError with a sentence.
 */
import type { Template } from '@huggingface/jinja';
import type { Tokenizer } from '@huggingface/tokenizers';
import * as v from 'valibot';
import { FetchError } from '../fetch';
import { message } from '../../message';

const MOST_TOKENS = 2 ** 21;
const MOST_TEXT = 4096;

const tokenId = v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.maxValue(MOST_TOKENS));
const tokenizerSchema = v.looseObject({
  model: v.looseObject({
    vocab: v.union([v.record(v.string(), tokenId), v.array(v.tuple([v.string(), v.number()]))]),
  }),
  added_tokens: v.nullish(
    v.array(
      v.looseObject({
        id: tokenId,
        content: v.pipe(v.string(), v.maxLength(MOST_TEXT)),
        special: v.nullish(v.boolean()),
      }),
    ),
  ),
  decoder: v.nullish(v.looseObject({ type: v.nullish(v.string()) })),
  pre_tokenizer: v.optional(v.unknown()),
});
/** A token as a text, or as an object with its text. */
const named = v.nullish(v.union([v.string(), v.looseObject({ content: v.string() })]));
const configSchema = v.nullish(
  v.looseObject({
    bos_token: named,
    eos_token: named,
    pad_token: named,
    unk_token: named,
    chat_template: v.nullish(
      v.union([v.string(), v.array(v.looseObject({ name: v.string(), template: v.string() }))]),
    ),
    model_max_length: v.nullish(v.number()),
  }),
);

/** What the library wants to find, even where it is nothing. */
const PARTS = {
  added_tokens: [],
  normalizer: null,
  pre_tokenizer: null,
  post_processor: null,
  decoder: null,
};

type Named = v.InferOutput<typeof named>;
const textOf = (token: Named): string | null =>
  token === null || token === undefined ? null : typeof token === 'string' ? token : token.content;

/** The byte of each letter that byte-level vocabularies write for it. */
const BYTE_OF_LETTER = (() => {
  const plain = [...range(33, 126), ...range(161, 172), ...range(174, 255)];
  const letters = new Map(plain.map((byte) => [String.fromCharCode(byte), byte]));
  let next = 256;
  for (const byte of range(0, 255)) {
    if (!plain.includes(byte)) letters.set(String.fromCharCode(next++), byte);
  }
  return letters;
})();

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}

export interface ChatMessage {
  role: 'system' | 'user';
  content: string;
}

export class ForeignTokenizer {
  private template: Template | undefined;
  private readonly texts: (string | undefined)[] = [];

  private constructor(
    private readonly tokenizer: Tokenizer,
    /** by id; ids that no token has are left out */
    readonly pieces: readonly (string | undefined)[],
    private readonly special: ReadonlySet<number>,
    private readonly byteLevel: boolean,
    private readonly named: Readonly<Record<string, string>>,
    private readonly chatTemplate: string | null,
    /** ids of `eos_token` and `pad_token`, where the files name them */
    readonly end: number | null,
    readonly pad: number | null,
    /** `model_max_length`, where it is one */
    readonly maxLength: number | null,
  ) {}

  /** @throws FetchError */
  static async open(
    json: unknown,
    config: unknown,
    chatTemplate: string | null,
  ): Promise<ForeignTokenizer> {
    const read = v.safeParse(tokenizerSchema, json);
    if (!read.success) {
      const [issue] = read.issues;
      throw new FetchError(
        `tokenizer.json: ${v.getDotPath(issue) ?? 'the file'}: ${issue.message}. This lab reads the ` +
          '“fast” tokenizers that Transformers.js reads.',
      );
    }
    const about = v.safeParse(configSchema, config);
    if (!about.success) {
      const [issue] = about.issues;
      throw new FetchError(
        `tokenizer_config.json: ${v.getDotPath(issue) ?? 'the file'}: ${issue.message}`,
      );
    }
    const settings = about.output ?? {};
    const { Tokenizer: Library } = await import('@huggingface/tokenizers');
    let tokenizer: Tokenizer;
    try {
      tokenizer = new Library({ ...PARTS, ...(json as object) }, (config ?? {}) as object);
    } catch (cause) {
      throw new FetchError(`tokenizer.json cannot be used: ${message(cause)}`, { cause });
    }
    const pieces: (string | undefined)[] = [];
    const { model, added_tokens: added } = read.output;
    if (Array.isArray(model.vocab)) model.vocab.forEach(([text], id) => (pieces[id] = text));
    else for (const [text, id] of Object.entries(model.vocab)) pieces[id] = text;
    const special = new Set<number>();
    for (const { id, content, special: isSpecial } of added ?? []) {
      pieces[id] = content;
      if (isSpecial) special.add(id);
    }
    const names = ['bos_token', 'eos_token', 'pad_token', 'unk_token'] as const;
    const texts = names.flatMap((key) => {
      const text = textOf(settings[key]);
      return text === null ? [] : [[key, text] as const];
    });
    const byText = Object.fromEntries(texts);
    const idOf = (text: string | undefined) =>
      text === undefined ? null : (tokenizer.token_to_id(text) ?? null);
    const { chat_template: own, model_max_length: longest } = settings;
    const listed = Array.isArray(own)
      ? (own.find(({ name }) => name === 'default') ?? own[0])?.template
      : own;
    return new ForeignTokenizer(
      tokenizer,
      pieces,
      special,
      JSON.stringify([read.output.decoder, read.output.pre_tokenizer]).includes('"ByteLevel"'),
      byText,
      chatTemplate ?? listed ?? null,
      idOf(byText['eos_token']),
      idOf(byText['pad_token']),
      longest && Number.isSafeInteger(longest) && longest < 2 ** 24 ? longest : null,
    );
  }

  get hasTemplate(): boolean {
    return this.chatTemplate !== null;
  }

  /** Of the highest token, plus one. */
  get size(): number {
    return this.pieces.length;
  }

  /** @param special whether the tokens that the tokenizer puts around a text come too */
  encode(text: string, special = true): number[] {
    return this.tokenizer.encode(text, { add_special_tokens: special }).ids;
  }

  decode(tokens: Iterable<number>): string {
    // The library stops at ids that it does not know; vocabularies are padded beyond the tokenizer's.
    const known = [...tokens].filter(
      (id) => this.pieces[id] !== undefined && !this.special.has(id),
    );
    return known.length === 0 ? '' : this.tokenizer.decode(known, { skip_special_tokens: true });
  }

  /** Before `chat`. @throws FetchError where there is no template */
  async prepareChat(): Promise<void> {
    if (this.chatTemplate === null) {
      throw new FetchError(
        'This model has no chat template. Switch the chat template off, or choose a model that was tuned to chat.',
      );
    }
    const { Template } = await import('@huggingface/jinja');
    try {
      this.template ??= new Template(this.chatTemplate);
    } catch (cause) {
      throw new FetchError(`The model’s chat template cannot be read: ${message(cause)}`, {
        cause,
      });
    }
  }

  /** @throws FetchError where the template does not work with these */
  chat(messages: readonly ChatMessage[]): number[] {
    const { template, named } = this;
    if (!template) throw new Error('The chat template was not prepared.');
    try {
      const text = template.render({ messages, add_generation_prompt: true, ...named });
      return this.encode(text, false);
    } catch (cause) {
      throw new FetchError(`The model’s chat template does not work here: ${message(cause)}`, {
        cause,
      });
    }
  }

  /**
   * One token for people: its text, its bytes as `<0xE2>` where they are no whole letters, `<|name|>` of a special one,
   * "" for an id that no token has.
   */
  text(id: number): string {
    return (this.texts[id] ??= this.textOf(id));
  }

  private textOf(id: number): string {
    const piece = this.pieces[id];
    if (piece === undefined) return '';
    if (this.special.has(id)) return piece;
    if (!this.byteLevel) return piece.replaceAll('\u2581', ' ');
    const bytes = Array.from(piece, (letter) => BYTE_OF_LETTER.get(letter));
    if (bytes.some((byte) => byte === undefined)) return piece;
    const known = Uint8Array.from(bytes as number[]);
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(known);
    } catch {
      return hex(known);
    }
  }

  /**
   * The texts of a response's tokens. A letter that several tokens make together stands at the last of them; the
   * others have their bytes only where the letter is never finished.
   */
  textsOf(tokens: readonly number[]): string[] {
    const texts = tokens.map((id) => this.text(id));
    const byteOf = (id: number): number[] | null => {
      const text = this.text(id);
      if (!/^(<0x[0-9A-F]{2}>)+$/.test(text) || this.special.has(id)) return null;
      return Array.from(text.matchAll(/<0x([0-9A-F]{2})>/g), ([, digits]) => parseInt(digits, 16));
    };
    let begun: { at: number; bytes: number[] } | null = null;
    tokens.forEach((id, i) => {
      const bytes = byteOf(id);
      if (bytes === null) {
        begun = null;
        return;
      }
      begun = { at: begun?.at ?? i, bytes: [...(begun?.bytes ?? []), ...bytes] };
      try {
        const whole = new TextDecoder('utf-8', { fatal: true });
        texts[i] = whole.decode(Uint8Array.from(begun.bytes));
        for (let k = begun.at; k < i; k++) texts[k] = '';
        begun = null;
      } catch {
        // not whole yet
      }
    });
    return texts;
  }
}

const hex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`).join('');

/**
 * Whether two models speak the same tokens, as a comparison of their log-probs needs.
 * @returns the first difference as a sentence; null: none
 */
export function tokenizersDiffer(a: ForeignTokenizer, b: ForeignTokenizer): string | null {
  const show = (text: string | undefined) =>
    text === undefined ? 'no token' : JSON.stringify(text.slice(0, 40));
  const length = Math.max(a.size, b.size);
  for (let id = 0; id < length; id++) {
    if (a.pieces[id] === b.pieces[id]) continue;
    return (
      `The two models have different tokenizers: token ${id} is ${show(a.pieces[id])} in the old one and ` +
      `${show(b.pieces[id])} in the new one. Log-probs of different tokens cannot be compared: choose two of one tokenizer.`
    );
  }
  const text = 'The 2nd quick  brown fox, naïve\n\tيقفز 日本 — 3.14!';
  const [of, other] = [a.encode(text), b.encode(text)];
  const at = of.findIndex((id, i) => id !== other[i]);
  if (at < 0 && of.length === other.length) return null;
  const where = at < 0 ? Math.min(of.length, other.length) : at;
  return (
    `The two models cut the same text into different tokens: the ${where + 1}. of ${JSON.stringify(text.slice(0, 20))}… is ` +
    `${show(a.pieces[of[where]])} in the old one and ${show(b.pieces[other[where]])} in the new one.`
  );
}
