/**
 * A whole experiment as an address: `#/PAGE?v=1&alpha=0.5&axes=linear&fp=...`. Only what differs from the
 * defaults of the link's version is written; `source=synthetic` chooses the other source and its
 * defaults; `embed` and `hide` say how much of the page is shown; `fp` is what a finished run found.
 *
 * Contract: an address is hostile. Values pass the settings' schemas or are refused, one by one, with a
 * sentence that names the key, what it may be and what is used instead; unknown keys are named and
 * otherwise ignored. `v` is read (`versions.ts`). Nothing here throws, whatever the text.
 */
import { flag, numberOf, subset } from './fields';
import { readFingerprint, writeFingerprint, type Fingerprint } from './fingerprint';
import { fieldsOf, isPageId, pageDefaults, type AnyPageSettings, type PageId } from './pages';
import {
  DEFAULT_SETTINGS,
  DEFAULT_SYNTHETIC,
  parseRunSettings,
  runSettingMay,
  SettingsError,
  type RunSettings,
} from './settings';
import { LINK_VERSIONS, type FrozenDefaults, type LinkVersions, type Texts } from './versions';

export const MAX_LINK_LENGTH = 4096;

/** What a teacher may leave out of a page. */
export const HIDEABLE = ['setup', 'run', 'controls', 'words'] as const;
export type HidePart = (typeof HIDEABLE)[number];

export interface Link {
  page: PageId;
  run: RunSettings;
  /** what was chosen on the page, every field of it */
  view: AnyPageSettings;
  embed: boolean;
  hide: readonly HidePart[];
  fingerprint: Fingerprint | null;
}

export interface OpenedLink {
  link: Link;
  /** sentences for a person; empty when the whole address was understood */
  problems: string[];
}

const EMBED = flag(false);
const HIDE = subset(HIDEABLE, HIDEABLE);
const SPECIAL = new Set(['v', 'embed', 'hide', 'fp']);

const quoted = (text: string) => `"${text.length > 40 ? `${text.slice(0, 40)}…` : text}"`;

export function defaultsFor(kind: string): RunSettings {
  return kind === 'synthetic'
    ? { backend: DEFAULT_SETTINGS.backend, source: DEFAULT_SYNTHETIC }
    : DEFAULT_SETTINGS;
}

/** Every setting of a run by the name it has in a link. */
function flatten({ backend, source: { kind, ...rest } }: RunSettings): Map<string, string> {
  const texts = new Map([
    ['backend', backend as string],
    ['source', kind],
  ]);
  for (const [name, value] of Object.entries(rest)) texts.set(name, String(value));
  return texts;
}

/** The settings, or why they are none. */
function runOf(texts: Texts): RunSettings | string {
  const kind = texts.get('source') ?? DEFAULT_SETTINGS.source.kind;
  const source: Record<string, unknown> = { kind };
  const { source: like } = defaultsFor(kind);
  for (const [name, value] of Object.entries(like)) {
    if (name === 'kind') continue;
    const text = texts.get(name) ?? String(value);
    source[name] = typeof value === 'number' ? (numberOf(text) ?? text) : text;
  }
  try {
    return parseRunSettings({ backend: texts.get('backend'), source });
  } catch (error) {
    if (error instanceof SettingsError) return error.message;
    throw error;
  }
}

function viewTexts(page: PageId, view: AnyPageSettings): Map<string, string> {
  return new Map([...fieldsOf(page)].map(([name, field]) => [name, field.write(view[name])]));
}

/** Everything that a link of these defaults leaves unsaid. */
function frozenTexts(frozen: FrozenDefaults, kind: string, page: string): Map<string, string> {
  const texts = new Map(Object.entries(frozen.run));
  const sources = new Map(Object.entries(frozen.sources));
  const pages = new Map(Object.entries(frozen.pages));
  texts.set('source', sources.has(kind) ? kind : (frozen.run['source'] ?? ''));
  for (const part of [sources.get(texts.get('source') ?? ''), pages.get(page)]) {
    for (const [name, text] of Object.entries(part ?? {})) texts.set(name, text);
  }
  return texts;
}

