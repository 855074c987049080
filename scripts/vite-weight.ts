/**
 * Weighs the built site, prints the table, and fails the build where a part is over its budget or something is
 * shipped that no page uses (`page-weight.ts`). Workers are builds of their own: `ofWorkers` goes into
 * `worker.plugins`, `ofPage` into `plugins`, and both note their chunks in one place.
 */
import { readdir, readFile } from 'node:fs/promises';
import { relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Plugin, Rollup } from 'vite';
import {
  gzipSizes,
  overBudget,
  partsOf,
  waste,
  weighed,
  weightTable,
  type Chunk,
} from './page-weight.ts';

const ROOT = fileURLToPath(new URL('../', import.meta.url));

/** A module's path below the project, without a query. */
const within = (id: string) => relative(ROOT, id.replace(/^\0/, '').split('?')[0] ?? id);

export function chunksOf(bundle: Rollup.OutputBundle): Chunk[] {
  return Object.values(bundle).flatMap((output): Chunk[] => {
    if (output.type !== 'chunk') return [];
    const { fileName, facadeModuleId, imports, dynamicImports, moduleIds } = output;
    return [
      {
        file: fileName,
        entry: facadeModuleId ? within(facadeModuleId) : null,
        imports,
        later: dynamicImports,
        css: [...(output.viteMetadata?.importedCss ?? [])],
        modules: moduleIds.map(within),
      },
    ];
  });
}

/** Only the fonts' woff2, which every browser of the lab reads; KaTeX lists two more formats of each. */
export function woff2Only(): Plugin {
  return {
    name: 'woff2-only',
    enforce: 'pre',
    transform(code, id) {
      if (!/[\\/]katex[\\/]dist[\\/]katex.*\.css/.test(id)) return null;
      return code.replace(/,\s*url\([^)]*\.(?:woff|ttf)\)\s*format\("[a-z]+"\)/g, '');
    },
  };
}

export function pageWeight(): { ofPage: Plugin; ofWorkers: () => Plugin } {
  const chunks = new Map<string, Chunk>();
  const note = (bundle: Rollup.OutputBundle) => {
    for (const chunk of chunksOf(bundle)) chunks.set(chunk.file, chunk);
  };
  const ofWorkers = (): Plugin => ({
    name: 'weigh-workers',
    apply: 'build',
    generateBundle: (_, bundle) => note(bundle),
  });
  const ofPage: Plugin = {
    name: 'weigh-page',
    apply: 'build',
    generateBundle: (_, bundle) => note(bundle),
    async writeBundle({ dir }) {
      if (dir === undefined) return;
      const folder = pathToFileURL(`${dir}/`);
      const all = await readdir(folder, { recursive: true });
      const files = all.filter((file) => /^assets[\\/]|^index\.html$/.test(file));
      const texts = new Map<string, string>();
      for (const file of files.filter((name) => /\.(js|mjs|css|html)$/.test(name))) {
        texts.set(file, await readFile(new URL(file, folder), 'utf8'));
      }
      const known = [...chunks.values()];
      const parts = weighed(partsOf(known, files), await gzipSizes(folder, files));
      console.log(`\n${weightTable(parts)}\n`);
      const problems = [...overBudget(parts), ...waste(known, texts, files)];
      if (problems.length > 0) this.error(problems.join('\n'));
    },
  };
  return { ofPage, ofWorkers };
}
