/** Where the bundle finds onnxruntime-web's files and the policies: in folders beside it. */
import { readFile } from 'node:fs/promises';
import type { FileSource } from '../../src/policy/fetch';
import { FetchError } from '../../src/policy/fetch';
import type { OrtAssets } from '../../src/policy/runtime';

const beside = (path: string) => new URL(path, import.meta.url);

const files = (name: string) => ({
  mjs: beside(`ort/ort-wasm-simd-threaded${name}.mjs`).href,
  wasm: beside(`ort/ort-wasm-simd-threaded${name}.wasm`).href,
});

export const SITE_ASSETS: OrtAssets = {
  jspi: files('.jspi'),
  asyncify: files('.asyncify'),
  wasm: files(''),
};

export const modelFiles: FileSource = async (path) => {
  try {
    return new Uint8Array(await readFile(beside(`models/${path}`)));
  } catch (cause) {
    throw new FetchError(`models/${path} could not be read.`, { cause });
  }
};
