/**
 * Fetching a policy's files, with progress, and checking them against the manifest.
 *
 * Contract: `FileSource` hides where files come from (a site, a folder on disk). Every file is checked
 * against its SHA-256 before use; a wrong or cut one is a `FetchError` with a sentence.
 */
import * as v from 'valibot';
import { liftWeights, type Weights } from './graph/lift';
import { DEFAULT_PORT_NAMES, type PortNames, portNamesSchema } from './graph/ports';
import { decode } from './graph/proto';
import { type CheckpointInfo, type PolicyManifest, policyManifestSchema } from './manifest';
import { readSafetensors } from './safetensors';
import { CharacterTokenizer } from './tokenizer';
import { addDifference } from './weights';

export class FetchError extends Error {
  override name = 'FetchError';
}

export type FetchProgress = (loaded: { bytes: number; total: number | null; what: string }) => void;

/** Reads one file below `models/`; rejects with a FetchError. */
export type FileSource = (
  path: string,
  onBytes?: (bytes: number, total: number | null) => void,
  signal?: AbortSignal,
) => Promise<Uint8Array<ArrayBuffer>>;

/** ms between two reports of one file: a page draws what it is told, and chunks come by the hundred */
const REPORT_EVERY = 100;

/** @param base URL of the folder that holds the policies, with its closing slash */
export function siteFiles(base: string): FileSource {
  return async (path, onBytes, signal) => {
    let response: Response;
    try {
      response = await fetch(new URL(path, base), signal ? { signal } : {});
    } catch (cause) {
      if (signal?.aborted) throw cause;
      throw new FetchError(`models/${path} could not be fetched: the connection failed.`, {
        cause,
      });
    }
    if (!response.ok || !response.body) {
      throw new FetchError(`models/${path} could not be fetched: HTTP status ${response.status}.`);
    }
    const length = Number(response.headers.get('content-length'));
    const parts: Uint8Array[] = [];
    let bytes = 0;
    let reported = performance.now();
    try {
      for (const reader = response.body.getReader(); ;) {
        const { done, value } = await reader.read();
        if (done) break;
        parts.push(value);
        bytes += value.length;
        if (performance.now() - reported < REPORT_EVERY) continue;
        reported = performance.now();
        onBytes?.(bytes, length > 0 ? length : null);
      }
    } catch (cause) {
      if (signal?.aborted) throw cause;
      throw new FetchError(`models/${path}: the connection broke off after ${bytes} bytes.`, {
        cause,
      });
    }
    const all = new Uint8Array(bytes);
    let at = 0;
    for (const part of parts) {
      all.set(part, at);
      at += part.length;
    }
    return all;
  };
}

async function verified(
  files: FileSource,
  path: string,
  sha256: string,
  onProgress?: FetchProgress,
  signal?: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await files(
    path,
    (loaded, total) => onProgress?.({ bytes: loaded, total, what: path }),
    signal,
  );
  const hex = await sha256Hex(bytes);
  if (hex !== sha256) {
    throw new FetchError(
      `models/${path} is not the file that the manifest names (SHA-256 ${hex.slice(0, 12)}..., ` +
        `expected ${sha256.slice(0, 12)}...). Reload without the cache.`,
    );
  }
  return bytes;
}

function parseJson(bytes: Uint8Array, path: string): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new FetchError(`models/${path} is not JSON.`, { cause });
  }
}

const catalogueSchema = v.array(v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9-]{0,63}$/)));

/** Names of the shipped policies: `models/index.json`. */
export async function fetchCatalogue(files: FileSource): Promise<PolicyManifest[]> {
  const parsed = v.safeParse(catalogueSchema, parseJson(await files('index.json'), 'index.json'));
  if (!parsed.success) throw new FetchError('models/index.json is not a list of policy names.');
  return Promise.all(parsed.output.map((name) => fetchManifest(files, name)));
}

/** @throws FetchError that names what there is */
export function findPolicy(manifests: readonly PolicyManifest[], name: string): PolicyManifest {
  const manifest = manifests.find((candidate) => candidate.name === name);
  if (manifest) return manifest;
  const names = manifests.map((candidate) => candidate.name).join(', ');
  throw new FetchError(`There is no policy "${name}" here. There is: ${names}.`);
}

