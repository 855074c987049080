/**
 * Arrays of numbers in a line of JSON, read from its bytes: they are nearly all of a rollout file, and
 * JSON.parse would make a JavaScript value of each. Contract: every number is the float64 that JSON.parse
 * gives, bit for bit; what is not strict JSON is left to JSON.parse, so that it words the refusal.
 *
 * Decimals w / 10^f: up to 15 digits and f <= 22 both are exact in float64 and one division rounds once
 * (Clinger 1990). Up to 19 digits w is a pair of float64 (Dekker 1971) and so is the quotient, which is
 * taken where its tail is clearly no tie. The rest goes to `Number`.
 */

const QUOTE = 34;
const COLON = 58;
const COMMA = 44;
const MINUS = 45;
const PLUS = 43;
const POINT = 46;
const ZERO = 48;
const NINE = 57;
const OPEN = 91;
const BACKSLASH = 92;
const CLOSE = 93;
const OPEN_OBJECT = 123;
const CLOSE_OBJECT = 125;

const isSpace = (c: number | undefined): boolean => c === 32 || c === 10 || c === 13 || c === 9;
const isDigit = (c: number | undefined): boolean => c !== undefined && c >= ZERO && c <= NINE;

/** exact in float64 */
const POWERS = Float64Array.from({ length: 23 }, (_, k) => Number(`1e${k}`));
const EXACT_DIGITS = 15;
const PAIR_DIGITS = 19;

/** Veltkamp's constant for 53 bits */
const SPLITTER = 2 ** 27 + 1;

/** What a * b loses by rounding to `product`. */
function productTail(a: number, b: number, product: number): number {
  const ca = SPLITTER * a;
  const aHigh = ca - (ca - a);
  const aLow = a - aHigh;
  const cb = SPLITTER * b;
  const bHigh = cb - (cb - b);
  const bLow = b - bHigh;
  return aLow * bLow - (product - aHigh * bHigh - aLow * bHigh - aHigh * bLow);
}

