/** What lies outside the bins of a histogram, in words that lead to the responses. */
import type { Histogram, HistogramSpec } from '../../../src/math/kernels';
import { count, significant } from '../../format/numbers';

export function Outside({
  histogram,
  spec,
  inspect,
}: {
  histogram: Histogram;
  spec: HistogramSpec;
  inspect: ((low: number, high: number, title: string) => void) | null;
}) {
  const parts: { n: number; words: string; low: number; high: number }[] = [
    {
      n: histogram.underflow,
      words: `below ${significant(spec.low, 4)}`,
      low: -Infinity,
      high: spec.low,
    },
    {
      n: histogram.overflow,
      words: `above ${significant(spec.high, 4)}`,
      low: spec.high,
      high: Infinity,
    },
  ];
  const some = parts.filter(({ n }) => n > 0);
  return (
    <span data-testid="outside">
      {some.length === 0 && histogram.notFinite === 0 && 'None lies outside the bins.'}
      {some.map(({ n, words, low, high }, i) => (
        <span key={words}>
          {i > 0 && '· '}
          {inspect === null ? (
            `${count(n)} ${words}`
          ) : (
            <button type="button" className="link" onClick={() => inspect(low, high, `s ${words}`)}>
              {count(n)} {words}
            </button>
          )}{' '}
        </span>
      ))}
      {histogram.notFinite > 0 && `${count(histogram.notFinite)} not finite.`}
    </span>
  );
}
