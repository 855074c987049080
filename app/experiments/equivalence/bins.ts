/** From the kernels' histograms to bins and table rows. Contract: pure; counts are the kernels' own. */
import type { EquivalenceResult } from '../../../src/experiments/equivalence';
import type { Histogram, HistogramSpec } from '../../../src/math/kernels';
import type { Bin } from '../../charts/marks/StepHistogram';
import { count, significant } from '../../format/numbers';
import { FORM_VIEWS } from './forms';

export function binEdges({ low, high, bins }: HistogramSpec, k: number): [number, number] {
  const width = (high - low) / bins;
  return [low + k * width, k === bins - 1 ? high : low + (k + 1) * width];
}

/** @param scale of the counts: 1 where the bins are those of the axes */
export function binsOf(histogram: Histogram, spec: HistogramSpec, scale = 1): Bin[] {
  return Array.from(histogram.counts, (n, k) => {
    const [from, to] = binEdges(spec, k);
    return { from, to, count: n * scale };
  });
}

/**
 * A kept run has its own responses and bins. Its counts times this are as high as those of the run in view
 * would be, had the two the same distribution.
 */
export function densityScale(of: EquivalenceResult, to: EquivalenceResult): number {
  const width = ({ spec: { low, high, bins } }: EquivalenceResult) => (high - low) / bins;
  const scale = (to.sequences * width(to)) / (of.sequences * width(of));
  return Number.isFinite(scale) ? scale : 0;
}

export const COLUMNS = ['s from', 's to', ...FORM_VIEWS.map(({ name }) => name)];

export function rowsOf({ spec, histograms }: EquivalenceResult): string[][] {
  const counts = (pick: (histogram: Histogram) => number) =>
    FORM_VIEWS.map(({ form }) => count(pick(histograms[form])));
  return [
    ['', significant(spec.low, 7), ...counts(({ underflow }) => underflow)],
    ...Array.from({ length: spec.bins }, (_, k) => [
      ...binEdges(spec, k).map((edge) => significant(edge, 7)),
      ...counts((histogram) => histogram.counts[k] ?? 0),
    ]),
    [significant(spec.high, 7), '', ...counts(({ overflow }) => overflow)],
    ['not finite', '', ...counts(({ notFinite }) => notFinite)],
  ];
}

export const largestOf = ({ histograms }: EquivalenceResult) =>
  FORM_VIEWS.reduce(
    (most, { form }) => histograms[form].counts.reduce((a, b) => Math.max(a, b), most),
    1,
  );