function frozenOf({ frozen }: LinkVersions, version: number): FrozenDefaults {
  return frozen.get(version) ?? { run: {}, sources: {}, pages: {} };
}

const bare = (page: PageId): Link => ({
  page,
  run: DEFAULT_SETTINGS,
  view: pageDefaults(page),
  embed: false,
  hide: [],
  fingerprint: null,
});

export interface WriteOptions {
  /** name the version even where nothing else is said, so that the link keeps its meaning */
  dated?: boolean;
  versions?: LinkVersions;
}

/** @returns `#/PAGE`, or `#/PAGE?v=1&...` */
export function writeLink(link: Link, { dated, versions = LINK_VERSIONS }: WriteOptions = {}) {
  const { page, run, view } = link;
  const said: string[] = [];
  const say = (name: string, text: string) =>
    said.push(`${name}=${encodeURIComponent(text).replaceAll('%2C', ',')}`);
  const unsaid = frozenTexts(frozenOf(versions, versions.current), run.source.kind, page);
  const settings = new Map([...flatten(run), ...viewTexts(page, view)]);
  if (run.source.kind !== frozenOf(versions, versions.current).run['source'])
    unsaid.delete('source');
  for (const [name, text] of settings) if (unsaid.get(name) !== text) say(name, text);
  if (link.embed) say('embed', '1');
  if (link.hide.length > 0) say('hide', HIDE.write(link.hide));
  if (link.fingerprint !== null) say('fp', writeFingerprint(link.fingerprint));
  if (!dated && isBare(link)) return `#/${page}`;
  return `#/${page}?${[`v=${versions.current}`, ...said].join('&')}`;
}

/** Whether an address without settings says the same today. */
function isBare({ page, run, view, embed, hide, fingerprint }: Link): boolean {
  if (embed || hide.length > 0 || fingerprint !== null) return false;
  const usual = bare(page);
  const today = new Map([...flatten(usual.run), ...viewTexts(page, usual.view)]);
  const here = [...flatten(run), ...viewTexts(page, view)];
  return here.every(([name, text]) => today.get(name) === text);
}

/** A run's settings alone, as the part of a link behind `#/PAGE`; empty where all are at their default. */
export function settingsToQuery(run: RunSettings): string {
  const link = writeLink({ ...bare('data'), run });
  return link.slice('#/data'.length);
}

/** Version, and the rest by name; the last of a name counts. */
function parameters(query: string): Map<string, string> {
  return new Map(new URLSearchParams(query));
}

/** A link of an older version, every setting spelled out, in the names and meanings of today. */
function modern(texts: Texts, page: PageId, version: number, versions: LinkVersions): Texts {
  let now = texts;
  for (let from = version; from < versions.current; from++) {
    now = versions.migrations.get(from)?.(now, page) ?? now;
  }
  const kind = now.get('source') ?? DEFAULT_SETTINGS.source.kind;
  return new Map([...frozenTexts(frozenOf(versions, versions.current), kind, page), ...now]);
}

/** Adds what is right of `asked` to `fallback`, name by name, and says what is not. */
function readRun(asked: Texts, fallback: Texts, problems: string[]): RunSettings {
  // All at once, because a lower bound may pass only together with its upper one; one by one where
  // that fails, to name what is wrong and keep the rest.
  const together = runOf(asked);
  if (typeof together !== 'string') return together;
  const kind = asked.get('source') ?? '';
  const base = runOf(fallback);
  let good = typeof base === 'string' ? defaultsFor(kind) : base;
  for (const name of flatten(good).keys()) {
    const text = asked.get(name) ?? '';
    const texts = flatten(good);
    if (texts.get(name) === text || name === 'source') continue;
    const alone = runOf(new Map(texts).set(name, text));
    if (typeof alone !== 'string') good = alone;
    else {
      const may = runSettingMay(kind, name);
      const why = may !== null && !may.allows(text) ? `It may be ${may.words}.` : alone;
      problems.push(
        `The link asks for ${name} = ${quoted(text)}. ${why} ${texts.get(name)} is used.`,
      );
    }
  }
  return good;
}

