/** The two departures from independence on one axis, predicted at 0, and what they cost in tokens. */
import type { ReactNode } from 'react';
import type { DependenceResult } from '../../../src/experiments/dependence';
import type { Estimate } from '../../../src/math/stats/intervals';
import { useAxis } from '../../charts/axes';
import { Figure } from '../../figures/Figure';
import { overlayRows, overlayTable } from '../../charts/overlay';
import { Rows, type Row } from '../../charts/Rows';
import { counted, estimate, fixed, interval, significant } from '../../format/numbers';
import { useOverlays } from '../../runs/useOverlays';
import { SEQUENCE, TOKEN, type CurveFigure } from '../../page/statistics/views';

interface Correlation {
  name: string;
  value: number;
  interval: readonly [number, number] | null;
  colour: string;
}

function correlationsOf({ lags, intraclassCorrelation: icc }: DependenceResult): Correlation[] {
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

const rowsOf = (result: DependenceResult): Row[] =>
  correlationsOf(result).map(({ name, value, interval: ends, colour }) => ({
    name,
    note: fixed(value, 3),
    marks: [
      { name: 'measured', value, interval: ends, colour, shape: 'circle', filled: true, r: 4.5 },
    ],
  }));

export function Correlations({ result, axesKey }: CurveFigure<DependenceResult>) {
  const overlays = useOverlays('dependence');
  const rows = correlationsOf(result);
  const { effectiveLength, integratedAutocorrelation, sigma2, tau2 } = result;
  const ends = [result, ...overlays.map((own) => own.result)]
    .flatMap(correlationsOf)
    .flatMap((row) => [row.value, ...(row.interval ?? [])])
    .filter(Number.isFinite);
  const low = Math.min(-0.1, ...ends);
  const high = Math.max(0.1, ...ends);
  const margin = 0.06 * (high - low);
  const x = useAxis('linear', [low - margin, high + margin], `${axesKey} both`, 4);
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
      <Rows
        label={rows
          .map((row) => `${row.name} ${fixed(row.value, 3)} ${interval(row.interval)}`)
          .join('; ')}
        rows={overlayRows(overlays, rowsOf(result), rowsOf)}
        x={x}
        xLabel="correlation"
        show={(value) => fixed(value, 4)}
        marks={[{ value: 0, label: '', className: 'prediction-line' }]}
      />
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
    ...correlationsOf(result).map((row) => [
      row.name,
      fixed(row.value, 5),
      interval(row.interval, 4),
    ]),
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
