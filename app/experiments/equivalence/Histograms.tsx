/**
 * The three histograms of s on shared bins: laid over each other, then each on its own. Contract:
 * counts are the kernels' own; what lies outside the bins is counted in words; a bar leads to its
 * sequences.
 */
import { useId, useMemo, type ReactNode } from 'react';
import type { EquivalenceResult } from '../../../src/experiments/equivalence';
import { Figure } from '../../figures/Figure';
import { BinBars } from '../../charts/BinBars';
import { ALONG_X, type Readable } from '../../charts/interaction';
import { Legend } from '../../charts/Legend';
import { StepHistogram } from '../../charts/marks/StepHistogram';
import { useStableDomain } from '../../charts/hooks';
import { overlayTable } from '../../charts/overlay';
import { Plot } from '../../charts/Plot';
import { Rule } from '../../charts/Rule';
import { countCeiling, linearScale } from '../../charts/scale';
import { count, counted, significant } from '../../format/numbers';
import { useLab } from '../../state/react';
import { binEdges, binsOf, COLUMNS, densityScale, largestOf, rowsOf } from './bins';
import { FORM_VIEWS, type FigureData } from './forms';
import { Outside } from './Outside';

export function Histograms({
  result,
  recorded,
  axesKey,
  overlays,
  controls,
}: FigureData<EquivalenceResult> & { controls: ReactNode }) {
  const lab = useLab();
  const { spec, histograms } = result;
  const crosshair = useId();
  const largest = Math.max(
    largestOf(result),
    ...overlays.map((own) => largestOf(own.result) * densityScale(own.result, result)),
  );
  const specs = [spec, ...overlays.map((own) => own.result.spec)];
  const [xLow, xHigh] = useStableDomain(
    [Math.min(...specs.map(({ low }) => low)), Math.max(...specs.map(({ high }) => high))],
    axesKey,
  );
  const [, yHigh] = useStableDomain([0, countCeiling(largest)], axesKey);
  const x = useMemo(() => linearScale([xLow, xHigh], 7), [xLow, xHigh]);
  const y = useMemo(() => linearScale([0, yHigh], 4), [yHigh]);
  const yStrip = useMemo(() => linearScale([0, yHigh], 2), [yHigh]);

  const words = (k: number) => {
    const [from, to] = binEdges(spec, k);
    return `s from ${significant(from, 6)} to ${significant(to, 6)}`;
  };
  const open = (k: number) => {
    const [low, high] = binEdges(spec, k);
    // The last bin includes its upper edge; the query does not.
    const above = k === spec.bins - 1 ? high + Math.abs(high) * 1e-9 : high;
    lab.inspect({ low, high: above, title: words(k), sequence: null });
  };
  const own = useMemo(
    () => FORM_VIEWS.map((view) => ({ ...view, bins: binsOf(histograms[view.form], spec) })),
    [histograms, spec],
  );
  const stops = useMemo(
    () =>
      Array.from({ length: spec.bins }, (_, k) => {
        const [from, to] = binEdges(spec, k);
        return { x: (from + to) / 2, y: yHigh };
      }),
    [spec, yHigh],
  );
  const readable: Readable = {
    stops,
    reach: ALONG_X,
    pinned: true,
    read: (k) =>
      k >= spec.bins
        ? null
        : {
            head: words(k),
            rows: FORM_VIEWS.map(({ form, name, colour }) => ({
              name,
              colour,
              value: count(histograms[form].counts[k] ?? 0),
            })),
          },
    mark: (k, frame) => {
      const [from, to] = binEdges(spec, k);
      const left = frame.x(from);
      return (
        <rect className="bin-read" x={left} width={frame.x(to) - left} height={frame.height} />
      );
    },
    open: recorded ? undefined : open,
  };
  const sync = { id: crosshair, by: 'index' } as const;
  const reference = xLow < 1 && 1 < xHigh && <Rule along="x" at={1} className="reference-line" />;

  const outside = histograms.geometric;
  return (
    <Figure
      title="Three forms of s, one distribution"
      recorded={recorded}
      className="figure-hero"
      controls={controls}
      overlays={overlays}
      table={() => overlayTable(overlays, { columns: COLUMNS, rows: rowsOf(result) }, rowsOf)}
      caption={
        <>
          {counted(result.sequences, 'response')}, {counted(result.tokens, 'token')}; dashed: s = 1,
          where both policies agree.{' '}
          <Outside
            histogram={outside}
            spec={spec}
            inspect={
              recorded
                ? null
                : (low, high, title) => {
                    lab.inspect({ low, high, title, sequence: null });
                  }
            }
          />
          {!recorded && <span className="only-live"> Click a bar for its responses.</span>}
          {overlays.length > 0 &&
            ' Runs laid over (geometric mean): heights scaled to as many responses and as wide bins as here; the table has their own counts.'}
        </>
      }
    >
      <Legend items={FORM_VIEWS.map(({ name, colour }) => ({ name, colour, line: 'thick' }))} />
      <Plot
        label={`Histograms of s by three forms, ${counted(result.sequences, 'response')}`}
        x={x}
        y={y}
        yLabel="responses"
        height={232}
        left={44}
        readable={readable}
        sync={sync}
      >
        {recorded && own[0] !== undefined && (
          <BinBars bins={own[0].bins} hatch="--ink-soft" gap={1} />
        )}
        <StepHistogram
          steps={[
            ...overlays.map(({ id, look, result: other }) => ({
              id,
              colour: look.colour,
              dash: look.dash,
              bins: binsOf(other.histograms.geometric, other.spec, densityScale(other, result)),
            })),
            ...own.map(({ form, colour, bins }) => ({ id: form, colour, bins })),
          ]}
        />
        {reference}
      </Plot>
      {own.map(({ form, name, colour, bins }, i) => (
        <div className="strip" key={form}>
          <div className="strip-name" style={{ color: `var(${colour}-text)` }}>
            {name}
          </div>
          <Plot
            label={`Histogram of s by ${name.toLowerCase()}`}
            x={x}
            y={yStrip}
            height={i === 2 ? 92 : 74}
            left={44}
            xTicks={i === 2}
            {...(i === 2 ? { xLabel: 's' } : {})}
            readable={{ ...readable, boxless: true }}
            sync={sync}
          >
            <BinBars bins={bins} gap={1} colour={colour} hatch={recorded ? colour : undefined} />
            {reference}
          </Plot>
        </div>
      ))}
    </Figure>
  );
}
