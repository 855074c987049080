/** Curves of a race, from its step reports: one entry per figure. Contract: numbers as reported, at most averaged. */
import type { StepReport } from '../../../src/training/report';
import type { Curve } from '../../charts/Curves';
import type { AxisMode } from '../../charts/axes';
import { percent, significant } from '../../format/numbers';
import type { RacerLook } from './names';

/** One racer's line in the figures, present or kept. */
export interface Line {
  look: RacerLook;
  reports: readonly StepReport[];
  /** of a kept race that is laid over */
  faint: boolean;
}

interface Part {
  /** after the racer's name; empty where a figure has one line per racer */
  suffix: string;
  kind: Curve['kind'];
  /** null: not measured at this step */
  value(report: StepReport): number | null;
  interval?(report: StepReport): [number, number] | null;
  /** of a race's first step: what it was before */
  before?(report: StepReport): { value: number; interval: [number, number] } | null;
  /** averaging would hide what it shows */
  exact?: boolean;
}

export interface FigureSpec {
  id: string;
  title: string;
  caption: string;
  yLabel: string;
  mode: AxisMode;
  /** upper end of the axis, where values have one */
  atMost?: number;
  show(y: number): string;
  /** left out where no step has a value */
  optional?: boolean;
  parts: readonly Part[];
}

const three = (y: number) => significant(y, 3);
const share = (y: number) => percent(y, y > 0 && y < 0.001 ? 3 : 1);
const one = (value: (report: StepReport) => number | null): Part[] => [
  { suffix: '', kind: 'line', value },
];

export const FIGURES: readonly FigureSpec[] = [
  {
    id: 'reward',
    title: 'Reward on fresh prompts',
    caption:
      'Share of the step’s responses that end in the right value, before the step’s updates.',
    yLabel: 'mean reward',
    mode: 'linear',
    show: share,
    parts: one(({ reward }) => reward),
  },
  {
    id: 'held-out',
    title: 'Held-out accuracy',
    caption:
      'On prompts that are never trained on, always the same ones; at step 0, of what the race starts from. Bars: Wilson 95 % interval.',
    yLabel: 'share right',
    mode: 'linear',
    show: share,
    parts: [
      {
        suffix: '',
        kind: 'points',
        exact: true,
        value: ({ heldOut }) => (heldOut === null ? null : heldOut.correct / heldOut.prompts),
        interval: ({ heldOut }) => heldOut?.interval ?? null,
        before: ({ heldOutBefore: own }) =>
          own ? { value: own.correct / own.prompts, interval: own.interval } : null,
      },
    ],
  },
  {
    id: 'clip',
    title: 'Clip share',
    caption:
      'Mean over the step’s minibatches, counted as TRL logs it (bold line) and as verl does (thin). Below the axis: none.',
    yLabel: 'share clipped',
    mode: 'log',
    atMost: 1,
    show: share,
    parts: [
      { suffix: ', TRL', kind: 'line', value: ({ clip }) => clip.trl },
      { suffix: ', verl', kind: 'thin', value: ({ clip }) => clip.verl },
    ],
  },
  {
    id: 'variance',
    title: 'Var[log s], and σ²/L',
    caption:
      'Variance of the log sequence weight over the step’s responses (bold line) beside what independent tokens would give (thin).',
    yLabel: 'nats²',
    mode: 'log',
    show: three,
    parts: [
      { suffix: ', measured', kind: 'line', value: ({ weights }) => weights.variance },
      { suffix: ', σ²/L', kind: 'thin', value: ({ weights }) => weights.predictedVariance },
    ],
  },
  {
    id: 'weights',
    title: 'Sequence weights s',
    caption: 'Median (bold line), 5 % and 95 % quantile (thin) of s after the step’s updates.',
    yLabel: 's',
    mode: 'linear',
    show: (y) => significant(y, 5),
    parts: [
      { suffix: ', median', kind: 'line', value: ({ weights }) => weights.quantiles[3] ?? null },
      { suffix: ', 5 %', kind: 'thin', value: ({ weights }) => weights.quantiles[1] ?? null },
      { suffix: ', 95 %', kind: 'thin', value: ({ weights }) => weights.quantiles[5] ?? null },
    ],
  },
  {
    id: 'entropy',
    title: 'Entropy',
    caption: 'Mean entropy of the next token under the policy that sampled.',
    yLabel: 'nats',
    mode: 'linear',
    show: three,
    parts: one(({ entropy }) => entropy),
  },
  {
    id: 'change',
    title: 'Cross-entropy change ΔH',
    caption:
      'Mean log s of the step’s responses: s = exp(ΔH), the information that the step gained.',
    yLabel: 'nats per token',
    mode: 'linear',
    show: three,
    parts: one(({ weights }) => weights.meanLogWeight),
  },
  {
    id: 'entropy-change',
    title: 'Entropy change of a step',
    caption:
      'Change of the policy’s own entropy by the step’s updates, on the step’s tokens (bold line), beside what the covariance of log-probs and their change foretells (thin; Hao et al. 2025). ΔH above is neither.',
    yLabel: 'nats per token',
    mode: 'linear',
    optional: true,
    show: three,
    parts: [
      { suffix: ', measured', kind: 'line', value: (r) => r.entropyChange?.measured ?? null },
      { suffix: ', first order', kind: 'thin', value: (r) => r.entropyChange?.firstOrder ?? null },
    ],
  },
  {
    id: 'gradient',
    title: 'Gradient norm',
    caption: 'Before clipping, mean over the step’s updates.',
    yLabel: 'norm',
    mode: 'log',
    show: three,
    parts: one(({ gradientNorm }) => gradientNorm),
  },
  {
    id: 'flips',
    title: 'Routes that flipped',
    caption:
      'Share of (token, layer) that the step’s updates sent to other experts, on the step’s own responses. A dense policy has none.',
    yLabel: 'share flipped',
    mode: 'log',
    optional: true,
    show: share,
    parts: one(({ flips }) => flips ?? null),
  },
  {
    id: 'length',
    title: 'Response length',
    caption: 'Mean tokens per response.',
    yLabel: 'tokens',
    mode: 'linear',
    show: three,
    parts: one(({ meanLength }) => meanLength),
  },
];

