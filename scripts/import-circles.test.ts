/** No file of src/ or app/ imports itself through others, types included. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import ts from 'typescript';
import { expect, test } from 'vitest';

/** Files by path, each with the paths that it imports. */
type Graph = ReadonlyMap<string, readonly string[]>;

function graphOf(files: ReadonlyMap<string, string>): Graph {
  const target = (from: string, name: string) => {
    const path = join(dirname(from), name);
    return [path, `${path}.ts`, `${path}.tsx`, `${path}/index.ts`, `${path}/index.tsx`].find(
      (one) => files.has(one),
    );
  };
  return new Map(
    Array.from(files, ([path, text]) => [
      path,
      ts
        .preProcessFile(text)
        .importedFiles.filter(({ fileName }) => fileName.startsWith('.'))
        .flatMap(({ fileName }) => target(path, fileName) ?? []),
    ]),
  );
}

/** One circle per group of files that import each other, as the way around: a, b, ..., a. */
function circlesIn(graph: Graph): string[][] {
  const circles: string[][] = [];
  const done = new Set<string>();
  const way: string[] = [];
  const visit = (file: string) => {
    const at = way.indexOf(file);
    if (at >= 0) circles.push([...way.slice(at), file]);
    if (at >= 0 || done.has(file)) return;
    way.push(file);
    for (const next of graph.get(file) ?? []) visit(next);
    way.pop();
    done.add(file);
  };
  for (const file of graph.keys()) visit(file);
  return circles;
}

function filesUnder(folder: string): [string, string][] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => join(folder, name))
    .map((path) => [path, readFileSync(path, 'utf8')]);
}

test('no import circles', () => {
  const graph = graphOf(new Map([...filesUnder('src'), ...filesUnder('app')]));
  expect(graph.get('app/shell/App.tsx')).toContain('app/experiments/pages.ts');
  expect(circlesIn(graph)).toEqual([]);
});

test('a circle is found, through type imports too', () => {
  const files = new Map([
    ['src/a.ts', "import { b } from './b';"],
    ['src/b.ts', "export type { C } from './c';\nimport './d';"],
    ['src/c.ts', "import type { A } from './a';"],
    ['src/d.ts', ''],
  ]);
  expect(circlesIn(graphOf(files))).toEqual([['src/a.ts', 'src/b.ts', 'src/c.ts', 'src/a.ts']]);
});
