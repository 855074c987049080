/**
 * What the page weighs: which files a part of the site is made of, its size after gzip, and the budget it must keep.
 * Contract: pure but for `gzipSizes`; `vite-weight.ts` feeds it what a build put out and fails the build where this
 * finds something. Every budget is declared here.
 */
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

/** One JavaScript file of a build. */
export interface Chunk {
  file: string;
  /** the module that it is the entry of, as a path below the project */
  entry: string | null;
  /** files that are loaded with it, and those that it may load later */
  imports: string[];
  later: string[];
  /** stylesheets that come with it */
  css: string[];
  /** paths of its modules below the project */
  modules: string[];
}

export interface Part {
  name: string;
  /** kB after gzip, of 1,000 bytes */
  budget: number;
  /** files of the build that the part is made of */
  files: string[];
}

const kilobytes = (bytes: number) => bytes / 1000;

/** The file, what it imports, and so on, with their stylesheets. */
export function closure(chunks: readonly Chunk[], files: readonly string[]): Set<string> {
  const byFile = new Map(chunks.map((chunk) => [chunk.file, chunk]));
  const found = new Set<string>();
  const visit = (file: string) => {
    if (found.has(file)) return;
    found.add(file);
    const chunk = byFile.get(file);
    chunk?.css.forEach((sheet) => found.add(sheet));
    chunk?.imports.forEach(visit);
  };
  files.forEach(visit);
  return found;
}

const without = (files: Iterable<string>, ...others: Set<string>[]) =>
  [...files].filter((file) => !others.some((other) => other.has(file)));

const PAGE = /^app\/experiments\/([a-z]+)\/index\.tsx$/;

/** The page that a chunk is the entry of. */
export const pageOf = (entry: string | null) => PAGE.exec(entry ?? '')?.[1];

/** What is heavy and comes after the first paint, if at all. */
const NEVER_IN_SHELL = ['recharts', 'katex', 'onnxruntime-web', '@jax-js/', 'onnx-buf', '@zip.js/'];

const holds = (pattern: RegExp) => (chunk: Chunk) => chunk.modules.some((id) => pattern.test(id));

/**
 * The parts of the site, each without what an earlier one has brought.
 * @param files every file of the build
 */
