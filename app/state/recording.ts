/**
 * Recordings: what the pages show until live numbers replace it, as files (`app/recorded/NAME.json`, made by
 * `npm run record`). Contract: one encoding for the answers of all experiments, so that typed arrays come back as
 * typed arrays and NaN as NaN; a text that is not one of these files, whole and as it was written, is no recording,
 * never an error. Numbers that are not integers keep nine significant digits, which is more than float32 has.
 */
import * as v from 'valibot';
import type {
  BackendInfo,
  ExperimentId,
  ExperimentMap,
  SequenceDetail,
} from '../../src/engine/lab/protocol';
import { runSettingsSchema, type RunSettings } from '../../src/settings/run';

/** What is recorded, by name: the answer of every experiment, and one response token by token. */
export type RecordedName = ExperimentId | 'response';
export type Recorded<N extends RecordedName> = N extends ExperimentId
  ? ExperimentMap[N]['result']
  : SequenceDetail;

export interface Recording<T = unknown> {
  /** YYYY-MM-DD */
  recordedAt: string;
  /** null: the rollouts came from a file */
  settings: RunSettings | null;
  /** name of that file */
  file: string | null;
  backend: BackendInfo;
  /** responses that it rests on */
  sequences: number;
  /** what the experiment was asked with; null for a response */
  asked: unknown;
  result: T;
}

const ARRAYS = { Float64Array, Float32Array, Int32Array, Uint32Array, Uint8Array } as const;
type ArrayName = keyof typeof ARRAYS;
const isArrayName = (name: unknown): name is ArrayName =>
  typeof name === 'string' && Object.hasOwn(ARRAYS, name);

/** JSON has none of these; in a typed array they stand as texts, elsewhere as `{ "$": "NaN" }`. */
const SPECIAL: Readonly<Record<string, number>> = { NaN, Infinity, '-Infinity': -Infinity };

const DIGITS = 9;
const shortened = (x: number) => (Number.isInteger(x) ? x : Number(x.toPrecision(DIGITS)));

/** @throws Error on what a structured clone may hold and this encoding does not (maps, dates, cycles) */
export function encode(value: unknown): unknown {
  if (typeof value === 'number') {
    return Number.isFinite(value) ? shortened(value) : { $: String(value) };
  }
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (Array.isArray(value)) return value.map(encode);
  if (ArrayBuffer.isView(value)) {
    const name = value.constructor.name;
    if (!isArrayName(name)) throw new Error(`a recording cannot hold a ${name}`);
    const numbers = Array.from(value as Float64Array, (x) =>
      Number.isFinite(x) ? shortened(x) : String(x),
    );
    return { $: name, of: numbers };
  }
  if (typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype) {
    return Object.fromEntries(
      Object.entries(value)
        .filter(([, field]) => field !== undefined)
        .map(([key, field]) => [key, encode(field)]),
    );
  }
  throw new Error(`a recording cannot hold a ${typeof value}`);
}

/** @throws Error where the tags are not those that `encode` writes */
export function decode(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(decode);
  if (typeof value !== 'object' || value === null) return value;
  if (!('$' in value)) {
    return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, decode(field)]));
  }
  const tag = value.$;
  if (isArrayName(tag) && 'of' in value && Array.isArray(value.of)) {
    return ARRAYS[tag].from(value.of.map(element));
  }
  return special(tag);
}

function special(text: unknown): number {
  const found =
    typeof text === 'string' && Object.hasOwn(SPECIAL, text) ? SPECIAL[text] : undefined;
  if (found === undefined) throw new Error(`no number is written ${JSON.stringify(text)}`);
  return found;
}

const element = (x: unknown): number => (typeof x === 'number' ? x : special(x));

/** FNV-1a over the characters: tells a file that was cut or edited, not one that was forged. */
function checksum(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0;
  }
  return hash;
}

const whole = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

const fileSchema = v.strictObject({
  name: v.string(),
  recordedAt: v.pipe(v.string(), v.isoDate()),
  settings: v.nullable(runSettingsSchema),
  file: v.nullable(v.string()),
  backend: v.object({
    policy: v.picklist(['webgpu', 'wasm']),
    kernels: v.picklist(['webgpu', 'cpu']),
    adapter: v.string(),
    reason: v.string(),
    threads: v.number(),
  }),
  sequences: whole,
  asked: v.unknown(),
  result: v.record(v.string(), v.unknown()),
  checksum: whole,
});

/** What every experiment's answer has; the rest is as the checksum says it was written. */
const verdicts = v.object({
  verdict: v.picklist(['holds', 'fails', 'departs', 'undecided', 'not applicable']),
  claims: v.array(v.object({ id: v.string(), claim: v.string() })),
  deciding: v.array(v.string()),
});
const response = v.object({
  tokens: v.pipe(
    v.array(v.object({ text: v.string(), logpOld: v.number(), logpNew: v.number() })),
    v.minLength(1),
  ),
});

/** One line of JSON. */
export function writeRecording<N extends RecordedName>(
  name: N,
  { asked, result, ...about }: Recording<Recorded<N>>,
): string {
  const encoded = encode(result);
  const sum = checksum(JSON.stringify(encoded));
  return JSON.stringify({ name, ...about, asked, result: encoded, checksum: sum });
}

/** null: not a recording of this name */
export function readRecording<N extends RecordedName>(
  name: N,
  text: string,
): Recording<Recorded<N>> | null {
  try {
    const { name: found, checksum: sum, ...file } = v.parse(fileSchema, JSON.parse(text));
    if (found !== name || sum !== checksum(JSON.stringify(file.result))) return null;
    const result = decode(file.result);
    if (!v.is(name === 'response' ? response : verdicts, result)) return null;
    // Written by `writeRecording<N>`, which the checksum confirms and a test holds against today's answers.
    return { ...file, result: result as Recorded<N> };
  } catch {
    return null;
  }
}
