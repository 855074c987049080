/** The catalogs hold every text of the page and no other, and each translation has what its English has. */
import { readdirSync, readFileSync } from 'node:fs';
import { compileMessageOrThrow } from '@lingui/message-utils/compileMessage';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import { allTexts, catalogOf, OTHER_LANGUAGES } from './language-texts';

const texts = await allTexts();

type Token = ReturnType<typeof compileMessageOrThrow>[number];

/** Names of the values, and the tags, of a message: the same in every language. */
function partsOf(message: string): { values: string[]; tags: string[]; plurals: string[][] } {
  const values = new Set<string>();
  const plurals: string[][] = [];
  const visit = (token: Token) => {
    if (typeof token === 'string') return;
    const [name, kind, cases] = token as [string, string?, Record<string, Token[] | string>?];
    values.add(name);
    if (kind !== 'plural' || cases === undefined) return;
    const forms = Object.entries(cases).filter(([form, said]) => form !== 'offset' && said);
    plurals.push(forms.map(([form]) => form).sort());
    for (const [, said] of forms) if (Array.isArray(said)) said.forEach(visit);
  };
  compileMessageOrThrow(message).forEach(visit);
  // An element may come twice, in two forms of a plural.
  const tags = [...new Set(message.match(/<\/?\d+\/?>/g))].sort();
  return { values: [...values].sort(), tags, plurals };
}

describe.each(OTHER_LANGUAGES)('the catalog of %s', async (language) => {
  const catalog = await catalogOf(language);
  const pairs = texts.flatMap(({ id, message }): [string, string][] => {
    const translation = catalog[id]?.translation;
    return translation ? [[message, translation]] : [];
  });

  test('has every text of the page, and none that is gone (npm run texts)', () => {
    const missing = texts.filter(({ id }) => !catalog[id]?.translation);
    expect(missing.map(({ message, origins }) => `${origins.join(', ')}: ${message}`)).toEqual([]);
    const known = new Set(texts.map(({ id }) => id));
    const stale = Object.entries(catalog).filter(([id]) => !known.has(id));
    expect(stale.map(([id, { message = id }]) => message)).toEqual([]);
    expect(pairs.length).toBeGreaterThan(500);
  });

  test('says the same values and tags as the English', () => {
    const wrong = pairs.filter(([message, translation]) => {
      const [a, b] = [partsOf(message), partsOf(translation)];
      return String(a.values) !== String(b.values) || String(a.tags) !== String(b.tags);
    });
    expect(wrong).toEqual([]);
  });

  test('begins and ends with a space where the English does', () => {
    const ends = (said: string) => [/^\s/.test(said), /\s$/.test(said)];
    expect(pairs.filter(([a, b]) => String(ends(a)) !== String(ends(b)))).toEqual([]);
  });

  test('has every form of a plural that whole numbers take', () => {
    const rules = new Intl.PluralRules(language);
    const forms = new Set([0, 1, 2, 5, 12, 22, 25, 100].map((n) => rules.select(n)));
    // Two forms are enough where all but one read alike.
    const whole = (own: string[]) =>
      own.length === 2 || [...forms].every((form) => own.includes(form));
    const lacking = pairs.filter(([, translation]) =>
      partsOf(translation).plurals.some((own) => !own.includes('other') || !whole(own)),
    );
    expect(lacking).toEqual([]);
  });
});

/** Words that stand in a page in every language. */
const NAMES =
  /^\W*(?:(?:GSPO Lab|Liu|WebGPU|WebAssembly|PyTorch|BibTeX|TRL|verl|Esc|nats?|kB|float32|float64|s|n|L|d|t|log|exp|Var|PPL|GSPO|GRPO)\W*)*$/;
/** What people read of an element beside its children. */
const READ = new Set(['aria-label', 'title', 'placeholder', 'alt', 'xLabel', 'yLabel', 'caption']);

/** Texts of a file that no macro marks. */
function unmarked(file: string): string[] {
  const source = ts.createSourceFile(
    file,
    readFileSync(file, 'utf8'),
    ts.ScriptTarget.Latest,
    true,
    ts.ScriptKind.TSX,
  );
  const found: string[] = [];
  const readable = (text: string) => /[a-z]{2}/.test(text) && !NAMES.test(text);
  const visit = (node: ts.Node) => {
    if (ts.isJsxElement(node)) {
      const tag = node.openingElement.tagName.getText(source);
      if (/^(Trans|Plural|Select|code|style|kbd)$/.test(tag)) return visit(node.openingElement);
    }
    if (ts.isJsxText(node) && readable(node.text)) found.push(node.text.trim());
    if (ts.isJsxAttribute(node) && READ.has(node.name.getText(source))) {
      const { initializer } = node;
      if (initializer && ts.isStringLiteral(initializer) && readable(initializer.text))
        found.push(initializer.text);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found.map((text) => `${file}: ${text.replaceAll(/\s+/g, ' ')}`);
}

/** Folders that are not translated yet. */
const ENGLISH: readonly string[] = ['app/experiments/', 'app/lessons/', 'app/charts/'];

test('every text of a page stands in a macro', () => {
  const files = readdirSync('app', { recursive: true, encoding: 'utf8' })
    .map((name) => `app/${name}`)
    .filter((name) => name.endsWith('.tsx') && !name.includes('.test.'));
  const translated = files.filter((file) => !ENGLISH.some((folder) => file.startsWith(folder)));
  expect(translated.length).toBeGreaterThan(40);
  expect(translated.flatMap(unmarked)).toEqual([]);
});
