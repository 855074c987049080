/**
 * The curves of a shipped race for its model card: an SVG of small multiples, and tables of block means
 * behind it. Contract: pure functions of the step reports and the measured checkpoints; which figures
 * there are is the Train page's own (`series.ts`). Variances are averaged as the claims on them are,
 * geometrically: single steps lie decades above the rest. The SVG stands alone, and its paper and ink
 * follow the reader's colour scheme together, so that it is legible on any page.
 */
import { extent, logDomainOf } from '../../app/charts/axes';
import type { Curve } from '../../app/charts/Curves';
import { domainOf, linearScale, logScale, type Scale } from '../../app/charts/scale';
import { markPath, type MarkShape } from '../../app/charts/shapes';
import { percent, significant } from '../../app/format/numbers';
import { curvesOf, FIGURES, type FigureSpec } from '../../app/experiments/train/series';
import { mean } from '../../src/math/summation';
import type { StepReport } from '../../src/training/report';

export interface CardAccuracy {
  step: number;
  accuracy: number;
  interval: readonly [number, number];
}

/** One racer of a shipped race. */
export interface CardSeries {
  name: string;
  /** steps ascending, from 1 */
  reports: readonly StepReport[];
  /** of the start (step 0) and of checkpoints, as the card measures them */
  heldOut: readonly CardAccuracy[];
}

/** Steps that a point of a line is the mean of. */
export const SMOOTHING = 10;
/** Steps that a row of a table is the mean of. */
export const BLOCK_STEPS = 20;

/** By the order of the series: light and dark as the lab has them for GSPO and GRPO, and the mark. */
const LOOKS: readonly { light: string; dark: string; shape: MarkShape; dodge: number }[] = [
  { light: '#4b3fa6', dark: '#a89df7', shape: 'circle', dodge: -2 },
  { light: '#a52c5c', dark: '#f08ab0', shape: 'square', dodge: 2 },
];

const COLUMNS = 3;
const WIDTH = 960;
const HEAD = 44;
const PANEL = { width: WIDTH / COLUMNS, height: 252 };
const MARGIN = { left: 58, right: 16, top: 46, bottom: 44 };
const PLOT = {
  width: PANEL.width - MARGIN.left - MARGIN.right,
  height: PANEL.height - MARGIN.top - MARGIN.bottom,
};

const STYLE = `
.card { --paper: #ffffff; --ink: #1f2328; --muted: #59636e; --grid: #e4e7eb; ${LOOKS.map(
  ({ light }, i) => `--series-${i}: ${light};`,
).join(' ')} }
@media (prefers-color-scheme: dark) {
  .card { --paper: #0d1117; --ink: #e6edf3; --muted: #9aa4af; --grid: #2a313a; ${LOOKS.map(
    ({ dark }, i) => `--series-${i}: ${dark};`,
  ).join(' ')} }
}
text { font: 12px system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif; fill: var(--muted); }
.title { font-size: 14px; font-weight: 600; fill: var(--ink); }
.name { font-size: 13px; fill: var(--ink); }
.paper { fill: var(--paper); }
.grid { stroke: var(--grid); }
.axis { stroke: var(--muted); }
.line { fill: none; stroke: currentColor; stroke-width: 1.8; stroke-linejoin: round; }
.dashed { stroke-dasharray: 5 3.5; stroke-width: 1.5; }
.thin { stroke-width: 1; opacity: 0.55; }
.bar { stroke: currentColor; stroke-width: 1.3; }
.mark { fill: var(--paper); stroke: currentColor; stroke-width: 1.6; }
`;

interface Panel {
  title: string;
  unit: string;
  mode: FigureSpec['mode'];
  /** by series */
  curves: readonly (readonly Curve[])[];
}

type Mean = (values: readonly number[]) => number;

const geometricMean: Mean = (values) => Math.exp(mean(values.map(Math.log)));

function figure(id: string): FigureSpec {
  const found = FIGURES.find((spec) => spec.id === id);
  if (!found) throw new Error(`The Train page has no figure "${id}".`);
  return found;
}

/** At each step the mean over up to SMOOTHING steps that end there. */
function smoothed(curve: Curve, average: Mean): Curve {
  const values = Array.from(curve.y);
  const y = values.map((_, i) => average(values.slice(Math.max(0, i + 1 - SMOOTHING), i + 1)));
  return { ...curve, y };
}

