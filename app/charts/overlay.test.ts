/** Runs laid over a chart: told apart without colour, labelled, and in the table too. */
import { expect, test } from 'vitest';
import type { Curve } from './Curves';
import type { MarkSeries } from './ErrorBars';
import { overlayCurves, overlaySeries, overlayTable } from './overlay';
import { overlayLook } from './shapes';

const run = (slot: number, result: number[]) => ({
  id: `kept-${slot}`,
  label: `α 1 → ${slot}`,
  look: overlayLook(slot),
  result,
});
const RUNS = [0, 1, 2, 3, 4].map((slot) => run(slot, [slot, slot + 1]));

const series = (values: readonly number[]): MarkSeries[] => [
  {
    id: 'measured',
    colour: '--weight-sequence',
    shape: 'circle',
    marks: values.map((y, x) => ({ x, y, interval: null })),
    describe: (i) => ({ head: `point ${i}`, rows: [] }),
  },
];

test('five runs differ in mark and in dash, not only in colour', () => {
  const drawn = overlaySeries(RUNS, series);
  expect(new Set(drawn.map(({ shape }) => shape)).size).toBe(5);
  expect(new Set(drawn.map(({ overlay }) => overlay)).size).toBe(5);
  expect(new Set(drawn.map(({ dodge }) => dodge)).size).toBe(5);
  expect(drawn.flatMap(({ marks }) => marks).every(({ hollow }) => hollow)).toBe(true);
});

test('a mark says which run it belongs to, and keeps its value', () => {
  const [, second] = overlaySeries(RUNS, series);
  expect(second?.describe(0).head).toBe('α 1 → 1: point 0');
  expect(second?.marks.map(({ y }) => y)).toEqual([1, 2]);
});

test('of curves only the measurements are laid over', () => {
  const build = (values: readonly number[]): Curve[] => [
    { name: 'measured', colour: '--a', kind: 'points', x: [1, 2], y: values },
    { name: 'predicted', colour: '--a', kind: 'line', x: [1, 2], y: values },
  ];
  const drawn = overlayCurves(RUNS, build);
  expect(drawn.map(({ name }) => name)).toEqual(RUNS.map(({ label }) => `${label}: measured`));
  expect(new Set(drawn.map(({ id }) => id)).size).toBe(5);
});

test('the table behind holds every run’s rows, each by its name', () => {
  const rows = (values: readonly number[]) => values.map((value) => [String(value)]);
  const own = { columns: ['value'], rows: [['9']] };
  expect(overlayTable([], own, rows)).toBe(own);
  const both = overlayTable(RUNS.slice(0, 1), own, rows);
  expect(both.columns).toEqual(['run', 'value']);
  expect(both.rows).toEqual([
    ['in view', '9'],
    ['α 1 → 0', '0'],
    ['α 1 → 0', '1'],
  ]);
});
