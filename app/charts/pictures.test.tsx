// @vitest-environment happy-dom
/**
 * Each kind of figure and each mark of ours as a picture from fixed data, against the one that is stored: which
 * elements, where, in which colours. What a library gives out anew each time (ids) is left out. Stored pictures
 * are renewed by `npx vitest run --project node app/charts/pictures.test.tsx -u`, and looked at before they are kept.
 */
import { act, type ReactNode } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { BinBars } from './BinBars';
import { CurveLegend, Curves } from './Curves';
import { ErrorBars, type MarkSeries } from './ErrorBars';
import { HeatMap } from './HeatMap';
import { ALONG_X } from './interaction';
import { Legend } from './Legend';
import { StepHistogram } from './marks/StepHistogram';
import { Waterfall } from './marks/Waterfall';
import { Plot } from './Plot';
import { PointCloud } from './PointCloud';
import { Rows } from './Rows';
import { linearScale, logScale, percentScale } from './scale';
import { overlayLook } from './shapes';

const WIDTH = 480;

let root: Root | null = null;
const canvasCalls: string[] = [];

beforeAll(() => {
  vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true);
  vi.stubGlobal(
    'ResizeObserver',
    class {
      observe() {}
      disconnect() {}
    },
  );
  // No layout here: everything is as wide as this.
  HTMLElement.prototype.getBoundingClientRect = () => new DOMRect(0, 0, WIDTH, 300);
  // A canvas that writes down what is drawn on it.
  class Path {
    parts: string[] = [];
    constructor(private readonly d = '') {}
    addPath(mark: Path, at: { e: number; f: number }) {
      this.parts.push(`${mark.d.slice(0, 12)}… at ${at.e.toFixed(1)} ${at.f.toFixed(1)}`);
    }
  }
  vi.stubGlobal('Path2D', Path);
  vi.stubGlobal(
    'DOMMatrix',
    class {
      e: number;
      f: number;
      constructor(of: number[]) {
        this.e = of[4] as number;
        this.f = of[5] as number;
      }
    },
  );
  HTMLCanvasElement.prototype.getContext = (() => ({
    scale() {},
    fill: (path: Path) => canvasCalls.push(`fill ${path.parts.length}: ${path.parts[0]}`),
    stroke: (path: Path) => canvasCalls.push(`stroke ${path.parts.length}: ${path.parts[0]}`),
  })) as never;
});

afterEach(async () => {
  await act(async () => root?.unmount());
  root = null;
  canvasCalls.length = 0;
});

async function mounted(picture: ReactNode): Promise<HTMLElement> {
  const place = document.body.appendChild(document.createElement('div'));
  root = createRoot(place);
  await act(async () => root?.render(picture));
  // recharts tells its parts of one another in the frame after.
  await act(() => new Promise((done) => setTimeout(done, 60)));
  return place;
}

/** Structure and places, a line for each element: numbers to a tenth of a px, no ids, nothing empty. */
function pictureOf(place: HTMLElement): string {
  const ids = new Map<string, string>();
  const stable = (value: string) =>
    value
      .replace(/recharts(?!-zIndex)[-\w«»:]*\d[-\w«»:]*|_r_\w+_|:r\w+:/g, (id) => {
        if (!ids.has(id)) ids.set(id, `id${ids.size + 1}`);
        return ids.get(id) ?? id;
      })
      .replace(/-?\d+\.\d{2,}/g, (number) => String(Number(Number(number).toFixed(1))));
  const lines: string[] = [];
  const walk = (element: Element, depth: number) => {
    const name = element.localName;
    if (name === 'title' || name === 'desc') return;
    const attributes = [...element.attributes]
      .filter(({ name: own }) => !/^(tabindex|xmlns|style|data-recharts.*)$/.test(own))
      .map(({ name: own, value }) => ` ${own}="${stable(value).replaceAll('"', '&quot;')}"`);
    const indent = '  '.repeat(depth);
    const drawn = [...element.children].filter(
      ({ localName, childNodes }) => localName !== 'g' || childNodes.length > 0,
    );
    if (drawn.length === 0) {
      const text = (element.textContent ?? '').replace(/&/g, '&amp;').replace(/</g, '&lt;');
      lines.push(`${indent}<${name}${attributes.join('')}>${text}</${name}>`);
      return;
    }
    lines.push(`${indent}<${name}${attributes.join('')}>`);
    for (const child of drawn) walk(child, depth + 1);
    lines.push(`${indent}</${name}>`);
  };
  for (const svg of place.querySelectorAll('svg')) walk(svg, 0);
  return `${lines.join('\n')}\n`;
}

