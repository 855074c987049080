/** Where the bundler put onnxruntime-web's files. Only for code that Vite builds. */
import asyncifyMjs from 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.mjs?url';
import asyncifyWasm from 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm?url';
import jspiMjs from 'onnxruntime-web/ort-wasm-simd-threaded.jspi.mjs?url';
import jspiWasm from 'onnxruntime-web/ort-wasm-simd-threaded.jspi.wasm?url';
import wasmMjs from 'onnxruntime-web/ort-wasm-simd-threaded.mjs?url';
import wasmWasm from 'onnxruntime-web/ort-wasm-simd-threaded.wasm?url';
import type { OrtAssets } from '../policy/runtime';

const absolute = (url: string) => new URL(url, import.meta.url).href;

export const SITE_ASSETS: OrtAssets = {
  jspi: { mjs: absolute(jspiMjs), wasm: absolute(jspiWasm) },
  asyncify: { mjs: absolute(asyncifyMjs), wasm: absolute(asyncifyWasm) },
  wasm: { mjs: absolute(wasmMjs), wasm: absolute(wasmWasm) },
};
