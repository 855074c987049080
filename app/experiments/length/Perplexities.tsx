/** Mean perplexity against length under both policies, and its Jensen-free centre. */
import type { LengthResult } from '../../../src/experiments/length';
import { extent, logDomainOf, useAxis } from '../../charts/axes';
import { ErrorBars } from '../../charts/ErrorBars';
import { Figure } from '../../figures/Figure';
import { overlaySeries, overlayTable } from '../../charts/overlay';
import { Legend } from '../../charts/Legend';
import { useOverlays } from '../../runs/useOverlays';
import { estimate } from '../../format/numbers';
import { CURVE_NAMES, useLengthAxis } from '../../page/statistics/views';
import { TooFew } from '../../page/statistics/Controls';
import {
  centerLine,
  NEW,
  OLD,
  seriesOf,
  TABLE_COLUMNS,
  tableRows,
  type LengthFigure,
} from './series';

const HEIGHT = 360;
const VIEWS = [OLD, NEW];

export function Perplexities({ result, kind, axesKey }: LengthFigure) {
  const curve = result[kind];
  const overlays = useOverlays('length');
  const seriesIn = (own: LengthResult) => VIEWS.map((view) => seriesOf(own[kind], view, 'mean'));
  const rowsIn = (own: LengthResult) => tableRows(own[kind], VIEWS);
  const series = [...overlaySeries(overlays, seriesIn), ...seriesIn(result)];
  const x = useLengthAxis(
    series.flatMap(({ marks }) => marks.map((mark) => mark.x)),
    axesKey,
  );
  const shown = [
    ...extent(series.flatMap(({ marks }) => marks)),
    ...VIEWS.flatMap(({ id }) => centerLine(curve, id).map(([, y]) => y)),
  ];
  const y = useAxis('log', logDomainOf(shown), `${axesKey} perplexity`, 5);
  const target = curve.points.at(-1)?.perplexityOld.mean;
  return (
    <Figure
      title="Perplexity against length"
      className="figure-hero"
      overlays={overlays}
      table={() => overlayTable(overlays, { columns: TABLE_COLUMNS, rows: rowsIn(result) }, rowsIn)}
      caption={
        <>
          Mean perplexity of a response over its {CURVE_NAMES[kind]}, 95 % intervals over prompts.
          Dashed: exp of the mean cross-entropy, free of the Jensen gap; what is left of its slope
          comes from the position of the tokens
          {kind === 'natural' && ' or from which responses are long'}. Slope of log PPL under π_old
          on log L: {estimate(curve.perplexitySlope)}, predicted 0.
        </>
      }
    >
      <Legend
        items={[
          ...VIEWS.map((view) => ({ name: view.name, mark: view.shape, colour: view.colour })),
          { name: 'exp of the mean cross-entropy', line: 'rival', colour: '--ink-soft' },
          { name: 'predicted: as over the longest', line: 'prediction' },
        ]}
      />
      {curve.points.length === 0 ? (
        <TooFew height={HEIGHT} sequences={result.sequences} />
      ) : (
        <ErrorBars
          label="Mean perplexity under both policies by length"
          x={x}
          y={y}
          xLabel="tokens, L"
          yLabel="perplexity"
          height={HEIGHT}
          series={series}
          lines={VIEWS.map(({ id }) => ({
            id,
            kind: 'rival' as const,
            points: centerLine(curve, id),
          }))}
          rules={
            target === undefined
              ? []
              : [{ along: 'y', at: target, label: '', kind: 'prediction' as const }]
          }
        />
      )}
    </Figure>
  );
}
