/**
 * The site's build. Contract: everything is self-hosted and every address is relative, so that `dist`
 * works under any path and needs no header of a host.
 */
import react from '@vitejs/plugin-react';
import { defaultClientConditions, defineConfig } from 'vite';
import { FIRST_PAGE } from './src/experiments/manifest/index.ts';
import { language } from './scripts/vite-language.ts';
import { earlyChunks } from './scripts/vite-early.ts';
import { shipModels } from './scripts/vite-models.ts';
import { pageWeight, woff2Only } from './scripts/vite-weight.ts';

const weight = pageWeight();

/** recharts and what only it uses. */
const CHARTS =
  /node_modules\/(recharts|victory-vendor|d3-[a-z]+|internmap|@reduxjs|react-redux|reselect|immer|es-toolkit|eventemitter3|decimal\.js-light|tiny-invariant|clsx)\//;

/** What pages of figures share, in one file instead of a dozen; not what pages without figures have of it. */
const FIGURES = /\/app\/(charts|figures)\/(?!shapes|OverlayLegend)/;

/** What the shell and the charts both need. */
const SHELL = /node_modules\/(react|react-dom|scheduler|zustand|use-sync-external-store)\//;

export default defineConfig({
  base: './',
  plugins: [
    language(),
    react(),
    woff2Only(),
    shipModels(new URL('models/', import.meta.url)),
    earlyChunks(FIRST_PAGE),
    weight.ofPage,
  ],
  resolve: {
    // The bundles of onnxruntime-web without wasm glue inside: the glue is fetched beside the wasm.
    conditions: ['onnxruntime-web-use-extern-wasm', ...defaultClientConditions],
  },
  worker: { format: 'es', plugins: () => [weight.ofWorkers()] },
  build: {
    target: 'es2023',
    rolldownOptions: {
      // One chunk for the library that draws; pages name it, and it loads beside the engine.
      output: {
        codeSplitting: {
          groups: [
            // First, because a group takes with it what it needs.
            { name: 'shell', test: SHELL, priority: 2 },
            { name: 'charts', test: CHARTS, priority: 1 },
            // What every page of figures needs, in one file instead of a dozen small ones.
            { name: 'figures', test: FIGURES, includeDependenciesRecursively: false },
          ],
        },
      },
    },
  },
});
