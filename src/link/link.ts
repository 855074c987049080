/**
 * A whole experiment as an address: `#/PAGE?v=2&alpha=0.5&axes=linear&fp=...`. Only what differs from the
 * defaults of the link's version is written; `source=synthetic` chooses the other source and its
 * defaults; `embed`, `hide` and `figure` say how much of the page is shown, `lang` in which language; `seat` makes a seed of its own of the link's for each
 * seat of a class; `fp` is what a finished run found.
 *
 * Contract: an address is hostile. Values pass the settings' schemas or are refused, one by one, with a
 * sentence that names the setting, what it may be and what is used instead; unknown names are said and
 * otherwise ignored. `v` is read (`versions.ts`). Nothing here throws, whatever the text. A link never
 * loads anything that is not shipped with the site: it names policies of the site, or models of other people,
 * of which the engine uses only what a person has fetched. What is left is size, for which `consentFor` asks.
 */
import * as v from 'valibot';
import {
  DEFAULT_SETTINGS,
  parseRunSettings,
  runSettings,
  runSize,
  SettingsError,
  SOURCES,
  type RunSettings,
  type SourceKind,
} from '../settings/run';
import { anyOf, choice, flag, settingsOf, subset, text, type Setting } from '../settings/setting';
import { readFingerprint, writeFingerprint, type Fingerprint } from './fingerprint';
import {
  FIRST_PAGE,
  isPageId,
  pageStart,
  pageSettings,
  type AnyPageSettings,
  type PageId,
} from './pages';
import { seatNumber, seatSeed, type Seat } from './seat';
import { LINK_VERSION, renamed } from './versions';

export const MAX_LINK_LENGTH = 32_768;

/** What a teacher may leave out of a page. */
export const HIDEABLE = ['setup', 'run', 'controls', 'words'] as const;
export type HidePart = (typeof HIDEABLE)[number];

/** The languages of the page, by their codes (ISO 639-1). */
export const LANGUAGES = ['en', 'pl'] as const;
export type Language = (typeof LANGUAGES)[number];

export interface Link {
  page: PageId;
  run: RunSettings;
  /** what was chosen on the page, every setting of it */
  view: AnyPageSettings;
  embed: boolean;
  hide: readonly HidePart[];
  /** `figureId` of the one figure that is shown; '' for the whole page */
  figure: string;
  /** the page's language; 'own': that of whoever opens the link */
  lang: Language | 'own';
  /** the run's seed is that seat's; a seat of another seed is left out where the link is written */
  seat: Seat | null;
  fingerprint: Fingerprint | null;
}

export interface OpenedLink {
  link: Link;
  /** sentences for a person; empty when the whole address was understood */
  problems: string[];
}

/** A figure in links, by its title: "var-log-s-and-l". */
export const figureId = (title: string): string =>
  title
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '')
    .slice(0, 80);

const FIGURE = /^[a-z0-9-]{0,80}$/;

const SHOWN = {
  embed: flag(false, { label: 'Embedded' }),
  hide: subset(HIDEABLE, HIDEABLE, { label: 'Left out' }),
  figure: text(
    v.pipe(v.string(), v.regex(FIGURE)),
    { may: 'the name of a figure', parse: (said) => said, write: (id) => id },
    '',
    { label: 'The one figure' },
  ),
  lang: choice(['own', ...LANGUAGES], 'own', { label: 'Language' }),
};
const shownSettings = settingsOf({ entries: SHOWN });
const seatSetting = settingsOf({ entries: { seat: seatNumber } }).get('seat') as Setting<number>;
const SPECIAL = new Set(['v', 'source', 'fp', 'seat', ...shownSettings.keys()]);

const withSeed = (run: RunSettings, seed: number): RunSettings => ({
  ...run,
  source: { ...run.source, seed },
});

/** The link's seat, where its run is that seat's. */
export const seatOf = ({ seat, run }: Pick<Link, 'seat' | 'run'>): Seat | null =>
  seat !== null && seatSeed(seat) === run.source.seed ? seat : null;

/** The same link at a seat of the class. */
export function atSeat(link: Link, number: number): Link {
  const seat = { number, of: (seatOf(link) ?? { of: link.run.source.seed }).of };
  return { ...link, run: withSeed(link.run, seatSeed(seat)), seat, fingerprint: null };
}

/** The same link without a seat: what a class hands out. */
export function withoutSeat(link: Link): Link {
  const seat = seatOf(link);
  const run = seat === null ? link.run : withSeed(link.run, seat.of);
  return { ...link, run, seat: null, fingerprint: null };
}

const quoted = (text: string) => `"${text.length > 40 ? `${text.slice(0, 40)}…` : text}"`;

interface Said {
  setting: Setting;
  value: unknown;
}

/** Every setting of a link with its value. */
function saidIn({ page, run: { source, ...machine }, view }: Link): Said[] {
  const run: Readonly<Record<string, unknown>> = { ...machine, ...source };
  return [
    ...runSettings(source.kind).map((setting) => ({ setting, value: run[setting.key] })),
    ...[...pageSettings(page).values()].map((setting) => ({ setting, value: view[setting.key] })),
  ];
}