async function fetchManifest(files: FileSource, name: string): Promise<PolicyManifest> {
  const path = `${name}/lab.json`;
  const parsed = v.safeParse(policyManifestSchema, parseJson(await files(path), path));
  if (!parsed.success) {
    const [issue] = parsed.issues;
    throw new FetchError(`models/${path}: ${v.getDotPath(issue) ?? 'file'}: ${issue.message}`);
  }
  return parsed.output;
}

/** Caches, types and shapes are the graph's to say (`graph/ports.ts`). */
const configSchema = v.object({
  max_position_embeddings: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  eos_token_id: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  pad_token_id: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  lab: v.optional(portNamesSchema, DEFAULT_PORT_NAMES),
});

export interface PolicyFiles {
  onnx: Uint8Array<ArrayBuffer>;
  tokenizer: CharacterTokenizer;
  portNames: PortNames;
  maxPositions: number;
  endToken: number;
  padToken: number;
}

export async function fetchPolicy(
  files: FileSource,
  manifest: PolicyManifest,
  onProgress?: FetchProgress,
  signal?: AbortSignal,
): Promise<PolicyFiles> {
  const at = (path: string) => `${manifest.name}/${path}`;
  const [configBytes, tokenizerBytes, onnx] = await Promise.all([
    verified(files, at(manifest.config.file), manifest.config.sha256, undefined, signal),
    verified(files, at(manifest.tokenizer.file), manifest.tokenizer.sha256, undefined, signal),
    verified(files, at(manifest.onnx.file), manifest.onnx.sha256, onProgress, signal),
  ]);
  const config = v.safeParse(configSchema, parseJson(configBytes, at('config.json')));
  if (!config.success) {
    const [issue] = config.issues;
    throw new FetchError(
      `models/${at('config.json')}: ${v.getDotPath(issue) ?? 'file'}: ${issue.message}`,
    );
  }
  const c = config.output;
  return {
    onnx,
    tokenizer: CharacterTokenizer.parse(parseJson(tokenizerBytes, at('tokenizer.json'))),
    portNames: c.lab,
    maxPositions: c.max_position_embeddings,
    endToken: c.eos_token_id,
    padToken: c.pad_token_id,
  };
}

export function findCheckpoint(manifest: PolicyManifest, id: string): CheckpointInfo {
  const checkpoint = manifest.checkpoints.find((candidate) => candidate.id === id);
  if (!checkpoint) {
    const known = manifest.checkpoints.map((candidate) => candidate.id).join(', ');
    throw new FetchError(`Policy "${manifest.name}" has no checkpoint "${id}". It has: ${known}.`);
  }
  return checkpoint;
}

export async function fetchCheckpoint(
  files: FileSource,
  manifest: PolicyManifest,
  id: string,
  onProgress?: FetchProgress,
  signal?: AbortSignal,
): Promise<Weights> {
  const { file, sha256, differenceTo } = findCheckpoint(manifest, id);
  const path = `${manifest.name}/${file}`;
  const bytes = await verified(files, path, sha256, onProgress, signal);
  if (file === manifest.onnx.file) return liftWeights(decode(bytes)).weights;
  const { weights } = readSafetensors(bytes, path);
  if (differenceTo === undefined) return weights;
  const base = findCheckpoint(manifest, differenceTo);
  if (base.differenceTo !== undefined) {
    throw new FetchError(
      `models/${path} is a difference to "${differenceTo}", which is one itself.`,
    );
  }
  const whole = await fetchCheckpoint(files, manifest, differenceTo, onProgress, signal);
  return addDifference(whole, weights);
}

/** SHA-256 in hex, by the browser where it has one. Contract: the same text with and without. */
export async function sha256Hex(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = await digestOf(bytes);
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

async function digestOf(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  // Only secure contexts have SubtleCrypto, whatever its type says.
  const subtle = globalThis.crypto?.subtle as SubtleCrypto | undefined;
  if (subtle) return new Uint8Array(await subtle.digest('SHA-256', bytes));
  const { sha256 } = await import('@noble/hashes/sha2.js');
  return sha256(bytes);
}