const stored = (name: string) => `./pictures/${name}.svg`;

const lengths = logScale([1, 100]);
const variances = logScale([1e-4, 0.1]);

const series = (own: Partial<MarkSeries>): MarkSeries => ({
  id: 'measured',
  colour: '--weight-sequence',
  shape: 'circle',
  marks: [
    { x: 2, y: 0.02, interval: [0.01, 0.05] },
    { x: 10, y: 0.004, interval: [0.000_001, 0.006], hollow: true },
    { x: 50, y: 0, interval: null },
  ],
  describe: (i) => ({ head: `mark ${i}`, rows: [['value', String(i)]] }),
  ...own,
});

const KINDS: Record<string, ReactNode> = {
  'error-bars': (
    <ErrorBars
      label="Variance by length"
      x={lengths}
      y={variances}
      height={240}
      series={[
        series({
          id: 'laid over',
          overlay: '7 3',
          shape: 'wedge',
          colour: '--overlay-1',
          dodge: 5,
        }),
        series({}),
      ]}
      lines={[
        {
          id: 'law',
          kind: 'prediction',
          points: [
            [1, 0.05],
            [100, 0.0005],
          ],
        },
        {
          id: 'fit',
          kind: 'fit',
          colour: '--weight-sequence',
          points: [
            [1, 0.06],
            [100, 0.0004],
          ],
        },
      ]}
      bands={[
        {
          id: 'band',
          points: [
            [1, 0.04, 0.06],
            [100, 0.0004, 0.0006],
          ],
        },
      ]}
      rules={[
        { along: 'x', at: 20, label: 'window' },
        { along: 'y', at: 0.01, label: '', kind: 'prediction' },
      ]}
    />
  ),
  curves: (
    <Curves
      label="Share clipped"
      x={logScale([1e-4, 1], 5)}
      y={percentScale(0.4)}
      xLabel="ε"
      yLabel="share"
      height={240}
      level={0.1}
      marks={[
        { value: 3e-4, label: 'GSPO 3e-4', colour: '--series-gspo' },
        { value: 4e-4, label: 'GSPO-token 4e-4' },
      ]}
      curves={[
        {
          name: 'predicted',
          colour: '--series-gspo',
          kind: 'line',
          x: [1e-3, 0.01, 0.1],
          y: [0.3, 0.2, 0],
        },
        {
          name: 'rival',
          colour: '--series-grpo',
          kind: 'dashed',
          faint: true,
          x: [1e-3, 0.1],
          y: [0.35, 0.1],
        },
        {
          name: 'measured',
          colour: '--series-gspo',
          kind: 'points',
          shape: 'square',
          x: [1e-3, 0.01, 0.1],
          y: [0.31, 0.19, Number.NaN],
          interval: [[0.29, 0.36], null, null],
        },
        {
          name: 'a kept run',
          colour: '--overlay-2',
          kind: 'points',
          overlay: overlayLook(1),
          x: [1e-3, 0.01],
          y: [0.28, 0.17],
        },
      ]}
      showX={String}
      showY={String}
    />
  ),
  cloud: (
    <PointCloud
      label="One form against another"
      clouds={[
        {
          colour: '--form-perplexity',
          shape: 'square',
          x: [0.98, 1, 1.02, Number.NaN],
          y: [0.98, 1, 1.02, 1],
        },
      ]}
      laid={[
        {
          id: 'kept',
          label: 'kept',
          look: overlayLook(0),
          x: [0.99],
          y: [1.01],
          describe: () => null,
        },
      ]}
      x={linearScale([0.97, 1.03], 5)}
      y={linearScale([0.97, 1.03], 5)}
      xLabel="s"
      yLabel="s"
      height={220}
      recorded={false}
      diagonal
      describe={() => null}
      lines={[
        {
          id: 'curve',
          kind: 'prediction',
          points: [
            [0.98, 0.985],
            [1.02, 1.01],
          ],
        },
      ]}
    />
  ),
  rows: (
    <Rows
      label="Shares"
      x={percentScale()}
      xLabel="share"
      show={String}
      marks={[{ value: 0.5, label: 'half' }]}
      rows={[
        {
          name: 'GSPO',
          marks: [
            {
              name: 'measured',
              value: 0.4,
              shape: 'circle',
              colour: '--series-gspo',
              interval: [0.3, 2],
            },
            { name: 'predicted', value: 0.45, shape: 'stroke', colour: '--ink' },
          ],
          range: { colour: '--series-gspo', dashed: true },
          laid: [
            {
              id: 'kept',
              label: 'kept',
              look: overlayLook(2),
              marks: [{ name: 'measured', value: 0.2, shape: 'circle', colour: '--series-gspo' }],
            },
          ],
        },
        {
          name: 'CISPO',
          note: 'nothing is counted',
          marks: [{ name: 'measured', value: null, shape: 'circle', colour: '--ink' }],
        },
      ]}
    />
  ),
  'heat-map': (
    <HeatMap
      label="Map"
      columns={[0.01, 0.1]}
      rows={[0.01, 0.1, 1]}
      share={(column, row) => (column + row) / 4}
      shareKey="fixed"
      colour="--series-gspo"
      x={logScale([0.0032, 0.32])}
      y={logScale([0.0032, 3.2])}
      xLabel="ε low"
      yLabel="ε high"
      height={220}
      ring={{ x: 0.2, y: 0.1, label: '0.2 / 0.1' }}
      contours={[
        {
          id: 'own',
          kind: 'level',
          points: [
            [0.01, 0.1],
            [0.1, 1],
          ],
        },
      ]}
      describe={() => ({ head: '', rows: [] })}
    />
  ),
  'step-histogram': (
    <Plot label="Histogram" x={linearScale([0, 4])} y={linearScale([0, 10])} height={200}>
      <StepHistogram
        steps={[
          {
            id: 'kept',
            colour: '--overlay-1',
            dash: '7 3',
            bins: [{ from: 0.5, to: 2, count: 3 }],
          },
          ...['--form-geometric', '--form-perplexity', '--form-entropy'].map((colour) => ({
            id: colour,
            colour,
            bins: [
              { from: 0, to: 1, count: 2 },
              { from: 1, to: 2, count: 8 },
              { from: 3, to: 4, count: 1 },
            ],
          })),
        ]}
      />
    </Plot>
  ),
  bars: (
    <Plot label="Bars" x={logScale([0.5, 30])} y={linearScale([-5, 10])} height={200}>
      <BinBars
        bins={[
          { from: 0.5, to: 1.5, count: 4 },
          { from: 1.5, to: 10.5, count: 9 },
          { from: 10.5, to: 20.5, count: 0 },
          { from: 20.5, to: 30, count: -3 },
        ]}
        hatch="--ink-soft"
        gap={1}
      />
    </Plot>
  ),
  waterfall: (
    <Plot
      label="Parts"
      x={linearScale([0, 10])}
      y={linearScale([-0.5, 2.5], 1)}
      height={180}
      grid="x"
      yTicks={false}
    >
      <Waterfall
        steps={[
          { name: 'tokens', share: '120 %', from: 0, to: 6, className: 'part-token', laid: [] },
          {
            name: 'rest',
            share: '−20 %',
            from: 6,
            to: 5,
            className: 'part-rest',
            laid: [{ id: 'kept', look: overlayLook(3), from: 5, to: 5.5 }],
          },
          { name: 'total', share: '100 %', from: 0, to: 5, className: 'part-total', laid: [] },
        ]}
      />
    </Plot>
  ),
  legend: (
    <>
      <Legend
        items={[
          { name: 'measured', mark: 'circle', colour: '--ink' },
          {
            name: 'open',
            mark: 'diamond',
            colour: '--ink',
            hollow: true,
            interval: false,
            times: [3, 3],
          },
          { name: 'predicted', mark: 'stroke', colour: '--ink', interval: false },
          { name: 'law', line: 'rival' },
          { name: 'noise', band: true },
          { name: 'lost', box: 'length-bar-lost' },
        ]}
      />
      <CurveLegend
        entries={[
          { name: 'predicted', colour: '--series-gspo', kind: 'dashed' },
          { name: 'measured', colour: '--series-gspo', kind: 'points', shape: 'square' },
        ]}
      />
    </>
  ),
};

