import { describe, expect, test } from 'vitest';
import { localFiles } from '../../scripts/node/ort';
import { fetchSeries } from '../../src/training/series';
import { fetchCatalogue } from '../../src/policy/fetch';
import type { StepReport } from '../../src/training/report';
import { cardSeries } from './card-text';
import { BLOCK_COLUMNS, blockRows, curvesSvg, type CardSeries } from './curves';

const report = (step: number, own: Partial<StepReport> = {}): StepReport => ({
  step,
  updates: step,
  reward: 0.5,
  informativeGroups: 1,
  validSteps: 1,
  meanLength: 40,
  finishedShare: 1,
  entropy: 0.1,
  loss: 0,
  gradientNorm: 0.2,
  clip: { trl: 0.01, verl: 0.02 },
  weights: {
    quantiles: [1, 1, 1, 1, 1, 1, 1],
    variance: 1e-4,
    predictedVariance: 1e-4,
    meanLogWeight: 0,
    kl: 0,
  },
  learningRate: 1e-4,
  heldOut: null,
  seconds: { sampling: 1, scoring: 1, gradient: 1, update: 1, evaluation: 0 },
  ...own,
});

const steps = (n: number, at: (step: number) => Partial<StepReport> = () => ({})) =>
  Array.from({ length: n }, (_, i) => report(i + 1, at(i + 1)));

/** The y of every point of a path, in the order of its steps. */
const heights = (d: string) => [...d.matchAll(/[ML]\S+ ([\d.]+)/g)].map(([, y]) => Number(y));

/** Paths of one panel, found by its title. */
function linesOf(svg: string, title: string): string[] {
  const from = svg.indexOf(`>${title}</text>`);
  const next = svg.indexOf('class="title"', from);
  const panel = svg.slice(from, next === -1 ? undefined : next);
  return [...panel.matchAll(/<path class="line[^"]*" d="([^"]+)"/g)].map(([, d]) => d);
}

describe('tables of block means', () => {
  test('average the steps of a block; a last one may be shorter', () => {
    const rows = blockRows(
      steps(25, (step) => ({ reward: step <= 20 ? 0.25 : 0.75 })),
      20,
    );
    expect(rows.map(([label]) => label)).toEqual(['1–20', '21–25']);
    expect(rows.map(([, reward]) => reward)).toEqual(['25.0 %', '75.0 %']);
    for (const row of rows) expect(row).toHaveLength(BLOCK_COLUMNS.length);
  });

  test('variances are averaged geometrically, and shares that no library logs are dashes', () => {
    const { weights } = report(1);
    const [row] = blockRows(
      steps(2, (step) => ({
        weights: { ...weights, variance: step === 1 ? 1e-2 : 1e-6 },
        clip: { trl: null, verl: 0.5 },
      })),
    );
    const cell = (name: string) => row?.[BLOCK_COLUMNS.indexOf(name)];
    expect(cell('Var[log s]')).toBe('1.00e-4');
    expect(cell('clip share, TRL')).toBe('–');
    expect(cell('clip share, verl')).toBe('50.00 %');
  });
});

describe('the figure', () => {
  const series: CardSeries[] = [
    {
      name: 'gspo',
      // A step in the reward: a moving mean over ten takes ten steps to climb it.
      reports: steps(40, (step) => ({ reward: step <= 20 ? 0.2 : 0.8 })),
      heldOut: [
        { step: 0, accuracy: 0.5, interval: [0.45, 0.55] },
        { step: 40, accuracy: 0.6, interval: [0.55, 0.65] },
      ],
    },
    {
      name: 'grpo',
      // Nothing is ever clipped: a log axis has no place for zero but its foot.
      reports: steps(40, () => ({ clip: { trl: 0, verl: 0 } })),
      heldOut: [{ step: 0, accuracy: 0.5, interval: [0.45, 0.55] }],
    },
  ];
  const svg = curvesSvg(series, 1000);

  test('has a panel for each curve, a legend, and only finite numbers', () => {
    for (const title of [
      'Reward on fresh prompts',
      'Held-out accuracy',
      'Entropy',
      'Clip share',
      'Var[log s], and σ²/L',
      'Gradient norm',
    ]) {
      expect(svg).toContain(`>${title}</text>`);
    }
    expect(svg).toContain('>GSPO</text>');
    expect(svg).toContain('1,000 prompts');
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
    expect(svg.match(/class="bar"/g)).toHaveLength(3);
  });

  test('smooths over ten steps', () => {
    const [reward] = linesOf(svg, 'Reward on fresh prompts');
    const y = heights(reward);
    expect(y).toHaveLength(40);
    expect(y[19]).toBe(y[0]);
    expect(y[29]).toBe(y[39]);
    // Half way up after five of the ten steps.
    expect(y[24]).toBeCloseTo((y[19] + y[29]) / 2, 0);
    expect(y[28]).toBeGreaterThan(y[29]);
  });

  test('a share of zero lies at the foot of its log axis', () => {
    const [clipped, never] = linesOf(svg, 'Clip share').map(heights);
    expect(new Set(never).size).toBe(1);
    expect(never?.[0]).toBeGreaterThan(clipped?.[0]);
  });

  test('the shipped card shows the start, and one of two checkpoints a step apart', async () => {
    const manifest = (await fetchCatalogue(localFiles)).find(({ races }) => races !== undefined);
    if (!manifest) throw new Error('no policy ships with a race');
    const curves = await Promise.all(
      (manifest.races ?? []).map(({ file }) => fetchSeries(localFiles, manifest.name, file)),
    );
    const shipped = cardSeries(manifest, curves);
    for (const { heldOut } of shipped) {
      expect(heldOut.map(({ step }) => step)).toEqual([0, 25, 50, 75, 101, 150, 200]);
    }
    expect(await localFiles(`${manifest.name}/training/curves.svg`)).toEqual(
      new TextEncoder().encode(curvesSvg(shipped, 1000)),
    );
  });
});