function readView(page: PageId, asked: Texts, fallback: Texts, problems: string[]) {
  const view: Record<string, unknown> = {};
  for (const [name, field] of fieldsOf(page)) {
    const text = asked.get(name) ?? field.write(field.fallback);
    const value = field.read(text);
    const usual = field.read(fallback.get(name) ?? '') ?? field.fallback;
    view[name] = value ?? usual;
    if (value === undefined) {
      problems.push(
        `The link asks for ${name} = ${quoted(text)}. It may be ${field.may}. ` +
          `${field.write(usual)} is used.`,
      );
    }
  }
  return view;
}

/** The page that an address names, and a sentence where it names none of ours. */
function pageIn(hash: string): { page: PageId; problem: string | null } {
  // Another anchor than ours names no page, wrongly or rightly.
  const name = /^#\/([^?]*)/.exec(hash)?.[1] ?? '';
  if (isPageId(name)) return { page: name, problem: null };
  const problem =
    name === '' ? null : `There is no page ${quoted(name)}; this is the first page of the lab.`;
  return { page: 'equivalence', problem };
}

/** @param hash `location.hash` */
export function openLink(hash: string, versions: LinkVersions = LINK_VERSIONS): OpenedLink {
  const problems: string[] = [];
  const { page, problem } = pageIn(hash.slice(0, 200));
  if (problem !== null) problems.push(problem);
  const link = bare(page);
  const at = hash.indexOf('?');
  if (at < 0) return { link, problems };
  if (hash.length > MAX_LINK_LENGTH) {
    problems.push(`The link is longer than ${MAX_LINK_LENGTH} characters; the defaults are used.`);
    return { link, problems };
  }
  const query = parameters(hash.slice(at + 1));
  const said = query.get('v') ?? String(versions.current);
  const version = Number(said);
  if (!/^\d{1,4}$/.test(said) || !versions.frozen.has(version)) {
    problems.push(
      `The link is of version ${quoted(said)}; this lab reads versions up to ${versions.current}. ` +
        'The defaults are used.',
    );
    return { link, problems };
  }

  const frozen = frozenOf(versions, version);
  const kind = query.get('source') ?? frozen.run['source'] ?? '';
  const unsaid = frozenTexts(frozen, kind, page);
  if (unsaid.get('source') !== kind) {
    problems.push(`The link names a source ${quoted(kind)}; there are policies and synthetic.`);
  }
  const asked = new Map(unsaid);
  const unknown: string[] = [];
  for (const [name, text] of query) {
    if (SPECIAL.has(name) || name === 'source') continue;
    if (unsaid.has(name)) asked.set(name, text);
    else unknown.push(name);
  }
  if (unknown.length > 0) {
    const shown = unknown.slice(0, 5).map(quoted).join(', ');
    const more = unknown.length > 5 ? ` and ${unknown.length - 5} more` : '';
    problems.push(
      `The link has ${unknown.length === 1 ? 'a setting' : 'settings'} ${shown}${more} that this ` +
        'page does not know.',
    );
  }
  const fallback = modern(unsaid, page, version, versions);
  const wanted = modern(asked, page, version, versions);
  const before = problems.length;
  link.run = readRun(wanted, fallback, problems);
  const view = readView(page, wanted, fallback, problems);
  link.view = view;
  const refused = problems.length > before;

  const embed = query.get('embed');
  if (embed !== undefined) {
    link.embed = EMBED.read(embed) ?? false;
    if (EMBED.read(embed) === undefined) {
      problems.push(`The link asks for embed = ${quoted(embed)}. It may be ${EMBED.may}.`);
    }
  }
  const hide = query.get('hide');
  if (hide !== undefined) {
    link.hide = HIDE.read(hide) ?? [];
    if (HIDE.read(hide) === undefined) {
      problems.push(`The link asks for hide = ${quoted(hide)}. It may be ${HIDE.may}.`);
    }
  }
  const fp = query.get('fp');
  if (fp !== undefined) {
    const fingerprint = readFingerprint(fp);
    if (fingerprint === null) {
      problems.push('The fingerprint in the link is damaged, so there is nothing to compare with.');
    } else if (refused) {
      problems.push('Its fingerprint belongs to other settings, so nothing is compared.');
    } else link.fingerprint = fingerprint;
  }
  return { link, problems };
}
