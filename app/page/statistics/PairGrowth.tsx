/** With the length: the summed log weight spreads like L, the averaged one like 1/L; what is left of n. */
import { Trans } from '@lingui/react/macro';
import { msg, t } from '@lingui/core/macro';
import type { PredictedPair } from '../../../src/experiments/shared/pair-difference';
import { logDomainOf, sampled, useAxis } from '../../charts/axes';
import { ErrorBars } from '../../charts/ErrorBars';
import { Figure } from '../../figures/Figure';
import type { MarkSeries } from '../../charts/ErrorBars';
import { overlaySeries, overlayTable } from '../../charts/overlay';
import { Legend } from '../../charts/Legend';
import { fixed, interval, significant } from '../../format/numbers';
import { CURVE_NAMES, SEQUENCE, UNNORMALISED, useLengthAxis } from './views';
import { TooFew } from './Controls';
import { lawOf, pointsOf, seriesOf, tableColumns, tableRows } from './variance-series';
import * as shares from './weights-series';
import type { PairFigure } from './BiasFigure';

const HEIGHT = 300;

const WEIGHTS = [
  { weight: 'unnormalised', view: UNNORMALISED, slope: 1, law: 'L σ²' },
  { weight: 'sequence', view: SEQUENCE, slope: -1, law: 'σ²/L' },
] as const;

type Curve = PredictedPair['natural'];

function varianceSeries(curve: Curve): MarkSeries[] {
  return WEIGHTS.map(({ weight, view }) => ({
    ...seriesOf({ curve, weight, colour: view.colour, shape: view.shape }, 'measured'),
    id: weight,
  }));
}

function varianceRows(curve: Curve): string[][] {
  return WEIGHTS.flatMap(({ weight, view }) =>
    tableRows(curve, weight).map((row) => [view.name, ...row]),
  );
}

export function VarianceFigure({ measure, sequences, kind, axesKey, overlays }: PairFigure) {
  const curve = measure[kind];
  const curves = [curve, ...overlays.map(({ result }) => result[kind])];
  const series = [
    ...overlaySeries(overlays, (own) => varianceSeries(own[kind])),
    ...varianceSeries(curve),
  ];
  const x = useLengthAxis(
    curves.flatMap(({ points }) => points.map(({ length }) => length)),
    axesKey,
    5,
  );
  const values = curves.flatMap((one) =>
    WEIGHTS.flatMap(({ weight }) =>
      pointsOf(one, weight).flatMap(({ value }) => [value.measured, value.predicted]),
    ),
  );
  const y = useAxis('log', logDomainOf(values), `${axesKey} variance`, 6);
  return (
    <Figure
      title={msg`Spread of the log weights`}
      overlays={overlays}
      table={() =>
        overlayTable(
          overlays,
          { columns: [t`weight`, ...tableColumns()], rows: varianceRows(curve) },
          (own) => varianceRows(own[kind]),
        )
      }
      caption={
        <>
          <Trans>
            Variance over {CURVE_NAMES[kind]}, lines predicted from σ² of the tokens.{' '}
            {WEIGHTS.map(({ weight, view, slope }) => {
              const own = curve.slopes[weight];
              return own === null
                ? ''
                : `${view.symbol}: slope ${fixed(own.slope, 2)}${own.interval === null ? '' : ` ${interval(own.interval)}`}, predicted ${fixed(slope, 0)}. `;
            })}
          </Trans>
        </>
      }
    >
      <Legend
        items={WEIGHTS.flatMap(({ view, law }) => [
          { name: t`${view.symbol}, measured`, mark: view.shape, colour: view.colour },
          { name: law, line: 'prediction' as const },
        ])}
      />
      {curve.points.length === 0 ? (
        <TooFew height={HEIGHT} sequences={sequences} />
      ) : (
        <ErrorBars
          label={t`Variance of summed and averaged log weights by length`}
          x={x}
          y={y}
          xLabel={t`response tokens, L`}
          yLabel={t`variance, nats²`}
          height={HEIGHT}
          series={series}
          lines={WEIGHTS.flatMap(({ weight }) => {
            const law = lawOf(curve, weight);
            if (law === null) return [];
            const points = sampled(x.domain, 'log', law);
            return [{ id: `law ${weight}`, kind: 'prediction' as const, points }];
          })}
        />
      )}
    </Figure>
  );
}

export function SharesFigure({ measure, sequences, kind, axesKey, overlays }: PairFigure) {
  const curve = measure.shares[kind];
  const curves = [curve, ...overlays.map(({ result }) => result.shares[kind])];
  const { usableLength, predictedUsableLength } = measure;
  const x = useLengthAxis(
    curves.flatMap(({ points }) => points.map(({ length }) => length)),
    axesKey,
    5,
  );
  const y = useAxis('linear', [0, 1.04], `${axesKey} share`, 5);
  return (
    <Figure
      title={msg`What is left of the responses`}
      overlays={overlays}
      table={() =>
        overlayTable(
          overlays,
          { columns: shares.tableColumns(), rows: shares.tableRows(curve, shares.SHARE) },
          (own) => shares.tableRows(own.shares[kind], shares.SHARE),
        )
      }
      caption={
        <>
          <Trans>
            Effective sample size over n, (Σ w)² ÷ (n Σ w²), {CURVE_NAMES[kind]}. Half of the
            responses are wasted by ρ from {significant(predictedUsableLength, 3)} tokens on, says
            the log-normal;{' '}
            {usableLength === null
              ? t`no measured prefix is that long.`
              : t`measured: ${significant(usableLength, 3)}.`}
          </Trans>
        </>
      }
    >
      <Legend
        items={[
          { name: t`s, averaged`, mark: SEQUENCE.shape, colour: SEQUENCE.colour },
          { name: t`ρ, summed`, mark: UNNORMALISED.shape, colour: UNNORMALISED.colour },
          { name: t`log-normal`, line: 'prediction' },
        ]}
      />
      {curve.points.length === 0 ? (
        <TooFew height={HEIGHT} sequences={sequences} />
      ) : (
        <ErrorBars
          label={t`Effective sample size of summed and averaged weights by length`}
          x={x}
          y={y}
          xLabel={t`response tokens, L`}
          yLabel={t`effective share`}
          height={HEIGHT}
          series={[
            ...overlaySeries(overlays, (own) => shares.seriesOf(own.shares[kind], shares.SHARE)),
            ...shares.seriesOf(curve, shares.SHARE),
          ]}
          lines={shares.linesOf(curve, shares.SHARE)}
          rules={[{ along: 'y', at: 0.5, label: t`half wasted` }]}
        />
      )}
    </Figure>
  );
}
