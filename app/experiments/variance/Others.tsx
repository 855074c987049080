/** Beside the law: the unnormalised weight, whose variance grows with L, and the token, whose does not. */
import type { VarianceResult } from '../../../src/experiments/variance';
import { extent, logDomainOf, sampled, useAxis } from '../../charts/axes';
import { ErrorBars } from '../../charts/ErrorBars';
import { Figure } from '../../figures/Figure';
import { overlaySeries, overlayTable } from '../../charts/overlay';
import type { Domain } from '../../charts/scale';
import { Legend } from '../../charts/Legend';
import { fixed } from '../../format/numbers';
import { useOverlays } from '../../runs/useOverlays';
import { usePageSetting } from '../../state/address-react';
import { AxisSwitch, TooFew } from '../../page/statistics/Controls';
import {
  TOKEN,
  UNNORMALISED,
  type CurveFigure,
  type WeightView,
} from '../../page/statistics/views';
import {
  lawOf,
  pointsOf,
  seriesOf,
  tableColumns,
  tableRows,
  type Weight,
} from '../../page/statistics/variance-series';

const HEIGHT = 280;

export function Others(figure: CurveFigure<VarianceResult>) {
  return (
    <div className="figure-pair">
      <Other
        {...figure}
        weight="unnormalised"
        view={UNNORMALISED}
        title="Unnormalised weight"
        law="L σ²"
        axes="unnormalisedAxes"
        what="log ρ = Σ dₜ, the log of the product of all ratios (less its drift): no averaging, so every token adds to its variance."
      />
      <Other
        {...figure}
        weight="token"
        view={TOKEN}
        title="One token"
        law="σ²"
        axes="tokenAxes"
        what="dₜ of single tokens, by the length of the response they stand in: what GRPO clips."
      />
    </div>
  );
}

interface OtherProps extends CurveFigure<VarianceResult> {
  weight: Weight;
  view: WeightView;
  title: string;
  law: string;
  what: string;
  /** the page's choice of axes */
  axes: 'unnormalisedAxes' | 'tokenAxes';
}

function Other({ result, axesKey: pageKey, weight, view, title, law, what, axes }: OtherProps) {
  const [mode, setMode] = usePageSetting('variance', axes);
  const curve = result.natural;
  const axesKey = `${pageKey} ${curve.points.length === 0 ? 'empty' : ''}`;
  const overlays = useOverlays('variance');
  const marksOf = ({ natural }: VarianceResult) =>
    seriesOf({ curve: natural, weight, colour: view.colour, shape: view.shape }, 'measured');
  const rowsOf = ({ natural }: VarianceResult) => tableRows(natural, weight);
  const series = [...overlaySeries(overlays, (own) => [marksOf(own)]), marksOf(result)];
  const marks = series.flatMap((own) => own.marks);
  const points = pointsOf(curve, weight);
  const shown = [
    ...extent(marks),
    ...points.flatMap(({ value }) => [value.predicted / 1.2, value.predicted * 1.2]),
  ];
  const [low, high] = logDomainOf(
    marks.map((mark) => mark.x),
    0.03,
  );
  const yNow: Domain =
    mode === 'log' ? logDomainOf(shown) : [0, Math.max(...shown, Number.MIN_VALUE) * 1.05];
  const x = useAxis(mode, mode === 'log' ? [low, high] : [0, high], `${axesKey} x`, 5);
  const y = useAxis(mode, yNow, `${axesKey} y`, 5);
  const predicted = lawOf(curve, weight);
  const slope = curve.slopes[weight];
  const ends = slope?.interval;
  return (
    <Figure
      title={title}
      controls={<AxisSwitch value={mode} onChoose={setMode} />}
      overlays={overlays}
      table={() =>
        overlayTable(overlays, { columns: tableColumns(), rows: rowsOf(result) }, rowsOf)
      }
      caption={what}
    >
      <Legend
        items={[
          { name: 'measured, natural lengths', mark: view.shape, colour: view.colour },
          { name: `predicted, ${law}`, line: 'prediction' },
          ...(slope === null
            ? []
            : [
                {
                  name: `slope ${fixed(slope.slope, 2)}${ends ? ` [${fixed(ends[0], 2)}, ${fixed(ends[1], 2)}]` : ''}, predicted ${fixed(slope.prediction, 0)}`,
                  line: 'fit' as const,
                  colour: view.colour,
                },
              ]),
        ]}
      />
      {points.length === 0 ? (
        <TooFew height={HEIGHT} sequences={result.sequences} />
      ) : (
        <ErrorBars
          label={`Measured and predicted variance of ${view.symbol} by length`}
          x={x}
          y={y}
          xLabel="response tokens, L"
          yLabel={`Var[${view.symbol}], nats²`}
          height={HEIGHT}
          series={series}
          lines={[
            ...(predicted === null
              ? []
              : [
                  {
                    id: 'law',
                    kind: 'prediction' as const,
                    points: sampled(x.domain, mode, predicted),
                  },
                ]),
            ...(slope === null
              ? []
              : [
                  {
                    id: 'fit',
                    kind: 'fit' as const,
                    colour: view.colour,
                    points: sampled([Math.max(low, x.domain[0]), high], mode, (L) =>
                      Math.exp(slope.intercept + slope.slope * Math.log(L)),
                    ),
                  },
                ]),
          ]}
        />
      )}
    </Figure>
  );
}
