/** Why nobody multiplies probabilities: where the quotient of float32 products is lost, by length. */
import { useMemo, useState } from 'react';
import type { EquivalenceResult } from '../../../src/experiments/equivalence';
import { Figure } from '../../figures/Figure';
import { Hatch } from '../../charts/marks';
import { useStableDomain } from '../../charts/hooks';
import { overlayTable } from '../../charts/overlay';
import { Plot, Tooltip, type Frame } from '../../charts/Plot';
import { countCeiling, linearScale, logScale } from '../../charts/scale';
import { markPath } from '../../charts/shapes';
import { count, counted, percent } from '../../format/numbers';
import { Prose } from '../../format/Prose';
import type { FigureData } from './forms';

type Bins = EquivalenceResult['underflow'];

const lengthsOf = ({ minLength, maxLength }: Bins[number]) => `${minLength}–${maxLength}`;

function rowsOf({ underflow }: EquivalenceResult): string[][] {
  return underflow.map((bin) => [
    lengthsOf(bin),
    count(bin.sequences),
    count(bin.lost),
    bin.sequences > 0 ? percent(bin.lost / bin.sequences) : '',
  ]);
}

/** Over the bars of another run: a step per bin at its number of responses. */
function outline(bins: Bins, frame: Frame, of: (bin: Bins[number]) => number): string {
  return bins
    .map((bin, i) => {
      const joined = bins[i - 1]?.maxLength === bin.minLength - 1;
      const [left, right] = [frame.x(bin.minLength - 0.5), frame.x(bin.maxLength + 0.5)];
      const y = frame.y(of(bin)).toFixed(1);
      return `${joined ? 'L' : 'M'}${left.toFixed(1)} ${y}H${right.toFixed(1)}`;
    })
    .join('');
}

export function Underflow({ result, recorded, axesKey, overlays }: FigureData<EquivalenceResult>) {
  const [near, setNear] = useState<number | null>(null);
  const { underflow } = result;
  const lost = underflow.reduce((sum, bin) => sum + bin.lost, 0);
  const all = underflow.reduce((sum, bin) => sum + bin.sequences, 0);
  const everyBin = [underflow, ...overlays.map((own) => own.result.underflow)].flat();
  const longest = Math.max(1, ...everyBin.map((bin) => bin.maxLength));
  const most = Math.max(1, ...everyBin.map((bin) => bin.sequences));
  const shortest = Math.min(longest, ...everyBin.map((bin) => bin.minLength));
  const [xLow, xHigh] = useStableDomain([shortest - 0.5, longest + 0.5], axesKey);
  const [, yHigh] = useStableDomain([0, countCeiling(most)], axesKey);
  const x = useMemo(() => logScale([xLow, xHigh], 6), [xLow, xHigh]);
  const y = useMemo(() => linearScale([0, yHigh], 4), [yHigh]);

  return (
    <Figure
      title="Where naive products underflow"
      recorded={recorded}
      overlays={overlays}
      table={() =>
        overlayTable(
          overlays,
          { columns: ['tokens', 'responses', 'lost', 'share lost'], rows: rowsOf(result) },
          rowsOf,
        )
      }
      caption={
        <>
          <Prose>The textbook quotient ∏ π_θ ÷ ∏ π_old in float32:</Prose> {count(lost)} of{' '}
          {counted(all, 'response')} lost (no number, or off by more than 1 %).{' '}
          {lost === 0
            ? 'None so far: these responses are short or likely enough.'
            : 'All three forms survive, because they work with sums of logs.'}
          {overlays.length > 0 &&
            ' Runs laid over: dashes at their responses, marks at those lost.'}
        </>
      }
    >
      <ul className="legend" aria-label="Legend">
        <li>
          <span className="legend-box legend-box-kept" /> responses
        </li>
        <li>
          <span className="legend-box legend-box-lost" /> naive product lost
        </li>
      </ul>
      <Plot
        label={`Responses by length, and those whose naive product is lost: ${lost} of ${all}`}
        x={x}
        y={y}
        xLabel="response tokens, L"
        yLabel="responses"
        height={228}
        left={44}
        over={(frame) => {
          const bin = near === null ? undefined : underflow[near];
          if (near === null || bin === undefined) return null;
          return (
            <Tooltip frame={frame} x={frame.x(Math.sqrt(bin.minLength * bin.maxLength))} y={10}>
              <div className="tooltip-head">{lengthsOf(bin)} tokens</div>
              <div className="tooltip-row">
                responses <b>{count(bin.sequences)}</b>
              </div>
              <div className="tooltip-row">
                lost <b>{count(bin.lost)}</b>
              </div>
            </Tooltip>
          );
        }}
      >
        {(frame) => (
          <>
            <defs>
              <Hatch id="hatch-underflow" colour="--ink-soft" />
            </defs>
            {underflow.map((bin, i) => {
              const left = frame.x(bin.minLength - 0.5);
              const width = Math.max(1, frame.x(bin.maxLength + 0.5) - left - 1);
              return (
                <g
                  key={bin.minLength}
                  onPointerEnter={() => setNear(i)}
                  onPointerLeave={() => setNear(null)}
                >
                  <rect
                    className="length-bar"
                    x={left}
                    width={width}
                    y={frame.y(bin.sequences)}
                    height={frame.height - frame.y(bin.sequences)}
                    {...(recorded ? { style: { fill: 'url(#hatch-underflow)' } } : {})}
                  />
                  <rect
                    className="length-bar-lost"
                    x={left}
                    width={width}
                    y={frame.y(bin.lost)}
                    height={frame.height - frame.y(bin.lost)}
                  />
                  <rect className="plot-hit" x={left} width={width} height={frame.height} />
                </g>
              );
            })}
            {overlays.map(({ id, label, look, result: own }) => (
              <g key={id} style={{ color: `var(${look.colour})` }} pointerEvents="none">
                <path
                  className="overlay-line overlay-series"
                  strokeDasharray={look.dash}
                  d={outline(own.underflow, frame, (bin) => bin.sequences)}
                />
                {own.underflow.map((bin) => (
                  <path
                    key={bin.minLength}
                    className="overlay-mark"
                    transform={`translate(${frame.x(Math.sqrt(bin.minLength * bin.maxLength)).toFixed(1)},${frame.y(bin.lost).toFixed(1)})`}
                    d={markPath(look.shape, 3)}
                  >
                    <title>{`${label}: ${lengthsOf(bin)} tokens, ${count(bin.lost)} lost`}</title>
                  </path>
                ))}
              </g>
            ))}
          </>
        )}
      </Plot>
    </Figure>
  );
}
