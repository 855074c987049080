/** Compact binary as text: base64url, variable-length integers. Contract: a reader that runs out of bytes throws a RangeError, nothing else. */

export function toBase64Url(bytes: Uint8Array): string {
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

/** null where the text is no base64url */
export function fromBase64Url(text: string): Uint8Array | null {
  if (!/^[A-Za-z0-9_-]*$/.test(text) || text.length % 4 === 1) return null;
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(binary, (letter) => letter.charCodeAt(0));
}

export class ByteWriter {
  private readonly bytes: number[] = [];

  byte(value: number): void {
    this.bytes.push(value & 0xff);
  }

  /** little-endian */
  word(value: number): void {
    for (let shift = 0; shift < 32; shift += 8) this.byte(value >>> shift);
  }

  /** a whole number from 0 to 2^53 - 1, seven bits a byte */
  count(value: number): void {
    let rest = value;
    for (; rest >= 128; rest = Math.floor(rest / 128)) this.byte((rest % 128) | 128);
    this.byte(rest);
  }

  float32(value: number): void {
    this.word(new Uint32Array(Float32Array.of(value).buffer)[0] as number);
  }

  all(values: Uint8Array): void {
    for (const value of values) this.byte(value);
  }

  done(): Uint8Array {
    return Uint8Array.from(this.bytes);
  }
}

export class ByteReader {
  private at = 0;

  constructor(private readonly bytes: Uint8Array) {}

  get left(): number {
    return this.bytes.length - this.at;
  }

  byte(): number {
    const value = this.bytes[this.at++];
    if (value === undefined) throw new RangeError('too few bytes');
    return value;
  }

  word(): number {
    let value = 0;
    for (let shift = 0; shift < 32; shift += 8) value |= this.byte() << shift;
    return value >>> 0;
  }

  count(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.byte();
      value += (byte & 127) * scale;
      if (value > Number.MAX_SAFE_INTEGER) throw new RangeError('too large a number');
      if (byte < 128) return value;
    }
  }

  float32(): number {
    return new Float32Array(Uint32Array.of(this.word()).buffer)[0] as number;
  }

  take(length: number): Uint8Array {
    if (length > this.left) throw new RangeError('too few bytes');
    this.at += length;
    return this.bytes.slice(this.at - length, this.at);
  }
}
