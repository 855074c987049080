/**
 * The token arrays of a response: equally long, and without the tokens that its mask leaves out. Contract: what
 * is wrong is a `RecordError` that names array and place. Checked by plain loops: they hold nearly all of the
 * data, and a schema call per number would cost more than parsing the JSON.
 */
import { LOG_PROB_LIMIT } from '../../math/kernel-input';
import { pick, show, type FieldName, type Fields } from './fields';
import { RecordError } from './problems';

/** float32 log-softmax may exceed 0 by rounding; anything above this is not a log-prob. */
const LOGP_TOLERANCE = 1e-5;

export interface List {
  values: ArrayLike<unknown>;
  written: string;
}

export function list(fields: Fields, name: FieldName): List | null {
  const found = pick(fields, name);
  if (!found) return null;
  const { value, written } = found;
  if (Array.isArray(value)) return { values: value as unknown[], written };
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    return { values: value as unknown as ArrayLike<unknown>, written };
  }
  throw new RecordError(
    written,
    `is ${show(value)}; it must be an array with one entry per token.`,
  );
}

export function sameLength(reference: List, other: List): void {
  if (reference.values.length === other.values.length) return;
  throw new RecordError(
    other.written,
    `has ${other.values.length} entries, but "${reference.written}" has ${reference.values.length}. ` +
      'All token arrays of a response must be equally long.',
  );
}

function areLogProbs(values: Float64Array): boolean {
  for (let t = 0; t < values.length; t++) {
    const x = values[t] as number;
    // Written so that NaN is none.
    if (!(x <= LOGP_TOLERANCE && x > -LOG_PROB_LIMIT)) return false;
  }
  return true;
}

/** @param keep [all tokens] 1 = response token, or null for all */
export function logProbs(
  { values, written }: List,
  keep: Uint8Array | null,
  kept: number,
): Float64Array {
  if (keep === null && values instanceof Float64Array && areLogProbs(values)) return values;
  const out = new Float64Array(kept);
  let k = 0;
  for (let t = 0; t < values.length; t++) {
    if (keep && keep[t] === 0) continue;
    const x = values[t];
    if (typeof x !== 'number' || !Number.isFinite(x)) {
      throw new RecordError(
        `${written}[${t}]`,
        `is ${show(x)}; a log-prob must be a finite number. Mask the token out ("mask": 0) or ` +
          'find out where your trainer lost it.',
      );
    }
    if (x > LOGP_TOLERANCE) {
      throw new RecordError(
        `${written}[${t}]`,
        `is ${x}; a log-prob cannot be positive. Are these probabilities or negated log-probs?`,
      );
    }
    if (x <= -LOG_PROB_LIMIT) {
      throw new RecordError(
        `${written}[${t}]`,
        `is ${x}; no softmax gives a log-prob that low. Is it a filler? Mask the token out ("mask": 0).`,
      );
    }
    out[k++] = x;
  }
  return out;
}

export function maskOf(fields: Fields, reference: List): Uint8Array | null {
  const mask = list(fields, 'mask');
  if (!mask) return null;
  sameLength(reference, mask);
  return Uint8Array.from({ length: mask.values.length }, (_, t) => {
    const x = mask.values[t];
    const value = typeof x === 'bigint' ? Number(x) : x;
    if (value === 1 || value === true) return 1;
    if (value === 0 || value === false) return 0;
    throw new RecordError(`mask[${t}]`, `is ${show(x)}; it must be 0 or 1.`);
  });
}

export function tokenIdsOf(
  fields: Fields,
  reference: List,
  keep: Uint8Array | null,
  kept: number,
): Int32Array | null {
  const ids = list(fields, 'token_ids');
  if (!ids) return null;
  sameLength(reference, ids);
  const out = new Int32Array(kept);
  let k = 0;
  for (let t = 0; t < ids.values.length; t++) {
    if (keep && keep[t] === 0) continue;
    const id = Number(ids.values[t]);
    if (!Number.isSafeInteger(id) || id < 0 || id > 0x7fffffff) {
      throw new RecordError(
        `token_ids[${t}]`,
        `is ${show(ids.values[t])}; it must be a token id (0 or more).`,
      );
    }
    out[k++] = id;
  }
  return out;
}

export function tokensOf(
  fields: Fields,
  reference: List,
  keep: Uint8Array | null,
): string[] | null {
  const texts = list(fields, 'tokens');
  if (!texts) return null;
  sameLength(reference, texts);
  const out: string[] = [];
  for (let t = 0; t < texts.values.length; t++) {
    if (keep && keep[t] === 0) continue;
    const text = texts.values[t];
    if (typeof text !== 'string') {
      throw new RecordError(`tokens[${t}]`, `is ${show(text)}; it must be the token's text.`);
    }
    out.push(text);
  }
  return out;
}