describe('each kind of figure is the picture that is stored', () => {
  for (const [name, picture] of Object.entries(KINDS)) {
    test(name, async () => {
      await expect(pictureOf(await mounted(picture))).toMatchFileSnapshot(stored(name));
    });
  }
});

test('many hundred points are one canvas, every point on it, and no element for each', async () => {
  const x = Array.from({ length: 600 }, (_, i) => i / 600);
  const place = await mounted(
    <PointCloud
      label="Many"
      clouds={[{ colour: '--ink', shape: 'circle', x, y: x }]}
      laid={[
        {
          id: 'kept',
          label: 'kept',
          look: overlayLook(0),
          x: [0.5],
          y: [0.25],
          describe: () => null,
        },
      ]}
      x={linearScale([0, 1])}
      y={linearScale([0, 1])}
      xLabel="x"
      yLabel="y"
      height={220}
      recorded={false}
      describe={() => null}
    />,
  );
  expect(place.querySelectorAll('.plot-mark')).toHaveLength(0);
  expect(place.querySelectorAll('canvas')).toHaveLength(1);
  // Laid over first, so that it stands under the others.
  expect(canvasCalls.slice(-2)).toEqual([
    expect.stringMatching(/^stroke 1: .* at 206\.0 141\.0$/),
    expect.stringMatching(/^fill 600: .* at 0\.0 188\.0$/),
  ]);
});

