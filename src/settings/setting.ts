/**
 * How a setting is declared: one schema that says what it may be, with everything else that the lab says
 * of it as the schema's metadata. Forms, links, differences in words, tables and command-line flags are
 * derived from `settingsOf`; to add a setting, add its declaration to an object of settings.
 *
 * Contract: `read` gives a value that the schema has passed, or undefined; `read(write(x))` is x for every
 * x that the schema passes; `may` completes the sentence "It may be ...".
 */
import * as v from 'valibot';

/** even steps; even ratios; finer and finer towards 0 */
export type SliderShape = 'linear' | 'log' | 'square';

/** What people are told. */
export type Words = {
  label: string;
  /** the label where it stands alone, out of its group */
  alone?: string;
  /** the paper's, where it has one */
  symbol?: string;
  unit?: string;
  hint?: string;
  /** names of the options, where people read others than the values */
  names?: Readonly<Record<string, string>>;
  /** heading of a form that begins with this setting */
  heading?: string;
  slider?: SliderShape;
  /** of a field for a text of several lines */
  rows?: number;
  /** key of the setting that this one must not be less than */
  atLeast?: string;
  /** former defaults: `{ 2: x }` means that links up to version 2 leave x unsaid */
  was?: Readonly<Record<number, unknown>>;
};

export interface NumberShape {
  kind: 'number';
  low: number;
  high: number;
  whole: boolean;
  /** 0 is allowed besides low .. high, and means this */
  zero?: string;
  /** null is allowed too */
  none?: boolean;
}

type Shape =
  | NumberShape
  | { kind: 'choice'; options: readonly (string | number)[] }
  | { kind: 'subset'; options: readonly string[] }
  | { kind: 'flag' }
  /** chosen from the catalogue of policies, or free */
  | { kind: 'name'; of: 'policy' | 'checkpoint' | 'other' }
  | { kind: 'list'; item: Declarations; least: number; most: number }
  | {
      kind: 'text';
      may: string;
      parse: (text: string) => unknown;
      write: (value: never) => string;
    };

/** A schema with a declaration in its metadata. */
export type Declared<T> = v.GenericSchema<T>;
export interface Declarations {
  readonly entries: Readonly<Record<string, v.GenericSchema>>;
}

function declare<T>(
  schema: v.GenericSchema<T>,
  shape: Shape,
  fallback: NoInfer<T>,
  words: Words,
): Declared<T> {
  return v.pipe(schema, v.metadata({ ...words, shape, fallback }));
}

const between = (low: number, high: number) =>
  v.pipe(v.number(), v.finite(), v.minValue(low), v.maxValue(high));

export function real(low: number, high: number, fallback: number, words: Words) {
  return declare(between(low, high), { kind: 'number', low, high, whole: false }, fallback, words);
}

export function whole(low: number, high: number, fallback: number, words: Words) {
  const schema = v.pipe(v.number(), v.safeInteger(), v.minValue(low), v.maxValue(high));
  return declare(schema, { kind: 'number', low, high, whole: true }, fallback, words);
}

/** @param zero what 0 means, which is allowed besides low .. high */
export function realOrZero(
  low: number,
  high: number,
  zero: string,
  fallback: number,
  words: Words,
) {
  const schema = v.union([v.literal(0), between(low, high)]);
  return declare<number>(
    schema,
    { kind: 'number', low, high, whole: false, zero },
    fallback,
    words,
  );
}

/** A setting that records of before it was there lack: they mean `was`. Links say so by `Words.was`. */
export function absent<T>(declared: Declared<T>, was: NoInfer<T>) {
  return v.optional(declared, () => was);
}

/** A number, or null, which links call "none" and which is the default. */
export function realOrNone(low: number, high: number, words: Words) {
  const shape = { kind: 'number', low, high, whole: false, none: true } as const;
  return declare(v.nullable(between(low, high)), shape, null, words);
}