/** What an address without settings shows: what the page starts with today. */
const bare = (page: PageId): Link => ({
  page,
  run: DEFAULT_SETTINGS,
  view: pageStart(page),
  embed: false,
  hide: [],
  figure: '',
  lang: 'own',
  seat: null,
  fingerprint: null,
});

const texts = (link: Link) => saidIn(link).map(({ setting, value }) => setting.write(value));

/** Whether an address without settings says the same today. */
function isBare(link: Link): boolean {
  const { embed, hide, figure, lang, fingerprint, run } = link;
  if (embed || hide.length > 0 || figure !== '' || lang !== 'own' || fingerprint !== null)
    return false;
  if (seatOf(link) !== null) return false;
  if (run.source.kind !== DEFAULT_SETTINGS.source.kind) return false;
  const start = bare(link.page);
  return JSON.stringify(texts(link)) === JSON.stringify(texts(start));
}

/**
 * @param dated name the version even where nothing else is said, so that the link keeps its meaning
 * @returns `#/PAGE`, or `#/PAGE?v=2&...`
 */
export function writeLink(link: Link, { dated = false }: { dated?: boolean } = {}): string {
  if (!dated && isBare(link)) return `#/${link.page}`;
  const said = [`v=${LINK_VERSION}`];
  const say = (name: string, text: string) =>
    said.push(`${name}=${encodeURIComponent(text).replaceAll('%2C', ',')}`);
  const { kind } = link.run.source;
  if (kind !== DEFAULT_SETTINGS.source.kind) say('source', kind);
  const seat = seatOf(link);
  const settings = saidIn(seat === null ? link : { ...link, run: withSeed(link.run, seat.of) });
  for (const { setting, value } of settings) {
    const text = setting.write(value);
    if (text !== setting.write(setting.fallbackAt(LINK_VERSION))) say(setting.name, text);
  }
  if (seat !== null) say('seat', seatSetting.write(seat.number));
  if (link.embed) say('embed', '1');
  if (link.hide.length > 0) say('hide', link.hide.join(','));
  if (link.figure !== '') say('figure', link.figure);
  if (link.lang !== 'own') say('lang', link.lang);
  if (link.fingerprint !== null) say('fp', writeFingerprint(link.fingerprint));
  return `#/${link.page}?${said.join('&')}`;
}

/** A run's settings alone, as the part of a link behind `#/PAGE`; empty where all are at their default. */
export function settingsToQuery(run: RunSettings): string {
  return writeLink({ ...bare('data'), run }).slice('#/data'.length);
}

/** Whether both are the same run, whatever else differs. */
export function sameRun(a: RunSettings, b: RunSettings): boolean {
  return settingsToQuery(a) === settingsToQuery(b);
}

/** The page that an address names, and a sentence where it names none of ours. */
function pageIn(hash: string): { page: PageId; problem: string | null } {
  // Another anchor than ours names no page, wrongly or rightly.
  const name = /^#\/([^?]*)/.exec(hash)?.[1] ?? '';
  if (isPageId(name)) return { page: name, problem: null };
  const problem =
    name === '' ? null : `There is no page ${quoted(name)}; this is the first page of the lab.`;
  return { page: FIRST_PAGE, problem };
}

/** A link's parameters, read against the settings that may stand in it. */
class Reader {
  constructor(
    private readonly query: ReadonlyMap<string, string>,
    private readonly version: number,
    readonly problems: string[],
  ) {}

  refuse({ name, write }: Setting, why: string, used: unknown): void {
    this.problems.push(
      `The link asks for ${name} = ${quoted(this.query.get(name) ?? '')}. ${why} ${write(used)} is used.`,
    );
  }

  /** What is said of a setting, what was unsaid in links of this version, or undefined for a text that is no value. */
  value({ name, read, fallbackAt }: Setting): unknown {
    const text = this.query.get(name);
    return text === undefined ? fallbackAt(this.version) : read(text);
  }

  /** Each by itself; one wrong value costs only itself. */
  each(settings: Iterable<Setting>): Record<string, unknown> {
    const values: Record<string, unknown> = {};
    for (const setting of settings) {
      const usual = setting.fallbackAt(this.version);
      const value = this.value(setting);
      if (value === undefined) this.refuse(setting, `It may be ${setting.may}.`, usual);
      values[setting.key] = value ?? usual;
    }
    return values;
  }

  run(kind: SourceKind): RunSettings {
    const settings = runSettings(kind);
    const usual = new Map(settings.map(({ key, fallbackAt }) => [key, fallbackAt(this.version)]));
    // All at once, because a lower end may pass only together with its upper one; one by one where that
    // fails, to name what is wrong and keep the rest.
    const together = runOf(kind, new Map(settings.map((one) => [one.key, this.value(one)])));
    if (typeof together !== 'string') return together;
    const values = usual;
    for (const setting of settings) {
      const value = this.value(setting);
      const before = values.get(setting.key);
      if (value === undefined) {
        this.refuse(setting, `It may be ${setting.may}.`, before);
        continue;
      }
      const alone = runOf(kind, new Map(values).set(setting.key, value));
      if (typeof alone === 'string') this.refuse(setting, alone, before);
      else values.set(setting.key, value);
    }
    const good = runOf(kind, values);
    return typeof good === 'string' ? DEFAULT_SETTINGS : good;
  }
}

