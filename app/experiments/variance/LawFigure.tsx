/** Var[log s] against length: points with intervals, the line sigma^2/L, the fit, and the residuals. */
import { useId } from 'react';
import type { VarianceResult } from '../../../src/experiments/variance';
import type { VarianceCurve } from '../../../src/experiments/shared/variance-curve';
import type { LengthBins } from '../../../src/link/pages';
import { extent, logDomainOf, sampled, useAxis, type AxisMode } from '../../charts/axes';
import { ErrorBars } from '../../charts/ErrorBars';
import type { CurveBand, CurveLine, MarkSeries } from '../../charts/ErrorBars';
import { Figure } from '../../figures/Figure';
import { overlaySeries, overlayTable } from '../../charts/overlay';
import type { Domain } from '../../charts/scale';
import { Legend, type LegendItem } from '../../charts/Legend';
import { counted, fixed } from '../../format/numbers';
import { useOverlays } from '../../runs/useOverlays';
import { usePageSetting } from '../../state/address-react';
import { AxisSwitch, BinsSwitch, CurveSwitch, TooFew } from '../../page/statistics/Controls';
import { CURVE_NAMES, CURVE_SHAPES, SEQUENCE, type CurveFigure } from '../../page/statistics/views';
import { lawOf, seriesOf, tableColumns, tableRows } from '../../page/statistics/variance-series';

const HEIGHT = 400;
const RESIDUAL_HEIGHT = 150;

interface LawFigureProps extends CurveFigure<VarianceResult> {
  bins: LengthBins;
  onBins: (bins: LengthBins) => void;
}

export function LawFigure({ result, axesKey, bins, onBins }: LawFigureProps) {
  const [mode, setMode] = usePageSetting('variance', 'axes');
  const [choice, setChoice] = usePageSetting('variance', 'curve');
  const overlays = useOverlays('variance');
  const curvesOf = ({ natural, prefix }: VarianceResult) =>
    [natural, prefix].filter(
      ({ kind, points }) => points.length > 0 && (choice === 'both' || choice === kind),
    );
  const curves = curvesOf(result);
  const drawn = result.natural.points.reduce((sum, { sequences }) => sum + sequences, 0);
  const alone = result.sequences - drawn;
  const rowsOf = (own: VarianceResult) =>
    curvesOf(own).flatMap((curve) => tableRows(curve, 'sequence'));
  return (
    <Figure
      title="Variance of log s against length"
      className="figure-hero"
      controls={
        <>
          <CurveSwitch value={choice} onChoose={setChoice} both />
          <AxisSwitch value={mode} onChoose={setMode} />
          <BinsSwitch value={bins} onChoose={onBins} />
        </>
      }
      overlays={overlays}
      table={() =>
        overlayTable(overlays, { columns: tableColumns(), rows: rowsOf(result) }, rowsOf)
      }
      caption={
        <>
          {counted(result.sequences, 'response')} to {counted(result.prompts, 'prompt')}. Error
          bars: 95 % intervals over prompts, valid at every look. Line: σ²/L, with the σ² of the
          tokens of the same responses (band: its interval). Under it, measured ÷ predicted; on 1
          the law holds.
          {alone > 0 &&
            ` ${counted(alone, 'response')} of natural length ${alone === 1 ? 'is' : 'are'} alone in ${alone === 1 ? 'its' : 'their'} bin and not drawn: slopes and level count every response.`}
        </>
      }
    >
      <Legend items={legendOf(curves)} />
      {curves.length === 0 ? (
        <TooFew height={HEIGHT + RESIDUAL_HEIGHT} sequences={result.sequences} />
      ) : (
        <LawPlots
          curves={curves}
          laidOver={(what) =>
            overlaySeries(overlays, (own) => curvesOf(own).map((curve) => marksOf(curve, what)))
          }
          prefixLine={result.prefixLine}
          mode={mode}
          axesKey={`${axesKey} ${choice} ${bins}`}
        />
      )}
    </Figure>
  );
}

type What = 'measured' | 'ratio';

const marksOf = (curve: VarianceCurve, what: What) =>
  seriesOf({ curve, weight: 'sequence', colour: SEQUENCE.colour }, what);

interface LawPlotsProps {
  curves: readonly VarianceCurve[];
  /** marks of the kept runs */
  laidOver: (what: What) => readonly MarkSeries[];
  prefixLine: Float64Array;
  mode: AxisMode;
  axesKey: string;
}

