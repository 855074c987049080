/**
 * What a page needs is asked for as soon as its address is known, beside the shell instead of after it: its chunks
 * (the charts among them), their styles and its recording. Contract: a page names what it loads anyway, with low
 * priority, so that the shell's own files come first; a page that has no figures asks for no charts.
 */
import type { IndexHtmlTransformContext, Plugin } from 'vite';
import { closure, pageOf } from './page-weight.ts';
import { chunksOf } from './vite-weight.ts';

/** Files of the build by page, each without what the shell brings. */
function filesByPage(bundle: NonNullable<IndexHtmlTransformContext['bundle']>) {
  const chunks = chunksOf(bundle);
  const shell = closure(
    chunks,
    chunks.filter(({ entry }) => entry === 'index.html').map(({ file }) => file),
  );
  const recordings = new Map(
    Object.values(bundle).flatMap((output) =>
      output.type === 'asset'
        ? output.originalFileNames.flatMap((path) => {
            const name = /app\/recorded\/([a-z]+)\.json$/.exec(path)?.[1];
            return name === undefined ? [] : [[name, output.fileName] as const];
          })
        : [],
    ),
  );
  return new Map(
    chunks.flatMap(({ file, entry }) => {
      const page = pageOf(entry);
      if (page === undefined) return [];
      const recording = recordings.get(page);
      const files = [...closure(chunks, [file])].filter((own) => !shell.has(own));
      return [[page, recording === undefined ? files : [...files, recording]] as const];
    }),
  );
}

/** Runs in the page's head: no module, nothing that a browser of the last years does not have. */
function askFor(files: readonly string[], pages: Record<string, readonly number[]>, first: string) {
  const name = /^#\/([a-z]+)/.exec(location.hash)?.[1] ?? '';
  for (const at of (Object.hasOwn(pages, name) ? pages[name] : pages[first]) ?? []) {
    const file = files[at] ?? '';
    const link = document.createElement('link');
    link.rel = file.endsWith('.js') ? 'modulepreload' : 'preload';
    if (link.rel === 'preload') link.as = file.endsWith('.css') ? 'style' : 'fetch';
    link.crossOrigin = '';
    link.fetchPriority = 'low';
    link.href = `./${file}`;
    document.head.append(link);
  }
}

/** @param first the page of an address that names none */
export function earlyChunks(first: string): Plugin {
  return {
    name: 'early-chunks',
    apply: 'build',
    transformIndexHtml: {
      order: 'post',
      handler(_html, { bundle }) {
        if (bundle === undefined) return [];
        const byPage = filesByPage(bundle);
        const files = [...new Set([...byPage.values()].flat())];
        const pages = Object.fromEntries(
          [...byPage].map(([page, own]) => [page, own.map((file) => files.indexOf(file))]),
        );
        const args = [files, pages, first].map((value) => JSON.stringify(value)).join();
        return [
          { tag: 'script', children: `(${askFor.toString()})(${args})`, injectTo: 'head-prepend' },
        ];
      },
    },
  };
}
