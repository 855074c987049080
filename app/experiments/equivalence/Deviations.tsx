/**
 * How far each form lies from float64: median, 90th and 99th percentile and maximum of the relative
 * deviation, on a log axis, with the tolerance that decides the verdict.
 */
import { useMemo } from 'react';
import type { Deviation, EquivalenceResult } from '../../../src/experiments/equivalence';
import { Figure } from '../../figures/Figure';
import { useStableDomain } from '../../charts/hooks';
import { overlayRows, overlayTable } from '../../charts/overlay';
import { Legend } from '../../charts/Legend';
import { Rows, type Row } from '../../charts/Rows';
import { logScale, type Domain } from '../../charts/scale';
import { counted, significant } from '../../format/numbers';
import { useLab } from '../../state/react';
import { FORM_VIEWS, type FigureData } from './forms';

const MARKS = [
  { name: 'median', of: (d: Deviation) => d.quantiles.p50 },
  { name: '90 %', of: (d: Deviation) => d.quantiles.p90 },
  { name: '99 %', of: (d: Deviation) => d.quantiles.p99 },
  { name: 'largest', of: (d: Deviation) => d.max },
] as const;

/** Whole decades around everything shown; one more at the left for deviations of exactly zero. */
function decades(deviations: readonly Deviation[], tolerance: number): Domain {
  const shown = deviations
    .flatMap((deviation) => MARKS.map(({ of }) => of(deviation)))
    .filter((x) => Number.isFinite(x) && x > 0);
  const low = Math.min(...shown, tolerance / 100);
  const high = Math.max(...shown, tolerance);
  return [10 ** (Math.floor(Math.log10(low)) - 1), 10 ** (Math.floor(Math.log10(high)) + 1)];
}

function deviationOf({ deviations }: EquivalenceResult, row: number): Deviation | undefined {
  return deviations.find(({ form }) => form === FORM_VIEWS[row]?.form);
}

function rowsOf(result: EquivalenceResult): string[][] {
  return FORM_VIEWS.flatMap(({ name }, row) => {
    const deviation = deviationOf(result, row);
    if (deviation === undefined) return [];
    const marks = MARKS.map(({ of }) => significant(of(deviation), 3));
    return [[name, ...marks, `#${deviation.worstSequence}`, String(result.sequences)]];
  });
}

/** Marks grow with the quantile; the largest is filled. */
function marksOf(result: EquivalenceResult, recorded: boolean): Row[] {
  return FORM_VIEWS.flatMap(({ name, colour }, row) => {
    const deviation = deviationOf(result, row);
    if (deviation === undefined) return [];
    return [
      {
        name,
        range: { colour, dashed: recorded },
        marks: MARKS.map((mark, i) => ({
          name: mark.name,
          value: mark.of(deviation),
          colour,
          shape: 'circle' as const,
          filled: i === MARKS.length - 1 && !recorded,
          r: radiusOf(i),
        })),
      },
    ];
  });
}

const radiusOf = (mark: number) => 3 + mark * 0.9;

export function Deviations({ result, recorded, axesKey, overlays }: FigureData<EquivalenceResult>) {
  const lab = useLab();
  const { deviations, tolerance, sequences, kernels } = result;
  const [low, high] = useStableDomain(
    decades([deviations, ...overlays.map((own) => own.result.deviations)].flat(), tolerance),
    axesKey,
  );
  const x = useMemo(() => {
    const scale = logScale([low, high], 5);
    const [, ...rest] = scale.ticks;
    return { ...scale, ticks: [{ value: low, label: '0' }, ...rest] };
  }, [low, high]);
  const find = (row: number) => deviationOf(result, row);

  return (
    <Figure
      title="Distance from float64"
      recorded={recorded}
      overlays={overlays}
      table={() =>
        overlayTable(
          overlays,
          {
            columns: ['form', ...MARKS.map(({ name }) => name), 'worst response', 'n'],
            rows: rowsOf(result),
          },
          rowsOf,
        )
      }
      caption={
        <>
          |form ÷ reference − 1| over {counted(sequences, 'response')}, computed in{' '}
          {kernels === 'webgpu' ? 'float32 by WGSL kernels' : 'float64 on the CPU'}; reference: exp
          of the mean log-ratio in float64. Line: the tolerance {significant(tolerance, 1)}.
        </>
      }
    >
      <Legend
        items={MARKS.map(({ name }, i) => ({
          name,
          mark: 'circle',
          colour: '--ink-soft',
          hollow: i < MARKS.length - 1,
          interval: false,
          times: [radiusOf(i)],
        }))}
      />
      <Rows
        label={`Relative deviation from float64 by form: ${FORM_VIEWS.map(({ name }, row) => `${name} at most ${significant(find(row)?.max ?? NaN, 2)}`).join(', ')}`}
        rows={overlayRows(overlays, marksOf(result, recorded), (own) => marksOf(own, false))}
        x={x}
        xLabel="relative deviation"
        show={(value) => significant(value, 3)}
        marks={[{ value: tolerance, label: '', className: 'prediction-line' }]}
        {...(recorded ? {} : { open: inspectWorst })}
      />
    </Figure>
  );

  /** The response that is furthest off. */
  function inspectWorst(row: number) {
    const worst = find(row)?.worstSequence;
    if (worst === undefined) return;
    lab.inspect({
      low: -Infinity,
      high: Infinity,
      title: 'all responses',
      sequence: worst,
    });
  }
}