/** The float64 next to (lead * 10^more + rest) / power; NaN where it is too near a tie to tell. */
function quotient(lead: number, more: number, rest: number, power: number): number {
  const shift = POWERS[more];
  const product = lead * shift;
  const low = productTail(lead, shift, product) + rest;
  const w = product + low;
  const tail = low - (w - product);
  const first = w / power;
  const back = first * power;
  const second = (w - back - productTail(first, power, back) + tail) / power;
  const sum = first + second;
  const lost = second - (sum - first);
  return sum + lost * (1 + 1e-7) === sum ? sum : NaN;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** A decoder's call costs more than a short text. */
function textOf(bytes: Uint8Array): string {
  const short = bytes.length <= 1024 && bytes.every((byte) => byte < 128);
  return short ? String.fromCharCode(...bytes) : utf8.decode(bytes);
}

/** Reads numbers one after the other; `at` is where it stands. */
class NumberReader {
  at = 0;
  /** the last number read */
  value = 0;

  constructor(private readonly bytes: Uint8Array) {}

  skipSpace(): void {
    while (isSpace(this.bytes[this.at])) this.at++;
  }

  /** @returns false where no JSON number begins here */
  number(): boolean {
    const { bytes } = this;
    const start = this.at;
    let i = start;
    const negative = bytes[i] === MINUS;
    if (negative) i++;
    if (!isDigit(bytes[i])) return false;
    // No leading zeros in JSON.
    if (bytes[i] === ZERO && isDigit(bytes[i + 1])) return false;
    let lead = 0;
    let rest = 0;
    let digits = 0;
    let behindPoint = 0;
    let point = false;
    for (; ; i++) {
      const c = bytes[i];
      if (c >= ZERO && c <= NINE) {
        if (digits < EXACT_DIGITS) lead = lead * 10 + (c - ZERO);
        else if (digits < PAIR_DIGITS) rest = rest * 10 + (c - ZERO);
        // Zeros in front are no digits of w.
        if (digits > 0 || c !== ZERO) digits++;
        if (point) behindPoint++;
      } else if (c === POINT && !point) {
        if (!isDigit(bytes[i + 1])) return false;
        point = true;
      } else break;
    }
    let exponent = 0;
    // e or E
    if ((bytes[i] | 32) === 101) {
      i++;
      const below = bytes[i] === MINUS;
      if (below || bytes[i] === PLUS) i++;
      if (!isDigit(bytes[i])) return false;
      for (; isDigit(bytes[i]); i++) exponent = exponent * 10 + (bytes[i] - ZERO);
      if (below) exponent = -exponent;
    }
    this.at = i;
    const scale = behindPoint - exponent;
    let size = NaN;
    if (scale >= 0 && scale <= 22) {
      const power = POWERS[scale];
      if (digits <= EXACT_DIGITS) size = lead / power;
      else if (digits <= PAIR_DIGITS) size = quotient(lead, digits - EXACT_DIGITS, rest, power);
    }
    // NaN: too many digits, too small, or too near a tie
    if (size !== size) this.value = Number(textOf(bytes.subarray(start, i)));
    else this.value = negative ? -size : size;
    return true;
  }
}

/**
 * Where the numbers of a line and the text around them go, line after line: on some machines fresh memory
 * costs more than reading the file. Both double as needed.
 */
let arena = new Float64Array(4096);
let around = new Uint8Array(4096);

/**
 * The array of numbers that opens at `reader.at`, which then stands behind it; null where it is none.
 * @param start first free place of the arena
 */
function numbers(reader: NumberReader, bytes: Uint8Array, start: number): Float64Array | null {
  let end = start;
  reader.at++;
  for (;;) {
    reader.skipSpace();
    if (!reader.number()) return null;
    if (end === arena.length) {
      const wider = new Float64Array(2 * end);
      wider.set(arena);
      arena = wider;
    }
    arena[end++] = reader.value;
    reader.skipSpace();
    const c = bytes[reader.at++];
    if (c === CLOSE) return arena.subarray(start, end);
    if (c !== COMMA) return null;
  }
}

/** Stands for an array in the text that JSON.parse gets; no file can know it. */
const MARK = `numbers ${Math.random()}:`;
const MARK_BYTES = new TextEncoder().encode(`"${MARK}`);
/** so many arrays of a line; a record has seven */
const MAX_ARRAYS = 32;
const DIGITS_OF_INDEX = 2;

/**
 * JSON.parse of a line that holds one object, its own arrays of numbers as Float64Array. These are good
 * until the next line is parsed.
 * @returns null where JSON.parse has to say what it is
 * @throws TypeError when the bytes are not UTF-8
 */
export function parseObject(bytes: Uint8Array): Record<string, unknown> | null {
  const reader = new NumberReader(bytes);
  const arrays: Float64Array[] = [];
  let used = 0;
  const room = bytes.length + MAX_ARRAYS * (MARK_BYTES.length + DIGITS_OF_INDEX + 1);
  if (around.length < room) around = new Uint8Array(2 * room);
  const text = around;
  let length = 0;
  let copied = 0;
  let depth = 0;
  /** the last byte that was no blank: an array in the place of a name is not JSON */
  let before = 0;
  for (let i = 0; i < bytes.length; i++) {
    const c = bytes[i];
    if (c === QUOTE) {
      for (i++; i < bytes.length && bytes[i] !== QUOTE; i++) if (bytes[i] === BACKSLASH) i++;
    } else if (c === OPEN_OBJECT) depth++;
    else if (c === CLOSE_OBJECT || c === CLOSE) depth--;
    else if (c === OPEN) {
      reader.at = i;
      const array =
        depth === 1 && before === COLON && arrays.length < MAX_ARRAYS
          ? numbers(reader, bytes, used)
          : null;
      if (array === null) depth++;
      else {
        text.set(bytes.subarray(copied, i), length);
        length += i - copied;
        text.set(MARK_BYTES, length);
        length += MARK_BYTES.length;
        for (const digit of String(arrays.length)) text[length++] = digit.charCodeAt(0);
        text[length++] = QUOTE;
        copied = reader.at;
        i = copied - 1;
        arrays.push(array);
        used += array.length;
      }
    }
    if (!isSpace(c)) before = c;
  }
  text.set(bytes.subarray(copied), length);
  length += bytes.length - copied;
  const skeleton = textOf(text.subarray(0, length));
  let parsed: unknown;
  try {
    parsed = JSON.parse(skeleton) as unknown;
  } catch {
    return null;
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return null;
  const fields = parsed as Record<string, unknown>;
  for (const name of Object.keys(fields)) {
    const value = fields[name];
    if (typeof value !== 'string' || !value.startsWith(MARK)) continue;
    // An assignment to "__proto__" would be none.
    Object.defineProperty(fields, name, { value: arrays[Number(value.slice(MARK.length))] });
  }
  return fields;
}