/** The settings, or why they are none. */
function runOf(kind: SourceKind, values: ReadonlyMap<string, unknown>): RunSettings | string {
  const { backend, ...source } = Object.fromEntries(values);
  try {
    return parseRunSettings({ backend, source: { ...source, kind } });
  } catch (error) {
    if (error instanceof SettingsError) return error.message;
    throw error;
  }
}

const isSource = (kind: string): kind is SourceKind => Object.hasOwn(SOURCES, kind);

/** @param hash `location.hash` */
export function openLink(hash: string): OpenedLink {
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
  // The last of a name counts.
  const written = new Map(new URLSearchParams(hash.slice(at + 1)));
  const said = written.get('v') ?? String(LINK_VERSION);
  if (!/^\d{1,4}$/.test(said) || Number(said) < 1) {
    problems.push(
      `The link is of version ${quoted(said)}; this lab reads versions up to ${LINK_VERSION}. ` +
        'The defaults are used.',
    );
    return { link, problems };
  }
  const newer = Number(said) > LINK_VERSION;
  const version = newer ? LINK_VERSION : Number(said);
  if (newer) {
    problems.push(
      `The link is of version ${quoted(said)}, made by a newer lab; this one reads versions up to ` +
        `${LINK_VERSION}. What it knows of it is used, and what it leaves out is named here; what the ` +
        'newer lab leaves unsaid may mean something else there.',
    );
  }

  const query = renamed(written, version, page);
  let kind: SourceKind = DEFAULT_SETTINGS.source.kind;
  const source = query.get('source') ?? kind;
  if (isSource(source)) kind = source;
  else {
    problems.push(
      `The link names a source ${quoted(source)}; there are ${anyOf(Object.keys(SOURCES))}.`,
    );
  }
  const ofPage = [...pageSettings(page).values()];
  const known = new Set([...runSettings(kind), ...ofPage].map(({ name }) => name));
  const unknown = [...query.keys()].filter((name) => !SPECIAL.has(name) && !known.has(name));
  if (unknown.length > 0) {
    const shown = unknown.slice(0, 5).map(quoted).join(', ');
    const more = unknown.length > 5 ? ` and ${unknown.length - 5} more` : '';
    problems.push(
      `The link has ${unknown.length === 1 ? 'a setting' : 'settings'} ${shown}${more} that this ` +
        'page does not know.',
    );
  }
  const before = problems.length;
  const reader = new Reader(query, version, problems);
  link.run = reader.run(kind);
  link.view = reader.each(ofPage);
  const number = query.has('seat') ? seatSetting.read(query.get('seat') ?? '') : null;
  if (number === undefined) {
    const text = quoted(query.get('seat') ?? '');
    problems.push(`The link asks for seat = ${text}. It may be ${seatSetting.may}.`);
  } else if (number !== null) Object.assign(link, atSeat(link, number));
  const refused = problems.length > before;

  for (const { name, read, may } of shownSettings.values()) {
    const text = query.get(name);
    if (text === undefined) continue;
    const value = read(text);
    if (value === undefined) {
      problems.push(`The link asks for ${name} = ${quoted(text)}. It may be ${may}.`);
    } else Object.assign(link, { [name]: value });
  }
  const fp = query.get('fp');
  if (fp !== undefined) {
    const fingerprint = readFingerprint(fp);
    if (fingerprint === null) {
      problems.push('The fingerprint in the link is damaged, so there is nothing to compare with.');
    } else if (newer) {
      problems.push('Its fingerprint is not compared, because what it was made of may differ.');
    } else if (refused) {
      problems.push('Its fingerprint belongs to other settings, so nothing is compared.');
    } else link.fingerprint = fingerprint;
  }
  return { link, problems };
}

/** The default run whole: a minute or two on a laptop without a GPU. */
const UNASKED_RESPONSES = 4096;
/** About 150 MB of columns. */
const UNASKED_TOKENS = 5_000_000;

const count = (n: number) => n.toLocaleString('en-US');

/** A sentence that a person has to agree to before a link's run starts; null where none is needed. */
export function consentFor(run: RunSettings): string | null {
  const { responses, tokens } = runSize(run);
  if (run.source.kind === 'models') {
    const { old, new: theta } = run.source;
    const names = [...new Set([old, theta])].join(' and ');
    return `This link names models of other people: ${names}. Nothing of them is fetched before you say so.`;
  }
  if (run.source.kind === 'policies') {
    if (responses <= UNASKED_RESPONSES) return null;
    return `This link asks a policy for ${count(responses)} responses, which can take long without a GPU.`;
  }
  if (tokens <= UNASKED_TOKENS) return null;
  const megabytes = Math.round((tokens * 30) / 1e6);
  return (
    `This link asks for ${count(responses)} synthetic responses, up to ${count(tokens)} tokens and ` +
    `${count(megabytes)} MB of memory.`
  );
}