/** A figure of the Train page, smoothed; by series, so that each keeps its colour. */
function panelOf(
  spec: FigureSpec,
  unit: string,
  series: readonly CardSeries[],
  average: Mean = mean,
): Panel {
  return {
    title: spec.title,
    unit,
    mode: spec.mode,
    curves: series.map(({ name, reports }) =>
      curvesOf(
        spec,
        [{ look: { name, colour: '', shape: 'circle', dash: null }, reports, faint: false }],
        1,
      ).map((curve) => smoothed(curve, average)),
    ),
  };
}

function heldOutPanel(series: readonly CardSeries[], prompts: number): Panel {
  return {
    title: 'Held-out accuracy',
    unit: `share right of ${prompts.toLocaleString('en')} prompts, 95 % interval`,
    mode: 'linear',
    curves: series.map(({ name, heldOut }) => [
      {
        name,
        colour: '',
        kind: 'points',
        x: heldOut.map(({ step }) => step),
        y: heldOut.map(({ accuracy }) => accuracy),
        interval: heldOut.map(({ interval }) => interval),
      },
    ]),
  };
}

function panelsOf(series: readonly CardSeries[], prompts: number): Panel[] {
  const clip = figure('clip');
  // Over three decades the lines of the two conventions could not be told apart; the table has both.
  const asTrl = { ...clip, parts: clip.parts.slice(0, 1) };
  const norm: FigureSpec = { ...figure('gradient'), mode: 'linear' };
  return [
    panelOf(figure('reward'), 'share right of the step’s responses', series),
    heldOutPanel(series, prompts),
    panelOf(figure('entropy'), 'of the next token, nats', series),
    panelOf(asTrl, 'as TRL counts it, log scale', series),
    panelOf(figure('variance'), 'nats², log scale; dashed: σ²/L', series, geometricMean),
    panelOf(norm, 'before clipping', series),
  ];
}

const px = (n: number) => n.toFixed(1).replace(/\.0$/, '');

function yScale({ mode, curves }: Panel): Scale {
  const points = curves
    .flat()
    .flatMap(({ y, interval }) =>
      Array.from(y, (value, i) => ({ y: value, interval: interval?.[i] ?? null })),
    );
  const values = extent(points).filter((value) => mode === 'linear' || value > 0);
  return mode === 'log' ? logScale(logDomainOf(values), 4) : linearScale(domainOf(values), 5);
}

function panelSvg(panel: Panel, x: Scale, at: readonly [number, number]): string {
  const y = yScale(panel);
  const right = (value: number) => px(x.at(value) * PLOT.width);
  // A log axis shows a zero at its foot.
  const down = (value: number) => {
    const share = y.at(value);
    return px((1 - Math.min(1, Math.max(0, Number.isFinite(share) ? share : 0))) * PLOT.height);
  };
  const path = ({ x: steps, y: values }: Curve) =>
    Array.from(steps, (step, i) => `${i === 0 ? 'M' : 'L'}${right(step)} ${down(values[i])}`).join(
      '',
    );
  const draw = (curve: Curve, i: number) => {
    if (curve.kind === 'line') return `<path class="line" d="${path(curve)}"/>`;
    // The second quantity of a racer: the card has no dash of its own for racers.
    if (curve.kind === 'thin') return `<path class="line dashed" d="${path(curve)}"/>`;
    const { shape = 'circle', dodge = 0 } = LOOKS[i] ?? {};
    const marks = Array.from(curve.x, (step, k) => {
      const ends = curve.interval?.[k];
      const bar = ends ? `<path class="bar" d="M0 ${down(ends[0])}V${down(ends[1])}"/>` : '';
      const mark = `<path class="mark" transform="translate(0 ${down(curve.y[k])})" d="${markPath(shape, 3.2)}"/>`;
      return `<g transform="translate(${right(step)} 0)">${bar}${mark}</g>`;
    });
    return `<g transform="translate(${dodge} 0)"><path class="line thin" d="${path(curve)}"/>${marks.join('')}</g>`;
  };
  const yTicks = y.ticks.map(
    ({ value, label }) =>
      `<path class="grid" d="M0 ${down(value)}H${PLOT.width}"/><text x="-8" y="${down(value)}" dy="0.34em" text-anchor="end">${label}</text>`,
  );
  const xTicks = x.ticks.map(
    ({ value, label }) =>
      `<path class="axis" d="M${right(value)} ${PLOT.height}v4"/><text x="${right(value)}" y="${PLOT.height + 17}" text-anchor="middle">${label}</text>`,
  );
  return [
    `<g transform="translate(${at[0]} ${at[1]})">`,
    `<text class="title" x="${MARGIN.left}" y="16">${panel.title}</text>`,
    `<text x="${MARGIN.left}" y="33">${panel.unit}</text>`,
    `<g transform="translate(${MARGIN.left} ${MARGIN.top})">`,
    ...yTicks,
    ...xTicks,
    `<path class="axis" d="M0 ${PLOT.height}H${PLOT.width}"/>`,
    `<text x="${PLOT.width / 2}" y="${PLOT.height + 34}" text-anchor="middle">step</text>`,
    ...panel.curves.map(
      (own, i) =>
        `<g style="color: var(--series-${i})">${own.map((curve) => draw(curve, i)).join('')}</g>`,
    ),
    '</g></g>',
  ].join('\n');
}

