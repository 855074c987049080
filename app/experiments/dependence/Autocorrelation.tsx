/** Autocorrelation of d_t by lag, with intervals, the band of white noise, and the law's window. */
import type { DependenceResult } from '../../../src/experiments/dependence';
import type { LagPoint } from '../../../src/experiments/dependence/measure';
import { useAxis } from '../../charts/axes';
import { ErrorBars } from '../../charts/ErrorBars';
import type { MarkSeries } from '../../charts/ErrorBars';
import { Figure } from '../../figures/Figure';
import { overlaySeries, overlayTable } from '../../charts/overlay';
import type { Domain } from '../../charts/scale';
import { Legend } from '../../charts/Legend';
import { count, counted, fixed } from '../../format/numbers';
import { useOverlays } from '../../runs/useOverlays';
import { TOKEN, type CurveFigure } from '../../page/statistics/views';

const HEIGHT = 300;

/** Correlations, from -1 to 1; far lags rest on few pairs and do not set the axis. */
function domainOf(lags: readonly LagPoint[]): Domain {
  let low = -0.1;
  let high = 0.1;
  for (const { autocorrelation, interval } of lags) {
    if (!Number.isFinite(autocorrelation)) continue;
    const reach = 0.15;
    low = Math.min(low, Math.max(interval?.[0] ?? 0, autocorrelation - reach), autocorrelation);
    high = Math.max(high, Math.min(interval?.[1] ?? 0, autocorrelation + reach), autocorrelation);
  }
  return [Math.max(-1.05, low * 1.08), Math.min(1.05, high * 1.08)];
}

const shownOf = (lags: readonly LagPoint[]) =>
  lags.filter(({ autocorrelation }) => Number.isFinite(autocorrelation));

function marksOf(lags: readonly LagPoint[]): MarkSeries {
  const shown = shownOf(lags);
  return {
    id: 'lags',
    colour: TOKEN.colour,
    shape: 'circle',
    marks: shown.map(({ lag, autocorrelation, interval }) => ({
      x: lag,
      y: autocorrelation,
      interval,
    })),
    describe: (i) => {
      const point = shown[i];
      return point === undefined
        ? { head: '', rows: [] }
        : {
            head: `lag ${point.lag}, ${counted(point.pairs, 'pair')} of tokens`,
            rows: [
              ['autocorrelation', fixed(point.autocorrelation, 4)],
              ['95 % interval', ends(point.interval)],
              ['white noise within', `±${fixed(point.band, 4)}`],
            ],
          };
    },
  };
}

const rowsOf = ({ lags }: DependenceResult) =>
  lags.map((point) => [
    String(point.lag),
    count(point.pairs),
    fixed(point.autocorrelation, 5),
    ends(point.interval),
    `±${fixed(point.band, 5)}`,
  ]);

export function Autocorrelation({ result, axesKey }: CurveFigure<DependenceResult>) {
  const { lags, window, integratedAutocorrelation } = result;
  const overlays = useOverlays('dependence');
  const all = [result, ...overlays.map((overlay) => overlay.result)].flatMap((own) => own.lags);
  const x = useAxis(
    'linear',
    [0, Math.max(1, ...all.map(({ lag }) => lag)) + 1],
    `${axesKey} lag`,
    8,
  );
  const y = useAxis('linear', domainOf(all), `${axesKey} correlation`, 5);
  const shown = shownOf(lags);
  return (
    <Figure
      title="Autocorrelation of token log-ratios"
      className="figure-hero"
      overlays={overlays}
      table={() =>
        overlayTable(
          overlays,
          {
            columns: ['lag', 'pairs', 'autocorrelation', '95 % interval', 'white noise within'],
            rows: rowsOf(result),
          },
          rowsOf,
        )
      }
      caption={
        <>
          Correlation of dₜ with dₜ₊ₖ in the same response, the prompt’s own part removed;{' '}
          {counted(result.tokens, 'token')}. The law of the parts sums the first{' '}
          {counted(window, 'lag')}: 1 + 2 Σ ρₖ = {fixed(integratedAutocorrelation.estimate, 3)}{' '}
          {ends(integratedAutocorrelation.interval, 3)}.
        </>
      }
    >
      <Legend
        items={[
          { name: 'measured, 95 % interval at every look', mark: 'circle', colour: TOKEN.colour },
          { name: 'predicted: 0 at every lag', line: 'prediction' },
          { name: 'where white noise stays, 95 %', band: true },
        ]}
      />
      {shown.length === 0 ? (
        <div className="plot-empty" style={{ height: HEIGHT }}>
          <p>Responses of one token have no neighbours.</p>
        </div>
      ) : (
        <ErrorBars
          label={`Autocorrelation of token log-ratios at lags 1 to ${shown.at(-1)?.lag}`}
          x={x}
          y={y}
          xLabel="lag k, tokens"
          yLabel="autocorrelation ρₖ"
          height={HEIGHT}
          series={[...overlaySeries(overlays, (own) => [marksOf(own.lags)]), marksOf(lags)]}
          bands={[{ id: 'noise', points: lags.map(({ lag, band }) => [lag, -band, band]) }]}
          rules={[
            { along: 'y', at: 0, label: '', kind: 'prediction' },
            { along: 'x', at: window + 0.5, label: 'window of the law' },
          ]}
        />
      )}
    </Figure>
  );
}

function ends(interval: readonly [number, number] | null, decimals = 4): string {
  if (interval === null) return '(no interval yet)';
  return `[${fixed(interval[0], decimals)}, ${fixed(interval[1], decimals)}]`;
}
