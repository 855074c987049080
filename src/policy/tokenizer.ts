/**
 * The characters-as-tokens tokenizer of the lab's own policies, read from their `tokenizer.json`
 * (model `BPE`, no merges), the same file that Transformers.js reads.
 */
import * as v from 'valibot';

const id = v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.maxValue(65535));
const tokenizerSchema = v.object({
  model: v.object({
    type: v.literal('BPE'),
    vocab: v.record(v.pipe(v.string(), v.minLength(1)), id),
    merges: v.pipe(v.array(v.unknown()), v.maxLength(0)),
  }),
});

export class CharacterTokenizer {
  private constructor(
    /** index = id */
    readonly vocabulary: readonly string[],
    private readonly ids: ReadonlyMap<string, number>,
  ) {}

  /** @param json parsed `tokenizer.json`; throws with a sentence when it is of another kind */
  static parse(json: unknown): CharacterTokenizer {
    const parsed = v.safeParse(tokenizerSchema, json);
    if (!parsed.success) {
      const [issue] = parsed.issues;
      throw new Error(
        `tokenizer.json: this lab reads character tokenizers (BPE without merges); ` +
          `${v.getDotPath(issue) ?? 'the file'}: ${issue.message}`,
      );
    }
    const ids = new Map(Object.entries(parsed.output.model.vocab));
    const vocabulary: string[] = [];
    for (const [text, index] of ids) vocabulary[index] = text;
    for (let i = 0; i < vocabulary.length; i++) {
      if (vocabulary[i] === undefined) throw new Error(`tokenizer.json: no token has id ${i}.`);
    }
    return new CharacterTokenizer(vocabulary, ids);
  }

  encode(text: string): number[] {
    return Array.from(text, (character) => {
      const index = this.ids.get(character);
      if (index === undefined) throw new Error(`The tokenizer has no token for "${character}".`);
      return index;
    });
  }

  decode(tokens: Iterable<number>): string {
    let text = '';
    for (const token of tokens) text += this.vocabulary[token] ?? '';
    return text;
  }
}
