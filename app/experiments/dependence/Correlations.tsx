/** The two departures from independence on one axis, predicted at 0, and what they cost in tokens. */
import type { ReactNode } from 'react';
import type { DependenceResult } from '../../../src/experiments/dependence';
import type { Estimate } from '../../../src/math/stats/intervals';
import { useAxis } from '../../charts/axes';
import { Figure } from '../../figures/Figure';
import { overlayTable } from '../../charts/overlay';
import { Plot } from '../../charts/Plot';
import { linearScale } from '../../charts/scale';
import { markPath } from '../../charts/shapes';
import { counted, estimate, fixed, interval, significant } from '../../format/numbers';
import { useOverlays } from '../../runs/useOverlays';
import { SEQUENCE, TOKEN, type CurveFigure } from '../../page/statistics/views';

const HEIGHT = 150;

interface Row {
  name: string;
  value: number;
  interval: readonly [number, number] | null;
  colour: string;
}

function rowsOf({ lags, intraclassCorrelation: icc }: DependenceResult): Row[] {
  const [first] = lags;
  return [
    ...(first
      ? [
          {
            name: 'neighbouring tokens, ρ₁',
            value: first.autocorrelation,
            interval: first.interval,
            colour: TOKEN.colour,
          },
        ]
      : []),
    ...(icc
      ? [
          {
            name: 'responses to one prompt, ICC',
            value: icc.estimate,
            interval: icc.interval,
            colour: SEQUENCE.colour,
          },
        ]
      : []),
  ];
}

export function Correlations({ result, axesKey }: CurveFigure<DependenceResult>) {
  const overlays = useOverlays('dependence');
  const rows = rowsOf(result);
  const laid = overlays.map(({ id, look, result: own }) => ({ id, look, rows: rowsOf(own) }));
  const { effectiveLength, integratedAutocorrelation, sigma2, tau2 } = result;
  const ends = [...rows, ...laid.flatMap((own) => own.rows)]
    .flatMap((row) => [row.value, ...(row.interval ?? [])])
    .filter(Number.isFinite);
  const low = Math.min(-0.1, ...ends);
  const high = Math.max(0.1, ...ends);
  const margin = 0.06 * (high - low);
  const x = useAxis('linear', [low - margin, high + margin], `${axesKey} both`, 4);
  const y = linearScale([-0.5, 1.5], 1);
  const facts: readonly (readonly [name: string, symbol: ReactNode, value: string])[] = [
    ['noise of a token', 'σ²', `${estimate(sigma2)} nats²`],
    ['shift of a prompt', 'τ²', tau2 === null ? 'one response each' : `${estimate(tau2)} nats²`],
    ['tokens for one independent token', '1 + 2 Σ ρₖ', estimate(integratedAutocorrelation)],
    ['mean length', 'L', `${significant(effectiveLength.length, 4)} tokens`],
    [
      'worth',
      <>
        L<sub>eff</sub>
      </>,
      `${significant(effectiveLength.effective, 4)} independent tokens`,
    ],
  ];
  return (
    <Figure
      title="How much is shared"
      overlays={overlays}
      table={() =>
        overlayTable(
          overlays,
          { columns: ['quantity', 'measured', '95 % interval'], rows: tableOf(result) },
          tableOf,
        )
      }
      caption={
        <>
          Correlations with 95 % intervals; independence predicts 0.{' '}
          {counted(result.sequences, 'response')} to {counted(result.prompts, 'prompt')}.
        </>
      }
    >
      <Plot
        label={rows
          .map((row) => `${row.name} ${fixed(row.value, 3)} ${interval(row.interval)}`)
          .join('; ')}
        x={x}
        y={y}
        xLabel="correlation"
        yTicks={false}
        left={16}
        height={HEIGHT}
        grid="x"
      >
        {(frame) => (
          <>
            <line className="prediction-line" x1={frame.x(0)} x2={frame.x(0)} y2={frame.height} />
            {rows.map((row, i) => {
              const at = frame.y(1 - i) + 8;
              return (
                <g key={row.name} style={{ color: `var(${row.colour})` }}>
                  <text className="row-name row-name-clear" x={2} y={at - 14}>
                    {row.name} <tspan className="part-share">{fixed(row.value, 3)}</tspan>
                  </text>
                  {row.interval !== null && (
                    <line
                      className="curve-bar"
                      x1={frame.x(row.interval[0])}
                      x2={frame.x(row.interval[1])}
                      y1={at}
                      y2={at}
                    />
                  )}
                  <circle className="curve-mark" cx={frame.x(row.value)} cy={at} r={4.5} />
                  {laid.map(({ id, look, rows: others }) => {
                    const other = others.find(({ name }) => name === row.name);
                    if (other === undefined || !Number.isFinite(other.value)) return null;
                    return (
                      <path
                        key={id}
                        className="overlay-mark"
                        style={{ color: `var(${look.colour})` }}
                        transform={`translate(${frame.x(other.value).toFixed(1)},${at})`}
                        d={markPath(look.shape, 4.5)}
                      >
                        <title>{`${fixed(other.value, 4)} ${interval(other.interval)}`}</title>
                      </path>
                    );
                  })}
                </g>
              );
            })}
          </>
        )}
      </Plot>
      <dl className="numbers">
        {facts.map(([name, symbol, value]) => (
          <div key={name}>
            <dt>
              {name}, {symbol}
            </dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </Figure>
  );
}

function tableOf(result: DependenceResult): string[][] {
  const { effectiveLength, integratedAutocorrelation, sigma2, tau2 } = result;
  return [
    ...rowsOf(result).map((row) => [row.name, fixed(row.value, 5), interval(row.interval, 4)]),
    ...[
      { name: 'σ² of a token, nats²', own: sigma2 },
      { name: 'τ² of a prompt, nats²', own: tau2 },
      { name: '1 + 2 Σ ρₖ', own: integratedAutocorrelation },
    ].map(({ name, own }) => tableRow(name, own)),
    ['mean length, tokens', significant(effectiveLength.length, 6), ''],
    ['effective length, tokens', significant(effectiveLength.effective, 6), ''],
  ];
}

function tableRow(name: string, own: Estimate | null): string[] {
  return own === null
    ? [name, 'not defined here', '']
    : [name, significant(own.estimate, 5), interval(own.interval, 4)];
}