test('a figure that nobody has seen keeps its room and draws nothing', async () => {
  const { DrawnContext } = await import('./hooks');
  const place = await mounted(
    <DrawnContext value={false}>
      <Plot
        label="Later"
        x={lengths}
        y={variances}
        height={200}
        readable={{ stops: [{ x: 1, y: 1 }], reach: ALONG_X, read: () => null }}
      >
        <g />
      </Plot>
    </DrawnContext>,
  );
  expect(place.querySelector('svg')).toBeNull();
  expect(place.querySelector<HTMLElement>('.plot-canvas')?.style.height).toBe('200px');
});

test('what reads a chart comes with its first reading: ring and box at the stop, gone after it', async () => {
  const place = await mounted(
    <Plot
      label="Read"
      x={linearScale([0, 1])}
      y={linearScale([0, 1])}
      height={200}
      readable={{
        stops: [
          { x: 0.25, y: 0.5 },
          { x: 0.75, y: 0.5 },
        ],
        reach: ALONG_X,
        read: (i) => ({ head: `stop ${i}`, rows: [{ name: 'value', value: '0.5' }] }),
      }}
    >
      <g />
    </Plot>,
  );
  const hit = place.querySelector<HTMLElement>('[role="slider"]');
  const press = async (key: string) => {
    await act(async () => hit?.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true })));
    await act(() => new Promise((done) => setTimeout(done, 60)));
  };
  expect(place.querySelector('.recharts-tooltip-wrapper')).toBeNull();
  await press('End');
  expect(place.querySelector('.tooltip-head')?.textContent).toBe('stop 1');
  // 480 px wide with 48 px at the left and 12 at the right: three quarters of 420.
  expect(place.querySelector('.plot-near')?.getAttribute('cx')).toBe('315');
  await press('ArrowLeft');
  expect(place.querySelector('.tooltip-head')?.textContent).toBe('stop 0');
  expect(place.querySelector('.plot-near')?.getAttribute('cx')).toBe('105');
  await press('Escape');
  expect(place.querySelector('.plot-near')).toBeNull();
  expect(place.querySelector('.plot-tooltip')).toBeNull();
});
