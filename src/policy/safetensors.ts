/**
 * safetensors: 8 bytes of header length, a JSON header, the tensors' bytes. float32 and float16 are written; bfloat16 is read
 * too; all are read as float32, which holds them exactly.
 * https://huggingface.co/docs/safetensors
 *
 * Contract: `readSafetensors` treats the bytes as hostile; whatever is wrong is a `SafetensorsError`
 * that says what and where, weights that are not finite and tensors that overlap too. Nothing is allocated
 * beyond the size of the file.
 */
import * as v from 'valibot';
import { floatsFromHalves, toHalf } from '../math/half';
import type { Weights } from './graph/lift';

export class SafetensorsError extends Error {
  override name = 'SafetensorsError';
}

export interface Safetensors {
  weights: Weights;
  metadata: Map<string, string>;
}

const MAX_HEADER_BYTES = 1 << 24;
const METADATA = '__metadata__';

const entrySchema = v.object({
  dtype: v.picklist(['F32', 'F16', 'BF16']),
  shape: v.pipe(v.array(v.pipe(v.number(), v.safeInteger(), v.minValue(0))), v.maxLength(8)),
  data_offsets: v.tuple([v.pipe(v.number(), v.safeInteger()), v.pipe(v.number(), v.safeInteger())]),
});

/** Its own buffer, aligned. (Node's Buffer overrides `slice` with a view, so that is no copy.) */
function copyOut(bytes: Uint8Array, from: number, to: number): ArrayBuffer {
  const copy = new Uint8Array(to - from);
  copy.set(bytes.subarray(from, to));
  return copy.buffer;
}

function floatsOf(dtype: 'F32' | 'F16' | 'BF16', stored: ArrayBuffer): Float32Array<ArrayBuffer> {
  if (dtype === 'F32') return new Float32Array(stored);
  const bits = new Uint16Array(stored);
  if (dtype === 'F16') return floatsFromHalves(bits);
  // The upper half of a float32.
  const words = Uint32Array.from(bits, (half) => half << 16);
  return new Float32Array(words.buffer);
}

export function readSafetensors(bytes: Uint8Array, file = 'the checkpoint'): Safetensors {
  const fail = (what: string): never => {
    throw new SafetensorsError(`${file} is not a usable safetensors file: ${what}.`);
  };
  if (bytes.byteLength < 8) fail(`it has only ${bytes.byteLength} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerBytes = Number(view.getBigUint64(0, true));
  const start = 8 + headerBytes;
  if (headerBytes > MAX_HEADER_BYTES || start > bytes.byteLength) {
    fail(`its header claims ${headerBytes} bytes of a file of ${bytes.byteLength}`);
  }
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, start)));
  } catch {
    fail('its header is not JSON');
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header)) {
    fail('its header is not a JSON object');
  }

  const weights: Weights = new Map();
  const places: { name: string; from: number; to: number }[] = [];
  let metadata = new Map<string, string>();
  for (const [name, value] of Object.entries(header as object)) {
    if (name === METADATA) {
      const parsed = v.safeParse(v.record(v.string(), v.string()), value);
      if (!parsed.success) fail('its metadata are not strings');
      else metadata = new Map(Object.entries(parsed.output));
      continue;
    }
    const parsed = v.safeParse(entrySchema, value);
    if (!parsed.success) {
      return fail(
        `tensor "${name}": ${parsed.issues[0].message} (only F32, F16 and BF16 are read)`,
      );
    }
    const { dtype, shape, data_offsets: offsets } = parsed.output;
    const [from, to] = offsets;
    const size = shape.reduce((x, y) => x * y, 1);
    if (
      from < 0 ||
      to - from !== size * (dtype === 'F32' ? 4 : 2) ||
      start + to > bytes.byteLength
    ) {
      fail(`tensor "${name}" [${shape.join(', ')}] does not fit its place in the file`);
    }
    const values = floatsOf(dtype, copyOut(bytes, start + from, start + to));
    const broken = values.findIndex((value) => !Number.isFinite(value));
    if (broken >= 0) fail(`tensor "${name}" has ${values[broken]} at element ${broken}`);
    weights.set(name, { shape, values });
    if (to > from) places.push({ name, from, to });
  }
  places.sort((a, b) => a.from - b.from);
  places.forEach(({ name, from }, i) => {
    const before = places[i - 1];
    if (before && from < before.to) fail(`tensors "${before.name}" and "${name}" overlap`);
  });
  return { weights, metadata };
}

/** @param dtype F16 rounds each weight to the nearest half */
export function writeSafetensors(
  weights: Weights,
  metadata: Record<string, string> = {},
  dtype: 'F32' | 'F16' = 'F32',
): Uint8Array<ArrayBuffer> {
  const entries: [string, unknown][] = [[METADATA, { format: 'pt', ...metadata }]];
  const stored = [...weights.values()].map(({ values }) =>
    dtype === 'F32' ? values : Uint16Array.from(values, toHalf),
  );
  let offset = 0;
  [...weights].forEach(([name, { shape }], i) => {
    const offsets = [offset, offset + stored[i].byteLength];
    entries.push([name, { dtype, shape, data_offsets: offsets }]);
    offset += stored[i].byteLength;
  });
  let json = JSON.stringify(Object.fromEntries(entries));
  // The header is padded with spaces so that the data start at a multiple of 8.
  json += ' '.repeat((8 - (new TextEncoder().encode(json).length % 8)) % 8);
  const text = new TextEncoder().encode(json);
  const bytes = new Uint8Array(8 + text.length + offset);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  let at = 8 + text.length;
  for (const values of stored) {
    bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), at);
    at += values.byteLength;
  }
  return bytes;
}
