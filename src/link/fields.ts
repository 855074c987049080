/**
 * One setting as a link holds it: its default, its schema, and its text. Contract: `read` gives a value
 * that the schema has passed, or undefined; `read(write(x))` is x for every x that the schema passes;
 * `may` completes the sentence "It may be ...".
 */
import * as v from 'valibot';

export interface Field<T> {
  readonly fallback: T;
  readonly schema: v.GenericSchema<unknown, T>;
  readonly may: string;
  read(text: string): T | undefined;
  write(value: T): string;
}

/** A number as people and `String` write it, -0 as 0; undefined where the text is none. */
export function numberOf(text: string): number | undefined {
  return /^-?\d{1,25}(\.\d{1,25})?(e[+-]?\d{1,3})?$/i.test(text) ? Number(text) + 0 : undefined;
}

/** "a, b or c" */
export function anyOf(choices: readonly (string | number)[]): string {
  const [last, ...before] = [...choices].reverse();
  return before.length === 0 ? String(last) : `${before.reverse().join(', ')} or ${last}`;
}

/** For what the makers below do not cover; `parse` may return anything, the schema decides. */
export function custom<T>(
  fallback: T,
  schema: v.GenericSchema<unknown, T>,
  may: string,
  parse: (text: string) => unknown,
  write: (value: T) => string = String,
): Field<T> {
  return {
    fallback,
    schema,
    may,
    write,
    read(text) {
      const parsed = v.safeParse(schema, parse(text));
      return parsed.success ? parsed.output : undefined;
    },
  };
}

/** One of some names or numbers. */
export function choice<const T extends string | number>(
  choices: readonly [T, ...T[]],
  fallback: NoInfer<T>,
): Field<T> {
  const byText = new Map(choices.map((value) => [String(value), value]));
  return custom<T>(fallback, v.picklist(choices), anyOf(choices), (text) => byText.get(text));
}

/** Any set of some names but the empty one, in the order of `choices`: "gspo,grpo". */
export function subset<const T extends string>(
  choices: readonly [T, ...T[]],
  fallback: readonly NoInfer<T>[],
): Field<readonly T[]> {
  const schema = v.pipe(
    v.array(v.picklist(choices)),
    v.minLength(1),
    v.check((names) => new Set(names).size === names.length, 'a name is given twice'),
    v.transform((names) => choices.filter((name) => names.includes(name))),
  );
  return custom<readonly T[]>(
    fallback,
    schema,
    `a list of ${anyOf(choices)}, with commas between`,
    (text) => text.split(','),
    (names) => names.join(','),
  );
}

export function flag(fallback: boolean): Field<boolean> {
  const words = new Map([
    ['1', true],
    ['0', false],
  ]);
  return custom(
    fallback,
    v.boolean(),
    '1 (yes) or 0 (no)',
    (text) => words.get(text),
    (yes) => (yes ? '1' : '0'),
  );
}

export function real(low: number, high: number, fallback: number): Field<number> {
  const schema = v.pipe(v.number(), v.finite(), v.minValue(low), v.maxValue(high));
  return custom(fallback, schema, `a number from ${low} to ${high}`, numberOf);
}

export function whole(low: number, high: number, fallback: number): Field<number> {
  const schema = v.pipe(v.number(), v.safeInteger(), v.minValue(low), v.maxValue(high));
  return custom(fallback, schema, `a whole number from ${low} to ${high}`, numberOf);
}

/** A short name, of things that this table does not know: lower-case letters, digits and hyphens. */
export function name(fallback: string): Field<string> {
  const schema = v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9-]{0,127}$/));
  return custom(
    fallback,
    schema,
    'a name of lower-case letters, digits and hyphens',
    (text) => text,
  );
}

/** A number, or "none". */
export function realOrNone(low: number, high: number): Field<number | null> {
  const schema = v.nullable(v.pipe(v.number(), v.finite(), v.minValue(low), v.maxValue(high)));
  return custom<number | null>(
    null,
    schema,
    `a number from ${low} to ${high}, or none`,
    (text) => (text === 'none' ? null : numberOf(text)),
    (value) => (value === null ? 'none' : String(value)),
  );
}
