/** onnxruntime-web's files and the models folder, for code that runs in Node instead of a browser. */
import { readFile } from 'node:fs/promises';
import { FetchError, type FileSource } from '../../src/policy/fetch';
import type { OrtAssets } from '../../src/policy/runtime';

export const ROOT = new URL('../../', import.meta.url);

const runtimeFile = (name: string) =>
  new URL(`node_modules/onnxruntime-web/dist/${name}`, ROOT).href;

const files = (build: string) => ({
  mjs: runtimeFile(`ort-wasm-simd-threaded${build}.mjs`),
  wasm: runtimeFile(`ort-wasm-simd-threaded${build}.wasm`),
});

export const NODE_ASSETS: OrtAssets = {
  jspi: files('.jspi'),
  asyncify: files('.asyncify'),
  wasm: files(''),
};

/** Reads below `models/` of this checkout. */
export const localFiles: FileSource = async (path) => {
  try {
    return new Uint8Array(await readFile(new URL(`models/${path}`, ROOT)));
  } catch (cause) {
    throw new FetchError(`models/${path} could not be read.`, { cause });
  }
};
