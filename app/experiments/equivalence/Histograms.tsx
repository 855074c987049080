/**
 * The three histograms of s on shared bins: laid over each other, then each on its own. Contract:
 * counts are the kernels' own; what lies outside the bins is counted in words; a bar leads to its
 * sequences.
 */
import { useMemo, useState, type KeyboardEvent, type ReactNode } from 'react';
import type { EquivalenceResult } from '../../../src/experiments/equivalence';
import { Figure } from '../../figures/Figure';
import { Hatch } from '../../charts/marks';
import { useStableDomain } from '../../charts/hooks';
import { overlayTable } from '../../charts/overlay';
import { Plot, Tooltip, type Frame } from '../../charts/Plot';
import { countCeiling, linearScale } from '../../charts/scale';
import { count, counted, significant } from '../../format/numbers';
import { useLab } from '../../state/react';
import { bars, binEdges, COLUMNS, densityScale, largestOf, outline, rowsOf } from './bins';
import { FORM_VIEWS, type FigureData } from './forms';
import { Outside } from './Outside';

/** Outlines are dashed in turn: where all three coincide they make one line of three colours. */
const DASH = 8;

export function Histograms({
  result,
  recorded,
  axesKey,
  overlays,
  controls,
}: FigureData<EquivalenceResult> & { controls: ReactNode }) {
  const lab = useLab();
  const { spec, histograms } = result;
  const [hovered, setHovered] = useState<number | null>(null);
  const [focusBin, setFocusBin] = useState(Math.floor(spec.bins / 2));

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

  const total = (k: number) => FORM_VIEWS.map(({ form }) => histograms[form].counts[k] ?? 0);
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
  const moveFocus = (event: KeyboardEvent<SVGGElement>) => {
    const step = { ArrowRight: 1, ArrowLeft: -1, Home: -spec.bins, End: spec.bins }[event.key];
    if (step !== undefined) {
      event.preventDefault();
      const next = Math.min(spec.bins - 1, Math.max(0, focusBin + step));
      setFocusBin(next);
      event.currentTarget.querySelector<SVGRectElement>(`[data-bin="${next}"]`)?.focus();
    } else if ((event.key === 'Enter' || event.key === ' ') && !recorded) {
      event.preventDefault();
      open(focusBin);
    }
  };

  const hits = (frame: Frame, focusable: boolean) => (
    <g onKeyDown={moveFocus} onPointerLeave={() => setHovered(null)}>
      {Array.from({ length: spec.bins }, (_, k) => {
        const [from, to] = binEdges(spec, k);
        const focus = focusable
          ? {
              role: 'button',
              tabIndex: k === Math.min(focusBin, spec.bins - 1) ? 0 : -1,
              'aria-label': `${words(k)}: ${total(k)
                .map((n, i) => `${FORM_VIEWS[i]?.name} ${n}`)
                .join(', ')}`,
              onFocus: () => {
                setFocusBin(k);
                setHovered(k);
              },
              onBlur: () => setHovered(null),
            }
          : {};
        return (
          <rect
            key={k}
            data-bin={k}
            data-count={histograms.geometric.counts[k]}
            className={`bin ${recorded ? '' : 'bin-pick'} ${hovered === k ? 'bin-hovered' : ''}`}
            x={frame.x(from)}
            width={Math.max(0, frame.x(to) - frame.x(from))}
            height={frame.height}
            onPointerEnter={() => setHovered(k)}
            {...(recorded ? {} : { onClick: () => open(k) })}
            {...focus}
          />
        );
      })}
    </g>
  );

  const reference = (frame: Frame) =>
    xLow < 1 && 1 < xHigh ? (
      <line className="reference-line" x1={frame.x(1)} x2={frame.x(1)} y2={frame.height} />
    ) : null;

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
      <ul className="legend" aria-label="Legend">
        {FORM_VIEWS.map(({ form, name, colour }) => (
          <li key={form}>
            <span className="legend-line" style={{ background: `var(${colour})` }} />
            {name}
          </li>
        ))}
      </ul>
      <Plot
        label={`Histograms of s by three forms, ${counted(result.sequences, 'response')}`}
        x={x}
        y={y}
        yLabel="responses"
        height={232}
        left={44}
        interactive
        over={(frame) => {
          if (hovered === null || hovered >= spec.bins) return null;
          const [from, to] = binEdges(spec, hovered);
          return (
            <Tooltip frame={frame} x={frame.x((from + to) / 2)} y={12}>
              <div className="tooltip-head">{words(hovered)}</div>
              {FORM_VIEWS.map(({ form, name, colour }) => (
                <div key={form} className="tooltip-row">
                  <span className="swatch" style={{ background: `var(${colour})` }} />
                  {name}
                  <b>{count(histograms[form].counts[hovered] ?? 0)}</b>
                </div>
              ))}
            </Tooltip>
          );
        }}
      >
        {(frame) => (
          <>
            {recorded && (
              <>
                <defs>
                  <Hatch id="hatch-overlay" colour="--ink-soft" />
                </defs>
                <path d={bars(outside, spec, frame)} fill="url(#hatch-overlay)" />
              </>
            )}
            {overlays.map(({ id, look, result: own }) => (
              <path
                key={id}
                className="overlay-line overlay-series"
                style={{ color: `var(${look.colour})` }}
                strokeDasharray={look.dash}
                d={outline(own.histograms.geometric, own.spec, frame, densityScale(own, result))}
              />
            ))}
            {FORM_VIEWS.map(({ form, colour }, i) => (
              <path
                key={form}
                className="outline"
                d={outline(histograms[form], spec, frame)}
                stroke={`var(${colour})`}
                strokeDasharray={`${DASH} ${2 * DASH}`}
                strokeDashoffset={-i * DASH}
              />
            ))}
            {reference(frame)}
            {hits(frame, true)}
          </>
        )}
      </Plot>
      {FORM_VIEWS.map(({ form, name, colour }, i) => (
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
          >
            {(frame) => (
              <>
                <defs>
                  <Hatch id={`hatch-${form}`} colour={colour} />
                </defs>
                <path
                  d={bars(histograms[form], spec, frame)}
                  fill={recorded ? `url(#hatch-${form})` : `var(${colour})`}
                />
                {reference(frame)}
                {hits(frame, false)}
              </>
            )}
          </Plot>
        </div>
      ))}
    </Figure>
  );
}
