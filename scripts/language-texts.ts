/**
 * The texts of the page: what `npm run texts` writes into the catalogs and what a test compares them with. Contract: a
 * text of `app/` is found where a macro of Lingui marks it; what `src/` declares is listed here, by its English text,
 * which `said` looks up.
 */
import { createRequire } from 'node:module';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import type * as LinguiApi from '@lingui/cli/api';
import { formatter } from '@lingui/format-po';
import type { CatalogType, ExtractedMessage } from '@lingui/conf';
import { BREAKS, PROMISES } from '../src/breaks';
import { CLAIM_FAMILIES } from '../src/experiments/claims';
import { GROUPS, PAGES, SOURCES } from '../src/experiments/manifest';
import { LANGUAGES, type Language } from '../src/link/link';
import { PAGE_SETTINGS } from '../src/link/pages';
import { runSettingsSchema, SOURCES as RUN_SOURCES } from '../src/settings/run';
import { settingsOf, type Declarations } from '../src/settings/setting';
import config from '../lingui.config.ts';

/** One text: its id in the catalog, its English, where it stands and what its numbered places hold. */
export interface Text {
  id: string;
  message: string;
  /** found by `said`, under the English itself */
  ofEngine: boolean;
  origins: string[];
  places: Record<string, string>;
}

// It is CommonJS whose names Node does not find.
const { extractor } = createRequire(import.meta.url)('@lingui/cli/api') as typeof LinguiApi;

const ROOT = new URL('../', import.meta.url);
const MACRO = /@lingui\/(core|react)\/macro/;

/** Of a message that is found in several files, all of them. */
async function textsOfApp(): Promise<Text[]> {
  const texts = new Map<string, Text>();
  const files = await readdir(new URL('app/', ROOT), { recursive: true });
  for (const name of files.filter((one) => /(?<!\.test)\.tsx?$/.test(one)).sort()) {
    const file = `app/${name}`;
    const code = await readFile(new URL(file, ROOT), 'utf8');
    if (!MACRO.test(code)) continue;
    const found = ({ id, message = id, placeholders = {} }: ExtractedMessage) => {
      const origins = [...new Set([...(texts.get(id)?.origins ?? []), file])];
      texts.set(id, { id, message, ofEngine: false, origins, places: placeholders });
    };
    await extractor.extract(file, code, found, { linguiConfig: config });
  }
  return [...texts.values()];
}

/** @param inRuns differences between runs name their settings in small letters */
function textsOfSettings(declarations: Declarations, inRuns = false): string[] {
  return [...settingsOf(declarations).values()].flatMap((setting) => {
    const { label, alone = label, hint, heading, names = {}, shape } = setting;
    const inner = shape.kind === 'list' ? textsOfSettings(shape.item) : [];
    const words = [
      label,
      ...(inRuns ? [alone.toLowerCase()] : []),
      hint,
      heading,
      ...Object.values(names),
    ];
    return [...words.filter((text) => text !== undefined), ...inner];
  });
}

/** What stands in `src/` as a constant and on the page as a text. */
function textsOfEngine(): string[] {
  return [
    ...Object.values(PAGES).flatMap(({ title, question }) => [title, question]),
    ...Object.values(GROUPS).flatMap(({ title, question }) => [title, question]),
    ...Object.values(SOURCES).map(({ title }) => title),
    ...Object.values(PROMISES),
    ...Object.values(BREAKS).flatMap(({ lead, breaks }) => [
      lead,
      ...breaks.flatMap(({ title, why, watch }) => [title, why, watch]),
    ]),
    ...Object.values(CLAIM_FAMILIES).flatMap((claims) => claims.map(({ claim }) => claim)),
    ...Object.values(RUN_SOURCES).flatMap((source) => textsOfSettings(source, true)),
    ...textsOfSettings(runSettingsSchema, true),
    ...textsOfSettings(PAGE_SETTINGS.train),
    ...textsOfSettings(PAGE_SETTINGS.reproduce),
  ];
}

/** Every text of the page that is translated, in the order of the files. */
export async function allTexts(): Promise<Text[]> {
  const engine = [...new Set(textsOfEngine())].map((message): Text => ({
    id: message,
    message,
    ofEngine: true,
    origins: ['src'],
    places: {},
  }));
  return [...(await textsOfApp()), ...engine];
}

const po = formatter({ lineNumbers: false });
export const OTHER_LANGUAGES = LANGUAGES.filter((language) => language !== 'en');
const fileOf = (language: Language) => new URL(`app/language/${language}.po`, ROOT);

/** What a catalog says, by id. */
export async function catalogOf(language: Language): Promise<CatalogType> {
  const file = fileOf(language);
  const content = await readFile(file, 'utf8').catch(() => '');
  return po.parse(content, { locale: language, sourceLocale: 'en', filename: file.pathname });
}

/** Puts new texts into a catalog, without a translation, and takes out those that are gone. @returns how many have none */
export async function renewCatalog(
  language: Language,
  texts: readonly Text[],
  translated: Readonly<Record<string, string>> = {},
): Promise<number> {
  const before = await catalogOf(language);
  const entries = texts.map(({ id, message, ofEngine, origins, places }) => {
    const translation = translated[id] ?? before[id]?.translation ?? '';
    // Of a plural inside an element the macro gives the head of the file.
    const placeholders = Object.fromEntries(
      Object.entries(places).flatMap(([k, v]) => (v.startsWith('/*') ? [] : [[k, [v]]])),
    );
    const origin = origins.map((file): [string] => [file]);
    return [id, { translation, origin, placeholders, ...(ofEngine ? {} : { message }) }] as const;
  });
  const file = fileOf(language);
  const existing = await readFile(file, 'utf8').catch(() => null);
  const content = await po.serialize(Object.fromEntries(entries), {
    locale: language,
    sourceLocale: 'en',
    filename: file.pathname,
    existing,
  });
  await writeFile(file, content);
  return entries.filter(([, { translation }]) => translation === '').length;
}
