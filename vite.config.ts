/**
 * The site's build. Contract: everything is self-hosted and every address is relative, so that `dist`
 * works under any path and needs no header of a host.
 */
import react from '@vitejs/plugin-react';
import { defaultClientConditions, defineConfig } from 'vite';
import { shipModels } from './scripts/vite-models.ts';

export default defineConfig({
  base: './',
  plugins: [react(), shipModels(new URL('models/', import.meta.url))],
  resolve: {
    // The bundles of onnxruntime-web without wasm glue inside: the glue is fetched beside the wasm.
    conditions: ['onnxruntime-web-use-extern-wasm', ...defaultClientConditions],
  },
  worker: { format: 'es' },
  build: { target: 'es2023' },
});