function LawPlots({ curves, laidOver, prefixLine, mode, axesKey }: LawPlotsProps) {
  const sync = { id: useId(), by: 'index' as const };
  const all = (what: What) => [...laidOver(what), ...curves.map((curve) => marksOf(curve, what))];
  const measured = all('measured');
  const ratios = all('ratio');

  const lengths = measured.flatMap(({ marks }) => marks.map((mark) => mark.x));
  const [low, high] = logDomainOf(lengths, 0.03);
  const shown = [
    ...extent(measured.flatMap(({ marks }) => marks)),
    ...curves.flatMap(({ points }) => points.map(({ sequence }) => sequence.predicted)),
  ];
  const yNow: Domain = mode === 'log' ? logDomainOf(shown) : [0, Math.max(...shown) * 1.05];
  const x = useAxis(mode, mode === 'log' ? [low, high] : [0, high], `${axesKey} x`, 6);
  const y = useAxis(mode, yNow, `${axesKey} y`, 6);
  const ratio = useAxis(
    'log',
    logDomainOf([...extent(ratios.flatMap(({ marks }) => marks)), 0.7, 1.4]),
    `${axesKey} ratio`,
    4,
  );

  return (
    <>
      <ErrorBars
        label={`Measured and predicted variance of log s at ${counted(lengths.length, 'length')}`}
        x={x}
        y={y}
        yLabel="Var[log s], nats²"
        height={HEIGHT}
        xTicks={false}
        series={measured}
        bands={curves.flatMap((curve) => bandOf(curve, x.domain, mode))}
        lines={[
          ...curves.flatMap((curve) => linesOf(curve, x.domain, mode)),
          ...traceOf(curves, prefixLine),
        ]}
        sync={sync}
      />
      <div className="residuals">
        <ErrorBars
          label="Residuals: measured over predicted variance of log s"
          x={x}
          y={ratio}
          xLabel="response tokens, L"
          yLabel="measured ÷ predicted"
          height={RESIDUAL_HEIGHT}
          series={ratios}
          rules={[{ along: 'y', at: 1, label: '', kind: 'prediction' }]}
          sync={sync}
        />
      </div>
    </>
  );
}

function linesOf(curve: VarianceCurve, domain: Domain, mode: AxisMode): CurveLine[] {
  const law = lawOf(curve, 'sequence');
  const fit = curve.slopes.sequence;
  const own = span(curve, domain, mode);
  return [
    ...(law === null
      ? []
      : [
          {
            id: `law ${curve.kind}`,
            kind: curve.kind === 'natural' ? ('prediction' as const) : ('rival' as const),
            points: sampled(own, mode, law),
          },
        ]),
    ...(fit === null
      ? []
      : [
          {
            id: `fit ${curve.kind}`,
            kind: 'fit' as const,
            colour: SEQUENCE.colour,
            points: sampled(own, mode, (L) => Math.exp(fit.intercept + fit.slope * Math.log(L))),
          },
        ]),
  ];
}

/** A prediction reaches a little beyond the lengths that it is made for. */
function span({ points }: VarianceCurve, [low, high]: Domain, mode: AxisMode): Domain {
  const first = points[0]?.length ?? low;
  const last = points.at(-1)?.length ?? high;
  const from = Math.max(low, first / 1.1);
  return [mode === 'linear' ? Math.max(from, 0.5) : from, Math.min(high, last * 1.1)];
}

function bandOf(curve: VarianceCurve, domain: Domain, mode: AxisMode): CurveBand[] {
  const ends = curve.tokenVariance?.interval;
  if (!ends) return [];
  const line = sampled(span(curve, domain, mode), mode, (L) => 1 / L);
  return [
    {
      id: curve.kind,
      points: line.map(([L, inverse]) => [L, ends[0] * inverse, ends[1] * inverse]),
    },
  ];
}

/** The prefixes at every length, not only where there are points. */
function traceOf(curves: readonly VarianceCurve[], prefixLine: Float64Array): CurveLine[] {
  if (!curves.some(({ kind }) => kind === 'prefix')) return [];
  const points = Array.from(prefixLine, (value, k): [number, number] => [k + 1, value]);
  return [{ id: 'trace', kind: 'trace', colour: SEQUENCE.colour, points }];
}

function legendOf(curves: readonly VarianceCurve[]): LegendItem[] {
  return curves.flatMap((curve): LegendItem[] => {
    const { kind, slopes } = curve;
    const slope = slopes.sequence;
    const ends = slope?.interval;
    const words = ends ? ` [${fixed(ends[0], 2)}, ${fixed(ends[1], 2)}]` : '';
    return [
      {
        name: `measured, ${CURVE_NAMES[kind]}`,
        mark: CURVE_SHAPES[kind],
        colour: SEQUENCE.colour,
        hollow: kind === 'prefix',
      },
      { name: `σ²/L, ${CURVE_NAMES[kind]}`, line: kind === 'natural' ? 'prediction' : 'rival' },
      ...(slope === null
        ? []
        : [
            {
              name: `slope, ${CURVE_NAMES[kind]}: ${fixed(slope.slope, 2)}${words}; predicted −1`,
              line: 'fit' as const,
              colour: SEQUENCE.colour,
            },
          ]),
    ];
  });
}