/** One of some names or numbers. */
export function choice<const T extends string | number>(
  options: readonly [T, ...T[]],
  fallback: NoInfer<T>,
  words: Words,
): Declared<T> {
  return declare<T>(v.picklist(options), { kind: 'choice', options }, fallback, words);
}

/**
 * The few values of a number that a page offers to choose from; label and default are the number's own.
 * @throws RangeError where the default is not among them, or one is out of bounds
 */
export function offered<const T extends number>(
  number: Declared<number>,
  options: readonly [T, ...T[]],
): Declared<T> {
  const { label, fallback } = v.getMetadata(number) as { label: string; fallback: T };
  if (!options.includes(fallback) || !options.every((option) => v.is(number, option))) {
    throw new RangeError(`"${label}" cannot be a choice of ${anyOf(options)}.`);
  }
  return choice(options, fallback, { label });
}

/** Any set of some names but the empty one, in the order of the options. */
export function subset<const T extends string>(
  options: readonly [T, ...T[]],
  fallback: readonly NoInfer<T>[],
  words: Words,
): Declared<T[]> {
  const schema = v.pipe(
    v.array(v.picklist(options)),
    v.minLength(1),
    v.check((names) => new Set(names).size === names.length, 'a name is given twice'),
    v.transform((names) => options.filter((name) => names.includes(name))),
  );
  return declare<T[]>(schema, { kind: 'subset', options }, [...fallback], words);
}

export function flag(fallback: boolean, words: Words) {
  return declare(v.boolean(), { kind: 'flag' }, fallback, words);
}

/** A short name of lower-case letters, digits and dashes: of a policy, a checkpoint, or of something else. */
export function name(
  of: 'policy' | 'checkpoint' | 'other',
  fallback: string,
  words: Words,
  longest = 64,
) {
  const pattern = new RegExp(`^[a-z0-9][a-z0-9-]{0,${longest - 1}}$`);
  return declare(v.pipe(v.string(), v.regex(pattern)), { kind: 'name', of }, fallback, words);
}

/** Several of the same settings: `a~b~c` in links, with commas between. */
export function list<Item extends Declarations & v.GenericSchema>(
  item: Item,
  [least, most]: readonly [number, number],
  fallback: v.InferOutput<Item>[],
  words: Words,
) {
  const schema = v.pipe(v.array(item), v.minLength(least), v.maxLength(most));
  type Value = v.InferOutput<Item>[];
  return declare<Value>(schema, { kind: 'list', item, least, most }, fallback, words);
}

/** For what the makers above do not cover; `parse` may return anything, the schema decides. */
export function text<T>(
  schema: v.GenericSchema<T>,
  shape: { may: string; parse: (text: string) => unknown; write: (value: T) => string },
  fallback: NoInfer<T>,
  words: Words,
) {
  return declare(schema, { kind: 'text', ...shape }, fallback, words);
}

/** One setting as everything derived from it sees it. */
export interface Setting<T = unknown> extends Words {
  key: string;
  /** in links and on the command line */
  name: string;
  schema: v.GenericSchema<unknown, T>;
  shape: Shape;
  fallback: T;
  /** records of before it was there lack it; at the end of a list's item, links leave it unsaid where it is `fallback` */
  absent: boolean;
  may: string;
  read(text: string): T | undefined;
  write(value: T): string;
  /** as people read a value */
  show(value: T): string;
  /** what links of that version leave unsaid */
  fallbackAt(version: number): T;
}

/** A number as people and `String` write it, -0 as 0; undefined where the text is none. */
export function numberOf(text: string): number | undefined {
  return /^-?\d{1,25}(\.\d{1,25})?(e[+-]?\d{1,3})?$/i.test(text) ? Number(text) + 0 : undefined;
}

/** "a, b or c" */
export function anyOf(options: readonly (string | number)[]): string {
  const [last, ...before] = [...options].reverse();
  return before.length === 0 ? String(last) : `${before.reverse().join(', ')} or ${last}`;
}

