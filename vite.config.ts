/**
 * The site's build. Contract: everything is self-hosted and every address is relative, so that `dist`
 * works under any path and needs no header of a host.
 */
import react from '@vitejs/plugin-react';
import { defaultClientConditions, defineConfig } from 'vite';
import { shipModels } from './scripts/vite-models.ts';
import { pageWeight, woff2Only } from './scripts/vite-weight.ts';

const weight = pageWeight();

export default defineConfig({
  base: './',
  plugins: [react(), woff2Only(), shipModels(new URL('models/', import.meta.url)), weight.ofPage],
  resolve: {
    // The bundles of onnxruntime-web without wasm glue inside: the glue is fetched beside the wasm.
    conditions: ['onnxruntime-web-use-extern-wasm', ...defaultClientConditions],
  },
  worker: { format: 'es', plugins: () => [weight.ofWorkers()] },
  build: { target: 'es2023' },
});
