/**
 * Curves that a student may draw before they are measured: which page measures them, what their axes are, and where
 * their points stand in its answer. Contract: points with the intervals that the page itself shows, in ascending x;
 * nothing of a law.
 */
import type { ExperimentId } from '../experiments/manifest';
import type { ExperimentResult } from '../experiments/registry';

export type AxisKind = 'log' | 'linear';

export interface MeasuredPoint {
  x: number;
  y: number;
  interval: readonly [number, number] | null;
}

export interface MeasuredValue {
  measured: number;
  /** null: an identity, which has none */
  interval: readonly [number, number] | null;
}

interface Axis {
  kind: AxisKind;
  label: string;
}

interface Along extends Axis {
  /** in a sentence: "at L = 20" */
  symbol: string;
}

export interface DrawableCurve {
  page: ExperimentId;
  title: string;
  x: Along;
  y: Axis;
}

interface Declaration<P extends ExperimentId> extends DrawableCurve {
  page: P;
  points(result: ExperimentResult<P>): MeasuredPoint[];
}

const declare = <const P extends ExperimentId>(declaration: Declaration<P>) => declaration;

const LENGTH = { kind: 'log', label: 'response tokens, L', symbol: 'L' } as const;

const variance = (weight: 'sequence' | 'unnormalised', symbol: string) =>
  declare({
    page: 'variance',
    title: `Variance of ${symbol} by length`,
    x: LENGTH,
    y: { kind: 'log', label: `Var[${symbol}], nats²` },
    points: ({ natural }) =>
      natural.points.map(({ length, [weight]: { measured, interval } }) => ({
        x: length,
        y: measured,
        interval,
      })),
  });

const clipped = (band: 'fixed' | 'adaptive') =>
  declare({
    page: 'clipping',
    title: `Share of responses outside the ${band} band, by length`,
    x: LENGTH,
    y: { kind: 'linear', label: 'share outside' },
    points: ({ lengths }) =>
      lengths.map(({ length, [band]: { measured, interval } }) => ({
        x: length,
        y: measured,
        interval,
      })),
  });

const CURVES = {
  'variance.log-s': variance('sequence', 'log s'),
  'variance.log-rho': variance('unnormalised', 'log ρ'),
  'dependence.autocorrelation': declare({
    page: 'dependence',
    title: 'Autocorrelation of token log-ratios',
    x: { kind: 'linear', label: 'lag, tokens', symbol: 'lag' },
    y: { kind: 'linear', label: 'autocorrelation' },
    points: ({ lags }) =>
      lags.map(({ lag, autocorrelation, interval }) => ({ x: lag, y: autocorrelation, interval })),
  }),
  'clipping.fixed': clipped('fixed'),
  'clipping.adaptive': clipped('adaptive'),
} as const;

export type CurveId = keyof typeof CURVES;
export const CURVE_IDS = Object.keys(CURVES) as [CurveId, ...CurveId[]];

export const curveOf = (id: CurveId): DrawableCurve => CURVES[id];

/** @param result the answer of the curve's own page */
export function measuredCurve(id: CurveId, result: unknown): MeasuredPoint[] {
  const declared: DrawableCurve & { points(result: never): MeasuredPoint[] } = CURVES[id];
  return declared
    .points(result as never)
    .filter(({ x, y }) => Number.isFinite(x) && Number.isFinite(y));
}