function mayBe(shape: Shape): string {
  switch (shape.kind) {
    case 'number': {
      const { low, high, zero, none } = shape;
      const range = `${shape.whole ? 'a whole number' : 'a number'} from ${low} to ${high}`;
      return `${zero === undefined ? '' : `0 (${zero}) or `}${range}${none ? ', or none' : ''}`;
    }
    case 'choice':
      return anyOf(shape.options);
    case 'subset':
      return `a list of ${anyOf(shape.options)}, with commas between`;
    case 'flag':
      return '1 (yes) or 0 (no)';
    case 'name':
      return 'a name of lower-case letters, digits and dashes';
    case 'list': {
      const parts = [...settingsOf(shape.item).values()];
      const form = parts
        .map(({ label, absent: may }, i) => {
          const word = `${i > 0 ? '~' : ''}${label.toUpperCase().replaceAll(' ', '_')}`;
          return may ? `[${word}]` : word;
        })
        .join('');
      return (
        `${shape.least} to ${shape.most} of ${form} with commas between, ` +
        parts.map(({ label, may }) => `${label} ${may}`).join('; ')
      );
    }
    case 'text':
      return shape.may;
  }
}

/** What a text may mean; the schema decides. */
function parseAs(shape: Shape, text: string): unknown {
  switch (shape.kind) {
    case 'number':
      return shape.none && text === 'none' ? null : numberOf(text);
    case 'choice':
      return shape.options.find((option) => String(option) === text);
    case 'subset':
      return text.split(',');
    case 'flag':
      return text === '1' ? true : text === '0' ? false : undefined;
    case 'name':
      return text;
    case 'list': {
      const parts = [...settingsOf(shape.item).values()];
      return text.split(',').map((one) => {
        const texts = one.split('~');
        if (texts.length > parts.length) return undefined;
        if (parts.slice(texts.length).some(({ absent }) => !absent)) return undefined;
        return Object.fromEntries(texts.map((own, i) => [parts[i].key, parts[i].read(own)]));
      });
    }
    case 'text':
      return shape.parse(text);
  }
}

function writeAs(shape: Shape, value: unknown): string {
  switch (shape.kind) {
    case 'flag':
      return value === true ? '1' : '0';
    case 'subset':
      return (value as readonly string[]).join(',');
    case 'list': {
      const parts = [...settingsOf(shape.item).values()];
      const one = (item: Record<string, unknown>) => {
        const last = parts.findLastIndex((own) => !own.absent || item[own.key] !== own.fallback);
        const said = parts.slice(0, last + 1);
        return said.map(({ key, write }) => write(item[key])).join('~');
      };
      return (value as Record<string, unknown>[]).map(one).join(',');
    }
    case 'text':
      return shape.write(value as never);
    default:
      return value === null ? 'none' : String(value);
  }
}

function settingOf(key: string, prefix: string, entry: v.GenericSchema): Setting | null {
  // `absent` wraps a declaration; others may be wrapped inside theirs.
  const schema =
    entry.type === 'optional' && 'wrapped' in entry ? (entry.wrapped as v.GenericSchema) : entry;
  const about = v.getMetadata(schema) as Partial<Words & Pick<Setting, 'shape' | 'fallback'>>;
  const { shape, label, fallback, ...words } = about;
  if (shape === undefined || label === undefined) return null;
  const write = (value: unknown) => writeAs(shape, value);
  return {
    ...words,
    label,
    key,
    name: `${prefix}${key}`,
    schema,
    shape,
    fallback,
    absent: schema !== entry,
    may: mayBe(shape),
    read(text) {
      const parsed = v.safeParse(schema, parseAs(shape, text));
      return parsed.success ? parsed.output : undefined;
    },
    write,
    show: (value) => words.names?.[String(value)] ?? write(value),
    fallbackAt(version) {
      const changed = Object.keys(words.was ?? {}).map(Number);
      const next = changed.filter((until) => until >= version).sort((a, b) => a - b)[0];
      return next === undefined ? fallback : words.was?.[next];
    },
  };
}

