/**
 * What the four pages over response length share: how the three variances and the two curves look, and
 * the settings they ask the engine with. Contract: one colour and one shape each, on every page.
 */
import type { LegendItem } from '../../charts/Legend';
import type { MarkShape } from '../../charts/shapes';
import { count } from '../../format/numbers';
import { logDomainOf, useAxis } from '../../charts/axes';
import type { Scale } from '../../charts/scale';

export const CURVES = ['natural', 'prefix'] as const;
export type CurveKind = (typeof CURVES)[number];
export type CurveChoice = CurveKind | 'both';

export const CURVE_NAMES: Record<CurveKind, string> = {
  natural: 'natural lengths',
  prefix: 'prefixes',
};

export const CURVE_SHAPES: Record<CurveKind, MarkShape> = { natural: 'circle', prefix: 'square' };

export interface WeightView {
  name: string;
  symbol: string;
  /** CSS custom property */
  colour: string;
  shape: MarkShape;
}

export const SEQUENCE: WeightView = {
  name: 'sequence weight',
  symbol: 'log s',
  colour: '--weight-sequence',
  shape: 'circle',
};
export const UNNORMALISED: WeightView = {
  name: 'unnormalised weight',
  symbol: 'log ρ',
  colour: '--weight-unnormalised',
  shape: 'diamond',
};
export const TOKEN: WeightView = {
  name: 'token ratio',
  symbol: 'log r',
  colour: '--weight-token',
  shape: 'triangle',
};

/** The two weights and their log-normal predictions, named alike in every figure of the weights page. */
export const WEIGHTS_LEGEND: readonly LegendItem[] = [
  { name: 's, sequence weight', mark: SEQUENCE.shape, colour: SEQUENCE.colour },
  { name: 'ρ, unnormalised', mark: UNNORMALISED.shape, colour: UNNORMALISED.colour },
  { name: 'log-normal, predicted', line: 'prediction' },
  {
    name: 'open: k̂ above 0.7 or unknown, do not rely on it',
    mark: 'circle',
    colour: '--ink-soft',
    hollow: true,
  },
];

/** "12 tokens", "12–17 tokens" */
export function lengthsOf({ minLength, maxLength }: { minLength: number; maxLength: number }) {
  return minLength === maxLength
    ? `${count(minLength)} ${minLength === 1 ? 'token' : 'tokens'}`
    : `${count(minLength)}–${count(maxLength)} tokens`;
}

/** What every figure of these pages is handed. */
export interface CurveFigure<Result> {
  result: Result;
  /** axes start afresh when it changes */
  axesKey: string;
}

/** @param run key of the run. Axes start afresh with another run or curve, and with the first points: empty axes have no ends. */
export function axesKeyOf(run: string, kind: CurveKind, bins: number, points: number): string {
  return `${run} ${kind} ${bins} ${points === 0 ? 'empty' : ''}`;
}

/**
 * The axis of response lengths: logarithmic, with a little room at both ends.
 * @param lengths of every point that is drawn, tokens
 */
export function useLengthAxis(lengths: Iterable<number>, axesKey: string, ticks = 6): Scale {
  return useAxis('log', logDomainOf(lengths, 0.03), axesKey, ticks);
}
