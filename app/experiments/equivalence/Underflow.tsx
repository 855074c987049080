/** Why nobody multiplies probabilities: where the quotient of float32 products is lost, by length. */
import { useMemo, useState } from 'react';
import type { EquivalenceResult } from '../../../src/experiments/equivalence';
import { Figure } from '../../charts/Figure';
import { Hatch } from '../../charts/Hatch';
import { useStableDomain } from '../../charts/hooks';
import { Plot, Tooltip } from '../../charts/Plot';
import { countCeiling, linearScale, logScale } from '../../charts/scale';
import { count, counted, percent } from '../../format/numbers';
import { Prose } from '../../format/Prose';
import type { FigureData } from './forms';

export function Underflow({ result, recorded, axesKey }: FigureData<EquivalenceResult>) {
  const [near, setNear] = useState<number | null>(null);
  const { underflow } = result;
  const lost = underflow.reduce((sum, bin) => sum + bin.lost, 0);
  const all = underflow.reduce((sum, bin) => sum + bin.sequences, 0);
  const longest = Math.max(1, ...underflow.map((bin) => bin.maxLength));
  const most = Math.max(1, ...underflow.map((bin) => bin.sequences));
  const shortest = Math.min(longest, ...underflow.map((bin) => bin.minLength));
  const [xLow, xHigh] = useStableDomain([shortest - 0.5, longest + 0.5], axesKey);
  const [, yHigh] = useStableDomain([0, countCeiling(most)], axesKey);
  const x = useMemo(() => logScale([xLow, xHigh], 6), [xLow, xHigh]);
  const y = useMemo(() => linearScale([0, yHigh], 4), [yHigh]);
  const lengths = (i: number) => {
    const bin = underflow[i];
    return bin === undefined ? '' : `${bin.minLength}–${bin.maxLength}`;
  };

  return (
    <Figure
      title="Where naive products underflow"
      recorded={recorded}
      table={() => ({
        columns: ['tokens', 'responses', 'lost', 'share lost'],
        rows: underflow.map((bin, i) => [
          lengths(i),
          count(bin.sequences),
          count(bin.lost),
          bin.sequences > 0 ? percent(bin.lost / bin.sequences) : '',
        ]),
      })}
      caption={
        <>
          <Prose>The textbook quotient ∏ π_θ ÷ ∏ π_old in float32:</Prose> {count(lost)} of{' '}
          {counted(all, 'response')} lost (no number, or off by more than 1 %).{' '}
          {lost === 0
            ? 'None so far: these responses are short or likely enough.'
            : 'All three forms survive, because they work with sums of logs.'}
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
              <div className="tooltip-head">{lengths(near)} tokens</div>
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
          </>
        )}
      </Plot>
    </Figure>
  );
}
