/** The sums: how much of the gradient each objective keeps, who holds it, and its norm in logit space. */
import type { GradientResult } from '../../../src/experiments/gradient';
import { Figure } from '../../figures/Figure';
import { overlayRows, overlayTable } from '../../charts/overlay';
import { Legend } from '../../charts/Legend';
import { Rows, type Row } from '../../charts/Rows';
import { Prose } from '../../format/Prose';
import { percent, significant } from '../../format/numbers';
import { useOverlays } from '../../runs/useOverlays';
import { objectiveView } from '../../page/objective-views';
import { percentScale } from '../../charts/scale';

const MARKS = [
  { name: 'kept after clipping', key: 'kept', shape: 'circle', colour: '--series-gspo' },
  { name: 'tokens with gradient', key: 'active', shape: 'square', colour: '--series-dapo' },
  { name: 'in responses with A > 0', key: 'positive', shape: 'stroke', colour: '--series-luspo' },
  {
    name: 'responses sharing it, effectively',
    key: 'effectiveResponses',
    shape: 'circle',
    colour: '--series-grpo',
  },
] as const;

function tableOf({ objectives }: GradientResult): string[][] {
  return objectives.map((objective) => [
    objectiveView(objective.id).name,
    objective.library === 'trl' ? 'TRL' : 'verl',
    significant(objective.loss, 5),
    significant(objective.mass, 5),
    ...MARKS.map(({ key }) => percent(objective[key])),
    objective.logitNorm === null ? 'unknown' : significant(objective.logitNorm, 4),
  ]);
}

function rowsOf({ objectives }: GradientResult): Row[] {
  return objectives.map((objective) => ({
    name: objectiveView(objective.id).name,
    marks: MARKS.map(({ name, key, shape, colour }) => ({
      name,
      shape,
      colour,
      value: objective[key],
    })),
  }));
}

export function Balance({ result }: { result: GradientResult }) {
  const overlays = useOverlays('gradient');
  const { logitSpace } = result;
  return (
    <Figure
      title="What becomes of the gradient"
      overlays={overlays}
      table={() =>
        overlayTable(
          overlays,
          {
            columns: [
              'objective',
              'settings of',
              'loss',
              'mass',
              ...MARKS.map(({ name }) => name),
              'norm in logit space',
            ],
            rows: tableOf(result),
          },
          tableOf,
        )
      }
      caption={
        logitSpace ? (
          <Prose>
            Norm of the gradient with respect to all logits, from p_y and Σp² of π_θ alone: √(1 −
            2p_y + Σp²) per token, in the table.
          </Prose>
        ) : (
          'This source has no collision probabilities Σp², so norms in logit space are unknown.'
        )
      }
    >
      <Legend
        items={MARKS.map(({ name, shape, colour }) => ({
          name,
          colour,
          mark: shape,
          hollow: true,
          interval: false,
        }))}
      />
      <Rows
        label="Shares of the gradient by objective"
        rows={overlayRows(overlays, rowsOf(result), rowsOf)}
        x={percentScale()}
        xLabel="share"
        show={(share) => percent(share, 2)}
      />
    </Figure>
  );
}