/** @param prompts that the accuracies were measured over */
export function curvesSvg(series: readonly CardSeries[], prompts: number): string {
  if (series.length > LOOKS.length) throw new Error(`Only ${LOOKS.length} series have a colour.`);
  const panels = panelsOf(series, prompts);
  const height = HEAD + Math.ceil(panels.length / COLUMNS) * PANEL.height;
  const steps = Math.max(...series.map(({ reports }) => reports.at(-1)?.step ?? 0));
  // Room for the first and the last mark.
  const x = linearScale([-0.02 * steps, 1.02 * steps], 4);
  const names = series.map(({ name }) => name.toUpperCase());
  const legend = names.map((name, i) => {
    const mark = `<path class="line" d="M0 0H26"/><path class="mark" transform="translate(13 0)" d="${markPath(LOOKS[i]?.shape ?? 'circle', 3.2)}"/>`;
    return `<g transform="translate(${MARGIN.left + 92 * i} 18)" style="color: var(--series-${i})">${mark}<text class="name" x="34" dy="0.34em">${name}</text></g>`;
  });
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" class="card">`,
    `<title>${names.join(' and ')} over ${steps} steps: ${panels.map(({ title }) => title).join(', ')}</title>`,
    `<style>${STYLE}</style>`,
    `<rect class="paper" width="${WIDTH}" height="${height}" rx="6"/>`,
    ...legend,
    `<text x="${MARGIN.left + 92 * names.length + 8}" y="18" dy="0.34em">Lines: moving mean over ${SMOOTHING} steps, geometric for the variances.</text>`,
    ...panels.map((panel, i) =>
      panelSvg(panel, x, [
        (i % COLUMNS) * PANEL.width,
        HEAD + Math.floor(i / COLUMNS) * PANEL.height,
      ]),
    ),
    '</svg>',
  ].join('\n')}\n`;
}

export const BLOCK_COLUMNS = [
  'steps',
  'reward',
  'entropy, nats',
  'clip share, TRL',
  'clip share, verl',
  'Var[log s]',
  'sigma^2 / L',
  'gradient norm',
  'mean length',
];

/** Means over blocks of steps (of variances the geometric one) as cells; a last block may be shorter. */
export function blockRows(reports: readonly StepReport[], block = BLOCK_STEPS): string[][] {
  const rows: string[][] = [];
  for (let at = 0; at < reports.length; at += block) {
    const own = reports.slice(at, at + block);
    const over = (value: (report: StepReport) => number | null, average: Mean = mean) => {
      const known = own.map(value).filter((one) => one !== null);
      return known.length === 0 ? Number.NaN : average(known);
    };
    const clipShare = (value: (report: StepReport) => number | null) => {
      const share = over(value);
      return Number.isNaN(share) ? '–' : percent(share, share < 0.001 ? 3 : 2);
    };
    rows.push([
      `${own[0]?.step}–${own.at(-1)?.step}`,
      percent(over(({ reward }) => reward)),
      significant(
        over(({ entropy }) => entropy),
        3,
      ),
      clipShare(({ clip }) => clip.trl),
      clipShare(({ clip }) => clip.verl),
      over(({ weights }) => weights.variance, geometricMean).toExponential(2),
      over(({ weights }) => weights.predictedVariance, geometricMean).toExponential(2),
      significant(
        over(({ gradientNorm }) => gradientNorm),
        3,
      ),
      over(({ meanLength }) => meanLength).toFixed(1),
    ]);
  }
  return rows;
}
