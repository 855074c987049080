/** SHA-256 in hex, by the browser where it has one. Contract: the same text with and without. */
import { sha256 } from '../math/sha256';

export async function sha256Hex(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  // Only secure contexts have SubtleCrypto, whatever its type says.
  const subtle = globalThis.crypto?.subtle as SubtleCrypto | undefined;
  const digest = subtle ? new Uint8Array(await subtle.digest('SHA-256', bytes)) : sha256(bytes);
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
