/** The table of what the page weighs, over builds made up for it. */
import { describe, expect, test } from 'vitest';
import {
  closure,
  overBudget,
  partsOf,
  waste,
  weighed,
  weightTable,
  type Chunk,
} from './page-weight';

const chunk = (file: string, more: Partial<Chunk> = {}): Chunk => ({
  ...{ file, entry: null, imports: [], later: [], css: [], modules: [] },
  ...more,
});

const SITE: Chunk[] = [
  chunk('assets/index.js', {
    entry: 'index.html',
    imports: ['assets/react.js'],
    later: ['assets/variance.js'],
    css: ['assets/index.css'],
    modules: ['app/main.tsx'],
  }),
  chunk('assets/react.js', { modules: ['node_modules/react/index.js'] }),
  chunk('assets/plot.js', {
    imports: ['assets/react.js'],
    modules: ['app/charts/Plot.tsx', 'node_modules/recharts/es6/index.js'],
  }),
  chunk('assets/variance.js', {
    entry: 'app/experiments/variance/index.tsx',
    imports: ['assets/plot.js', 'assets/react.js', 'assets/words.js'],
    modules: ['app/experiments/variance/index.tsx', 'app/charts/HeatMap.tsx'],
  }),
  chunk('assets/words.js'),
  chunk('assets/katex.js', { modules: ['node_modules/katex/dist/katex.mjs'] }),
  chunk('assets/worker-1.js', { entry: 'src/engine/lab/worker.ts' }),
  chunk('assets/worker-2.js', { entry: 'src/engine/trainer/worker.ts' }),
  chunk('assets/worker-3.js', { entry: 'src/engine/sampler/worker.ts' }),
  chunk('assets/ort.jspi.min.js', {
    modules: ['node_modules/onnxruntime-web/dist/ort.jspi.min.mjs'],
  }),
];

const FILES = [
  'index.html',
  'assets/index.css',
  ...SITE.map(({ file }) => file),
  'assets/ort-wasm-simd-threaded-DcHrbrbl.wasm',
  'assets/ort-wasm-simd-threaded.jspi-DcHrb_-l.wasm',
  'assets/ort-wasm-simd-threaded.jspi-DcHrbrbl.mjs',
  'assets/ort-wasm-simd-threaded.asyncify-DcHrbrbl.wasm',
  'assets/KaTeX_Main-Regular-ypZvNtVU.woff2',
];

const part = (name: string) => partsOf(SITE, FILES).find((each) => each.name.startsWith(name));

/** A thousand bytes each. */
const kilobyteEach = new Map(FILES.map((file) => [file, 1000]));

describe('parts', () => {
  test('a file brings what it imports and its stylesheets, and not what it may load later', () => {
    expect([...closure(SITE, ['assets/index.js'])].sort()).toEqual([
      'assets/index.css',
      'assets/index.js',
      'assets/react.js',
    ]);
  });

  test('each is without what an earlier one has brought', () => {
    expect(part('Shell')?.files).toHaveLength(4);
    expect(part('Charts')?.files).toEqual(['assets/plot.js']);
    expect(part('Page: variance')?.files).toEqual(['assets/variance.js', 'assets/words.js']);
    expect(part('Engine')?.files).toEqual(['assets/worker-1.js']);
  });

  test('builds of onnxruntime are told apart', () => {
    expect(part('onnxruntime: WebAssembly')?.files).toEqual([
      'assets/ort-wasm-simd-threaded-DcHrbrbl.wasm',
    ]);
    expect(part('onnxruntime: WebGPU, JSPI')?.files).toEqual([
      'assets/ort-wasm-simd-threaded.jspi-DcHrb_-l.wasm',
      'assets/ort-wasm-simd-threaded.jspi-DcHrbrbl.mjs',
      'assets/ort.jspi.min.js',
    ]);
  });
});

test('a part over its budget, or gone, is a sentence', () => {
  expect(overBudget(weighed(partsOf(SITE, FILES), kilobyteEach))).toEqual([]);
  const heavy = new Map(kilobyteEach).set('assets/react.js', 156_500);
  expect(overBudget(weighed(partsOf(SITE, FILES), heavy))).toEqual([
    expect.stringMatching(
      /^Shell: first paint, before any chart: 159\.5 kB after gzip; its budget is 158 kB/,
    ),
  ]);
  const fewer = SITE.filter(({ entry }) => entry !== 'src/engine/lab/worker.ts');
  expect(overBudget(weighed(partsOf(fewer, FILES), kilobyteEach))).toEqual([
    expect.stringMatching(/^Engine \(worker\): no file of the build belongs to it/),
  ]);
});

test('what the shell does not need, what nobody names, and old fonts are told', () => {
  const texts = new Map([['index.html', FILES.join('\n')]]);
  expect(waste(SITE, texts, FILES)).toEqual([]);
  const eager = SITE.map((each) =>
    each.entry === 'index.html' ? { ...each, imports: ['assets/plot.js'] } : each,
  );
  expect(waste(eager, texts, FILES)).toEqual([
    'recharts is loaded before the first paint, in assets/plot.js; import it later.',
  ]);
  expect(waste(SITE, texts, [...FILES, 'assets/left-over.json'])).toEqual([
    'assets/left-over.json is shipped, but nothing names it.',
  ]);
  const named = new Map([['index.html', `${FILES.join('\n')} old.ttf`]]);
  expect(waste(SITE, named, [...FILES, 'assets/old.ttf'])).toEqual([
    'assets/old.ttf: fonts are shipped as woff2 only.',
  ]);
});

test('the table is Markdown', () => {
  const [head, rule, first] = weightTable(weighed(partsOf(SITE, FILES), kilobyteEach)).split('\n');
  expect(head).toMatch(/^\| part +\| kB, gzip \| budget \|$/);
  expect(rule).toMatch(/^\| -+ \| -+: \| -+: \|$/);
  expect(first).toMatch(/^\| Shell: first paint, before any chart +\| +4 \| +158 \|$/);
});
