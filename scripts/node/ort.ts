/** onnxruntime-web's files and the models folder, for code that runs in Node instead of a browser. */
import { readFile } from 'node:fs/promises';
import { FetchError, type FileSource } from '../../src/policy/fetch';
import type { OrtAssets } from '../../src/policy/runtime';

export const ROOT = new URL('../../', import.meta.url);

const runtimeFile = (name: string) =>
  new URL(`node_modules/onnxruntime-web/dist/${name}`, ROOT).href;

export const NODE_ASSETS: OrtAssets = {
  webgpu: {
    mjs: runtimeFile('ort-wasm-simd-threaded.asyncify.mjs'),
    wasm: runtimeFile('ort-wasm-simd-threaded.asyncify.wasm'),
  },
  wasm: {
    mjs: runtimeFile('ort-wasm-simd-threaded.mjs'),
    wasm: runtimeFile('ort-wasm-simd-threaded.wasm'),
  },
};

/** Reads below `models/` of this checkout. */
export const localFiles: FileSource = async (path) => {
  try {
    return new Uint8Array(await readFile(new URL(`models/${path}`, ROOT)));
  } catch (cause) {
    throw new FetchError(`models/${path} could not be read.`, { cause });
  }
};
