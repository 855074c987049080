/**
 * The site's build. Contract: everything is self-hosted and every address is relative, so that `dist`
 * works under any path; dev and preview servers send the two headers that make the page cross-origin
 * isolated (shared memory, hence wasm threads). A host that cannot send them still runs the lab, on
 * one thread.
 */
import react from '@vitejs/plugin-react';
import { defaultClientConditions, defineConfig } from 'vite';
import { shipModels } from './scripts/vite-models.ts';

const ISOLATION_HEADERS = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

export default defineConfig({
  base: './',
  plugins: [react(), shipModels(new URL('models/', import.meta.url))],
  resolve: {
    // The bundles of onnxruntime-web without wasm glue inside: the glue is fetched beside the wasm.
    conditions: ['onnxruntime-web-use-extern-wasm', ...defaultClientConditions],
  },
  worker: { format: 'es' },
  server: { headers: ISOLATION_HEADERS },
  preview: { headers: ISOLATION_HEADERS },
  build: { target: 'es2023' },
});