const known = new WeakMap<Declarations, Map<string, ReadonlyMap<string, Setting>>>();

/**
 * The settings of an object, by key, in the order of their declaration; what has no declaration (such as
 * the kind of a source) is left out.
 * @param prefix of their names, where links hold settings of several objects
 */
export function settingsOf(schema: Declarations, prefix = ''): ReadonlyMap<string, Setting> {
  const byPrefix = known.get(schema) ?? new Map<string, ReadonlyMap<string, Setting>>();
  known.set(schema, byPrefix);
  const before = byPrefix.get(prefix);
  if (before !== undefined) return before;
  const found = Object.entries(schema.entries).flatMap(([key, entry]) => {
    const setting = settingOf(key, prefix, entry);
    return setting === null ? [] : [[key, setting] as const];
  });
  const settings = new Map(found);
  byPrefix.set(prefix, settings);
  return settings;
}

/** Every default of an object of settings. */
export function defaultsOf<S extends Declarations & v.GenericSchema>(schema: S): v.InferOutput<S> {
  const settings = settingsOf(schema);
  const values = Object.entries(schema.entries).flatMap(([key, entry]) => {
    const setting = settings.get(key);
    if (setting !== undefined) return [[key, setting.fallback]];
    // The kind of a source has no declaration; what is optional is left out.
    return 'literal' in entry ? [[key, entry.literal]] : [];
  });
  return Object.fromEntries(values) as v.InferOutput<S>;
}

export class SettingsError extends Error {
  override name = 'SettingsError';
}

type Values = Readonly<Record<string, unknown>>;

/** The first setting that is less than the one it must not be less than, and that one. */
export function outOfOrder(
  schema: Declarations,
  values: Values,
): { low: Setting; high: Setting } | null {
  const settings = settingsOf(schema);
  for (const high of settings.values()) {
    const low = settings.get(high.atLeast ?? '');
    if (low && Number(values[low.key]) > Number(values[high.key])) return { low, high };
  }
  return null;
}

/**
 * @param what how a message begins, such as "Setting"
 * @throws SettingsError naming the setting and what it may be
 */
export function parseSettings<S extends v.GenericSchema>(
  schema: S,
  input: unknown,
  what: string,
): v.InferOutput<S> {
  const parsed = v.safeParse(schema, input);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  throw new SettingsError(`${what} "${v.getDotPath(issue) ?? 'settings'}": ${issue.message}`);
}

/** @throws SettingsError where a lower end exceeds its upper one */
export function checkOrder(schema: Declarations, values: Values, what: string): void {
  const wrong = outOfOrder(schema, values);
  if (wrong === null) return;
  throw new SettingsError(`${what} "${wrong.low.key}" must not exceed "${wrong.high.key}".`);
}

export interface Difference {
  setting: Setting;
  before: string;
  after: string;
}

/** Settings whose values differ, with the values as people read them. */
export function differencesOf(schema: Declarations, before: Values, after: Values): Difference[] {
  return [...settingsOf(schema).values()].flatMap((setting) => {
    const { key, write, show } = setting;
    return write(before[key]) === write(after[key])
      ? []
      : [{ setting, before: show(before[key]), after: show(after[key]) }];
  });
}

export type Reading = { value: number } | { issue: string };

/** What a person typed, as a number that the setting accepts, or the sentence to put beside it. */
export function readTyped({ shape, may, schema }: Setting, typed: string): Reading {
  const trimmed = typed.trim().replace('−', '-');
  if (trimmed === '') return { issue: `Needs ${may}.` };
  const value = Number(trimmed);
  if (!Number.isFinite(value)) {
    const comma = /^[-+]?\d*,\d+$/.test(trimmed) ? ' Write the decimal point as a dot.' : '';
    return { issue: `“${trimmed}” is not a number.${comma || ` Needs ${may}.`}` };
  }
  if (shape.kind === 'number' && v.is(schema, value)) return { value };
  return { issue: `Needs ${may}; this is ${trimmed}.` };
}
