/** Why nobody multiplies probabilities: where the quotient of float32 products is lost, by length. */
import { useMemo } from 'react';
import type { EquivalenceResult } from '../../../src/experiments/equivalence';
import { Figure } from '../../figures/Figure';
import { BinBars } from '../../charts/BinBars';
import { ALONG_X, type Readable } from '../../charts/interaction';
import { Legend } from '../../charts/Legend';
import { Marks } from '../../charts/marks/Marks';
import { StepHistogram } from '../../charts/marks/StepHistogram';
import { useStableDomain } from '../../charts/hooks';
import { overlayTable } from '../../charts/overlay';
import { Plot } from '../../charts/Plot';
import { countCeiling, linearScale, logScale } from '../../charts/scale';
import type { OverlayLook } from '../../charts/shapes';
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

const binsOf = (bins: Bins, of: (bin: Bins[number]) => number) =>
  bins.map((bin) => ({ from: bin.minLength - 0.5, to: bin.maxLength + 0.5, count: of(bin) }));

/** The middle of a bin on the axis of lengths. */
const middleOf = ({ minLength, maxLength }: Bins[number]) => Math.sqrt(minLength * maxLength);

export function Underflow({ result, recorded, axesKey, overlays }: FigureData<EquivalenceResult>) {
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

  const responses = useMemo(() => binsOf(underflow, (bin) => bin.sequences), [underflow]);
  const gone = useMemo(() => binsOf(underflow, (bin) => bin.lost), [underflow]);
  const readable: Readable = {
    stops: underflow.map((bin) => ({ x: middleOf(bin), y: bin.sequences })),
    reach: ALONG_X,
    pinned: true,
    mark: (i, frame) => {
      const bin = responses[i];
      if (bin === undefined) return null;
      const left = frame.x(bin.from);
      return (
        <rect className="bin-read" x={left} width={frame.x(bin.to) - left} height={frame.height} />
      );
    },
    read: (i) => {
      const bin = underflow[i];
      if (bin === undefined) return null;
      const same = (own: Bins) => own.find(({ minLength }) => minLength === bin.minLength);
      return {
        head: `${lengthsOf(bin)} tokens`,
        rows: [
          { name: 'responses', value: count(bin.sequences) },
          { name: 'lost', value: count(bin.lost) },
          ...overlays.map(({ label, look, result: own }) => ({
            name: label,
            colour: look.colour,
            value: lostText(same(own.underflow)),
          })),
        ],
      };
    },
  };
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
      <Legend
        items={[
          { name: 'responses', box: 'length-bar' },
          { name: 'naive product lost', box: 'length-bar-lost' },
        ]}
      />
      <Plot
        label={`Responses by length, and those whose naive product is lost: ${lost} of ${all}`}
        x={x}
        y={y}
        xLabel="response tokens, L"
        yLabel="responses"
        height={228}
        left={44}
        readable={readable}
      >
        <BinBars
          bins={responses}
          className="length-bar"
          gap={1}
          hatch={recorded ? '--ink-soft' : undefined}
        />
        <BinBars bins={gone} className="length-bar-lost" gap={1} />
        <StepHistogram
          closed={false}
          steps={overlays.map(({ id, look, result: own }) => ({
            id,
            colour: look.colour,
            dash: look.dash,
            bins: binsOf(own.underflow, (bin) => bin.sequences),
          }))}
        />
        {overlays.map(({ id, look, result: own }) => (
          <Lost key={id} bins={own.underflow} look={look} />
        ))}
      </Plot>
    </Figure>
  );
}

const lostText = (bin: Bins[number] | undefined) =>
  bin === undefined ? 'none of this length' : `${count(bin.lost)} of ${count(bin.sequences)} lost`;

/** Of a run laid over: its mark at the number of responses lost. */
function Lost({ bins, look }: { bins: Bins; look: OverlayLook }) {
  const data = useMemo(() => bins.map((bin) => ({ x: middleOf(bin), y: bin.lost })), [bins]);
  return <Marks colour={look.colour} data={data} shape={look.shape} laid r={3} />;
}