export function partsOf(chunks: readonly Chunk[], files: readonly string[]): Part[] {
  const entry = (module: string) =>
    chunks.filter((chunk) => chunk.entry === module).map(({ file }) => file);
  const chunksWith = (pattern: RegExp) => chunks.filter(holds(pattern)).map(({ file }) => file);
  const assets = (pattern: RegExp) => files.filter((file) => pattern.test(file));
  const shell = closure(chunks, [...entry('index.html'), ...assets(/^index\.html$/)]);
  // A mark that one page alone draws with lies in that page's own file.
  const drawing = chunks.filter(
    (chunk) =>
      pageOf(chunk.entry) === undefined && holds(/^app\/charts\/|^node_modules\/recharts\//)(chunk),
  );
  const charts = closure(
    chunks,
    drawing.map(({ file }) => file),
  );
  const formulas = closure(chunks, chunksWith(/^node_modules\/katex\//));
  const pages = chunks.flatMap((chunk) => {
    const name = pageOf(chunk.entry);
    if (name === undefined) return [];
    const own = without(closure(chunks, [chunk.file]), shell, charts, formulas);
    return [{ name: `Page: ${name}`, files: own }];
  });
  const ort = (build: string, glue: string) => [
    ...assets(new RegExp(`^assets/ort-wasm-simd-threaded${build}-[\\w-]{8}\\.(mjs|wasm)$`)),
    ...chunksWith(new RegExp(`onnxruntime-web/dist/ort\\.${glue}\\.min\\.mjs$`)),
  ];
  const unique = (list: string[]) => [...new Set(list)];
  return [
    // 8 kB of it are Lingui and its marks: every sentence of the shell has an id, and English needs no catalog.
    { name: 'Shell: first paint, before any chart', budget: 158, files: [...shell] },
    { name: 'Charts', budget: 170, files: without(charts, shell) },
    { name: 'Formulas (KaTeX)', budget: 90, files: without(formulas, shell, charts) },
    ...pages.map((page) => ({ ...page, budget: 70 })),
    {
      name: 'Engine (worker)',
      budget: 255,
      files: unique([...closure(chunks, entry('src/engine/lab/worker.ts'))]),
    },
    {
      name: 'Sampling thread (worker)',
      budget: 120,
      files: unique([...closure(chunks, entry('src/engine/sampler/worker.ts'))]),
    },
    {
      name: 'Trainer (worker)',
      budget: 230,
      files: unique([...closure(chunks, entry('src/engine/trainer/worker.ts'))]),
    },
    { name: 'onnxruntime: WebAssembly', budget: 3800, files: unique(ort('', 'wasm')) },
    { name: 'onnxruntime: WebGPU, JSPI', budget: 4300, files: unique(ort('\\.jspi', 'jspi')) },
    {
      name: 'onnxruntime: WebGPU, asyncify',
      budget: 6900,
      files: unique(ort('\\.asyncify', 'webgpu')),
    },
    { name: 'Fonts of formulas (each when used)', budget: 320, files: assets(/\.woff2$/) },
  ];
}

/** Sentences about what the shell loads and does not need, and about files that nothing names. */
export function waste(
  chunks: readonly Chunk[],
  texts: ReadonlyMap<string, string>,
  files: readonly string[],
): string[] {
  const start = chunks.filter(({ entry }) => entry === 'index.html').map(({ file }) => file);
  const shell = closure(chunks, start);
  const heavy = chunks
    .filter(({ file }) => shell.has(file))
    .flatMap(({ file, modules }) =>
      NEVER_IN_SHELL.filter((name) =>
        modules.some((id) => id.startsWith(`node_modules/${name}`)),
      ).map((name) => `${name} is loaded before the first paint, in ${file}; import it later.`),
    );
  const all = [...texts.values()].join('\n');
  const unnamed = files
    .filter((file) => file.startsWith('assets/'))
    .filter((file) => !all.includes(file.slice('assets/'.length)))
    .map((file) => `${file} is shipped, but nothing names it.`);
  const fonts = files
    .filter((file) => /\.(woff|ttf)$/.test(file))
    .map((file) => `${file}: fonts are shipped as woff2 only.`);
  return [...heavy, ...unnamed, ...fonts];
}

/** Bytes after gzip, as a server sends them, by file. */
export async function gzipSizes(
  folder: URL,
  files: readonly string[],
): Promise<Map<string, number>> {
  const compress = promisify(gzip);
  const sizes = await Promise.all(
    files.map(async (file): Promise<[string, number]> => {
      const bytes = await readFile(new URL(file, folder));
      // Fonts are compressed already.
      return [file, file.endsWith('.woff2') ? bytes.length : (await compress(bytes)).length];
    }),
  );
  return new Map(sizes);
}

export interface Weighed extends Part {
  /** kB after gzip */
  size: number;
}

export function weighed(parts: readonly Part[], sizes: ReadonlyMap<string, number>): Weighed[] {
  return parts.map((part) => {
    const bytes = part.files.reduce((sum, file) => sum + (sizes.get(file) ?? 0), 0);
    return { ...part, size: kilobytes(bytes) };
  });
}

/** A sentence for each part that weighs too much, or that the build no longer has. */
export function overBudget(parts: readonly Weighed[]): string[] {
  return parts.flatMap(({ name, budget, size, files }) => {
    if (files.length === 0) {
      return [
        `${name}: no file of the build belongs to it; scripts/page-weight.ts says what should.`,
      ];
    }
    if (size <= budget) return [];
    return [
      `${name}: ${size.toFixed(1)} kB after gzip; its budget is ${budget} kB (scripts/page-weight.ts). ` +
        'Load less there, or later; raise the budget only for what the page needs.',
    ];
  });
}

/** As Markdown, for the console and for the README. */
export function weightTable(parts: readonly Weighed[]): string {
  const rows = parts.map(({ name, size, budget }) => [
    name,
    size.toLocaleString('en', { maximumFractionDigits: size < 100 ? 1 : 0 }),
    budget.toLocaleString('en'),
  ]);
  const all = [['part', 'kB, gzip', 'budget'], ...rows];
  const widths = [0, 1, 2].map((i) => Math.max(...all.map((row) => row[i]?.length ?? 0)));
  const line = (row: string[]) =>
    `| ${row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join(' | ')} |`;
  const rule = `| ${widths.map((width, i) => (i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`;
  return [line(all[0] ?? []), rule, ...rows.map(line)].join('\n');
}
