/**
 * How far each form lies from float64: median, 90th and 99th percentile and maximum of the relative
 * deviation, on a log axis, with the tolerance that decides the verdict.
 */
import { useMemo, useState } from 'react';
import type { Deviation, EquivalenceResult } from '../../../src/experiments/equivalence';
import { Figure } from '../../figures/Figure';
import { useStableDomain } from '../../charts/hooks';
import { overlayTable } from '../../charts/overlay';
import { Plot, Tooltip, type Frame } from '../../charts/Plot';
import { linearScale, logScale, type Domain } from '../../charts/scale';
import { markPath } from '../../charts/shapes';
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

/** px between a form's own marks and those of each run laid over */
const LANE = 10;

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

export function Deviations({ result, recorded, axesKey, overlays }: FigureData<EquivalenceResult>) {
  const lab = useLab();
  const { deviations, tolerance, sequences, kernels } = result;
  const [near, setNear] = useState<{ row: number; mark: number } | null>(null);
  const [low, high] = useStableDomain(
    decades([deviations, ...overlays.map((own) => own.result.deviations)].flat(), tolerance),
    axesKey,
  );
  const x = useMemo(() => {
    const scale = logScale([low, high], 5);
    const [, ...rest] = scale.ticks;
    return { ...scale, ticks: [{ value: low, label: '0' }, ...rest] };
  }, [low, high]);
  const y = useMemo(() => linearScale([-0.5, FORM_VIEWS.length - 0.5], 1), []);

  const rowOf = (row: number) => FORM_VIEWS.length - 1 - row;
  const place = (frame: Frame, value: number) =>
    Number.isFinite(value) ? frame.x(Math.max(value, low)) : frame.width;
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
      <ul className="legend" aria-label="Legend">
        {MARKS.map(({ name }, i) => (
          <li key={name}>
            <svg width="14" height="14" aria-hidden="true">
              <circle
                cx="7"
                cy="7"
                r={3 + i * 0.9}
                className={`deviation-mark deviation-mark-${i}`}
              />
            </svg>
            {name}
          </li>
        ))}
      </ul>
      <Plot
        label={`Relative deviation from float64 by form: ${FORM_VIEWS.map(({ name }, row) => `${name} at most ${significant(find(row)?.max ?? NaN, 2)}`).join(', ')}`}
        x={x}
        y={y}
        yTicks={false}
        xLabel="relative deviation"
        height={236 + 3 * LANE * overlays.length}
        left={16}
        grid="x"
        interactive
        over={(frame) => {
          const deviation = near === null ? undefined : find(near.row);
          const mark = near === null ? undefined : MARKS[near.mark];
          if (near === null || deviation === undefined || mark === undefined) return null;
          return (
            <Tooltip
              frame={frame}
              x={place(frame, mark.of(deviation))}
              y={frame.y(rowOf(near.row))}
            >
              <div className="tooltip-head">{FORM_VIEWS[near.row]?.name}</div>
              {MARKS.map(({ name, of }, i) => (
                <div key={name} className="tooltip-row">
                  {name}
                  <b className={i === near.mark ? '' : 'muted'}>{significant(of(deviation), 3)}</b>
                </div>
              ))}
            </Tooltip>
          );
        }}
      >
        {(frame) => (
          <>
            <line
              className="prediction-line"
              x1={frame.x(tolerance)}
              x2={frame.x(tolerance)}
              y2={frame.height}
            />
            {FORM_VIEWS.map(({ form, name, colour }, row) => {
              const deviation = find(row);
              if (deviation === undefined) return null;
              const at = frame.y(rowOf(row)) - (LANE * overlays.length) / 2;
              const values = MARKS.map(({ of }) => place(frame, of(deviation)));
              return (
                <g key={form} style={{ color: `var(${colour})` }}>
                  <text className="row-name" x={2} y={at - 16}>
                    {name}
                  </text>
                  <line
                    className="deviation-range"
                    x1={values[0]}
                    x2={values.at(-1)}
                    y1={at}
                    y2={at}
                    {...(recorded ? { strokeDasharray: '3 3' } : {})}
                  />
                  {values.map((px, mark) => (
                    <circle
                      key={mark}
                      cx={px}
                      cy={at}
                      r={3 + mark * 0.9}
                      className={`deviation-mark deviation-mark-${mark} ${recorded ? 'deviation-mark-recorded' : ''}`}
                      onPointerEnter={() => setNear({ row, mark })}
                      onPointerLeave={() => setNear(null)}
                    />
                  ))}
                  {overlays.map(({ id, label, look, result: own }, lane) => {
                    const other = deviationOf(own, row);
                    if (other === undefined) return null;
                    const places = MARKS.map(({ of }) => place(frame, of(other)));
                    const below = at + (lane + 1) * LANE + 4;
                    return (
                      <g key={id} style={{ color: `var(${look.colour})` }}>
                        <line
                          className="overlay-line overlay-series"
                          strokeDasharray={look.dash}
                          x1={places[0]}
                          x2={places.at(-1)}
                          y1={below}
                          y2={below}
                        />
                        {places.map((px, mark) => (
                          <path
                            key={mark}
                            className="overlay-mark"
                            transform={`translate(${px.toFixed(1)},${below})`}
                            d={markPath(look.shape, 2.2 + mark * 0.6)}
                          >
                            <title>
                              {`${label}: ${MARKS[mark]?.name} ${significant(MARKS[mark]?.of(other) ?? NaN, 3)}`}
                            </title>
                          </path>
                        ))}
                      </g>
                    );
                  })}
                  {!recorded && (
                    <circle
                      className="worst"
                      cx={values.at(-1)}
                      cy={at}
                      r={12}
                      role="button"
                      tabIndex={0}
                      aria-label={`${name}: largest deviation ${significant(deviation.max, 3)}, response ${deviation.worstSequence}. Show it.`}
                      onPointerEnter={() => setNear({ row, mark: MARKS.length - 1 })}
                      onPointerLeave={() => setNear(null)}
                      onFocus={() => setNear({ row, mark: MARKS.length - 1 })}
                      onBlur={() => setNear(null)}
                      onClick={() => inspectWorst(deviation)}
                      onKeyDown={(event) => {
                        if (event.key === 'Enter') inspectWorst(deviation);
                      }}
                    />
                  )}
                </g>
              );
            })}
          </>
        )}
      </Plot>
    </Figure>
  );

  function inspectWorst({ worstSequence }: Deviation) {
    lab.inspect({
      low: -Infinity,
      high: Infinity,
      title: 'all responses',
      sequence: worstSequence,
    });
  }
}
