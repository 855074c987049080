/** From the kernels' histograms to paths and table rows. Contract: pure; counts are the kernels' own. */
import type { EquivalenceResult } from '../../../src/experiments/equivalence';
import type { Histogram, HistogramSpec } from '../../../src/math/kernels';
import type { Frame } from '../../charts/Plot';
import { count, significant } from '../../format/numbers';
import { FORM_VIEWS } from './forms';

export function binEdges({ low, high, bins }: HistogramSpec, k: number): [number, number] {
  const width = (high - low) / bins;
  return [low + k * width, k === bins - 1 ? high : low + (k + 1) * width];
}

/** @param scale of the counts: 1 where the bins are those of the axes */
export function outline(
  histogram: Histogram,
  spec: HistogramSpec,
  frame: Frame,
  scale = 1,
): string {
  let path = `M${frame.x(spec.low)},${frame.y(0)}`;
  histogram.counts.forEach((n, k) => {
    const [from, to] = binEdges(spec, k);
    path += `L${frame.x(from)},${frame.y(n * scale)}L${frame.x(to)},${frame.y(n * scale)}`;
  });
  return `${path}L${frame.x(spec.high)},${frame.y(0)}`;
}

export function bars(histogram: Histogram, spec: HistogramSpec, frame: Frame): string {
  let path = '';
  const gap = frame.width / spec.bins > 5 ? 0.5 : 0;
  histogram.counts.forEach((n, k) => {
    if (n === 0) return;
    const [from, to] = binEdges(spec, k);
    const [left, right] = [frame.x(from) + gap, frame.x(to) - gap];
    path += `M${left},${frame.y(0)}V${frame.y(n)}H${right}V${frame.y(0)}Z`;
  });
  return path;
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
