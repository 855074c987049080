/** Var[log s] taken apart: each part starts where the one before ends, and together they are the total. */
import type { DependenceResult } from '../../../src/experiments/dependence';
import { useAxis } from '../../charts/axes';
import { Figure } from '../../figures/Figure';
import { overlayTable } from '../../charts/overlay';
import { ALONG_Y, type Readable } from '../../charts/interaction';
import { Waterfall, waterfallRow } from '../../charts/marks/Waterfall';
import { Plot } from '../../charts/Plot';
import { domainOf, linearScale } from '../../charts/scale';
import { percent, significant } from '../../format/numbers';
import { useOverlays } from '../../runs/useOverlays';
import type { CurveFigure } from '../../page/statistics/views';
import { stepsOf } from './steps';

/** px of the axis below the parts */
const AXIS = 32;

function rowsOf({ decomposition }: DependenceResult): string[][] {
  return stepsOf(decomposition).map(({ name, value }) => [
    name,
    significant(value, 5),
    percent(value / decomposition.total),
  ]);
}

export function Decomposition({ result, axesKey }: CurveFigure<DependenceResult>) {
  const steps = stepsOf(result.decomposition);
  const { total } = result.decomposition;
  const overlays = useOverlays('dependence');
  const laid = overlays.map((own) => ({ ...own, steps: stepsOf(own.result.decomposition) }));
  const ends = [steps, ...laid.map((own) => own.steps)]
    .flat()
    .flatMap(({ from, to }) => [from, to]);
  const x = useAxis('linear', domainOf(ends, 0.06), `${axesKey} parts`, 4);
  const y = linearScale([-0.5, steps.length - 0.5], 1);
  const row = waterfallRow(laid.length);
  const readable: Readable = {
    stops: steps.map((step, i) => ({ x: step.to, y: steps.length - 1 - i })),
    reach: ALONG_Y,
    down: 1,
    mark: (i, frame) => (
      <rect
        className="plot-near-row"
        y={(i * frame.height) / steps.length}
        width={frame.width}
        height={frame.height / steps.length}
      />
    ),
    read: (i) => {
      const step = steps[i];
      if (step === undefined) return null;
      return {
        head: step.name,
        rows: [
          { name: 'nats²', value: significant(step.value, 5) },
          { name: 'of the total', value: percent(step.value / total, 2) },
          ...laid.map(({ label, look, steps: theirs }) => ({
            name: label,
            colour: look.colour,
            value: significant(theirs[i]?.value ?? NaN, 5),
          })),
        ],
      };
    },
  };
  return (
    <Figure
      title="Where the variance comes from"
      overlays={overlays}
      table={() =>
        overlayTable(
          overlays,
          { columns: ['part', 'nats²', 'share of the total'], rows: rowsOf(result) },
          rowsOf,
        )
      }
      caption={
        <>
          Var[log s] over all responses, {significant(total, 4)} nats². Independent tokens would
          give the first bar alone. The rest is what the law of the parts leaves. The parts add up
          to the total: covariances may be negative, so that a part of more than 100 % and one below
          0 % cancel.
        </>
      }
    >
      <Plot
        label={`Parts of Var[log s]: ${steps.map(({ name, value }) => `${name} ${percent(value / total)}`).join(', ')}`}
        x={x}
        y={y}
        xLabel="nats²"
        yTicks={false}
        left={16}
        height={AXIS + steps.length * row}
        grid="x"
        readable={readable}
      >
        <Waterfall
          steps={steps.map(({ name, value, from, to, kind }, i) => ({
            name,
            share: percent(value / total),
            from,
            to,
            className: `part-${kind}`,
            laid: laid.flatMap(({ id, look, steps: theirs }) => {
              const other = theirs[i];
              return other === undefined ? [] : [{ id, look, from: other.from, to: other.to }];
            }),
          }))}
        />
      </Plot>
    </Figure>
  );
}