/** Mean over up to `width` steps that end at each. */
function averaged(values: readonly number[], width: number): number[] {
  return values.map((_, i) => {
    const window = values.slice(Math.max(0, i + 1 - width), i + 1);
    return window.reduce((sum, x) => sum + x, 0) / window.length;
  });
}

export function curvesOf(spec: FigureSpec, lines: readonly Line[], width: number): Curve[] {
  return lines.flatMap(({ look, reports, faint }) =>
    spec.parts.flatMap((part): Curve[] => {
      const known = reports.filter((report) => part.value(report) !== null);
      const [first] = reports;
      const before = (first?.step === 1 && part.before?.(first)) || null;
      if (known.length === 0 && before === null) return [];
      const values = known.map((report) => part.value(report) as number);
      const start = <T>(own: T): T[] => (before === null ? [] : [own]);
      return [
        {
          name: look.name + part.suffix,
          colour: look.colour,
          shape: look.shape,
          dash: look.dash,
          kind: part.kind,
          x: [...start(0), ...known.map(({ step }) => step)],
          y: [...start(before?.value ?? NaN), ...(part.exact ? values : averaged(values, width))],
          faint,
          ...(part.interval
            ? {
                interval: [
                  ...start(before?.interval ?? null),
                  ...known.map((r) => part.interval?.(r) ?? null),
                ],
              }
            : {}),
        },
      ];
    }),
  );
}

/**
 * The last of a race's first steps whose rollouts are not held: taken before the race was resumed, by a
 * trainer that is gone. 0: none is missing.
 * @param held steps that can be opened, ascending
 */
export function goneUpTo(reports: readonly StepReport[], held: readonly number[]): number {
  const first = held[0] ?? Infinity;
  return reports.findLast(({ step }) => step < first)?.step ?? 0;
}
