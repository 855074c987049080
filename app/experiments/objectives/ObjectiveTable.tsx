/** Every objective: formula, source, and for each library what is clipped, weighed, averaged, and what comes out. */
import type {
  ObjectiveRow,
  ObjectiveSide,
  ObjectivesResult,
} from '../../../src/experiments/objectives';
import { kindOf } from '../../../src/math/objectives/registry';
import { percent, significant } from '../../format/numbers';
import { Formula } from '../../format/Formula';
import { shareText } from '../../charts/scale';
import { LIBRARY_VIEWS } from '../../page/objective-views';
import { aggregationWords, clampWords } from './settings-words';

/** The two that the page is about; the others unfold. */
const OPEN: ReadonlySet<string> = new Set(['gspo', 'grpo']);

export function ObjectiveTable({ result }: { result: ObjectivesResult }) {
  return (
    <section aria-labelledby="objectives-title" className="objective-list">
      <h2 id="objectives-title">Objective by objective</h2>
      {result.objectives.map((row) => (
        <Objective key={row.id} row={row} />
      ))}
    </section>
  );
}

function Objective({ row }: { row: ObjectiveRow }) {
  const { id, title, formula, source, difference } = row;
  return (
    <details className="figure objective" data-testid={`objective-${id}`} open={OPEN.has(id)}>
      <summary>
        <h3>{title}</h3>
        <span className="objective-brief">
          loss
          {LIBRARY_VIEWS.map(({ library, name }) => {
            const loss = row[library]?.loss;
            return (
              <span key={library}>
                {name} <b>{loss === undefined ? 'none' : significant(loss, 5)}</b>
              </span>
            );
          })}
        </span>
      </summary>
      <Formula tex={formula} block height={56} label={`formula of ${title}`} />
      <p className="small">
        <a href={source.url}>{source.title}</a>
        {difference !== '' && <>. {codes(difference)}</>}
      </p>
      <div className="objective-sides">
        {LIBRARY_VIEWS.map(({ library, name }) => (
          <Side key={library} name={name} side={row[library]} />
        ))}
      </div>
    </details>
  );
}

/** Names in backticks as code. */
function codes(text: string) {
  return text.split('`').map((part, i) => (i % 2 === 1 ? <code key={i}>{part}</code> : part));
}

/** The parts of the share, under the names that the library logs. */
function clipParts({ clip }: ObjectiveSide): { name: string; value: number }[] {
  if (clip === null) return [];
  const parts =
    'clipFraction' in clip
      ? [
          { name: 'pg_clipfrac', value: clip.clipFraction },
          { name: 'pg_clipfrac_lower', value: clip.clipFractionLower },
        ]
      : [
          { name: 'low_mean', value: clip.lowMean },
          { name: 'high_mean', value: clip.highMean },
          { name: 'region_mean', value: clip.regionMean },
          { name: 'low_min', value: clip.lowMin },
          { name: 'high_max', value: clip.highMax },
        ];
  return parts.flatMap(({ name, value }) => (value === null ? [] : [{ name, value }]));
}

function Side({ name, side }: { name: string; side: ObjectiveSide | null }) {
  if (side === null) {
    return (
      <div className="objective-side">
        <h4>{name}</h4>
        <p className="muted small">has no such objective</p>
      </div>
    );
  }
  const { settings, clamps, loss, mass, uncorrected, active, closed, weight } = side;
  const parts = clipParts(side);
  const words = kindOf(settings.surrogate).words(settings.surrogate);
  const facts: [string, string][] = [
    ['loss', significant(loss, 8)],
    ...(uncorrected === null
      ? []
      : ([
          ['loss, uncorrected', significant(uncorrected.loss, 8)],
          [
            'gradient mass',
            `${significant(mass, 5)} (uncorrected ${significant(uncorrected.mass, 5)})`,
          ],
          ['behind a closed gate', percent(closed, 2)],
        ] satisfies [string, string][])),
    ...parts.map((part): [string, string] => [part.name, shareText(part.value)]),
    ['tokens with gradient', percent(active)],
    ['weights', `${significant(weight.min, 4)} … ${significant(weight.max, 4)}`],
    ['clips', words.clips],
    ['clamps', clampWords(clamps)],
    ['weight', words.weight],
    ['averages', aggregationWords(settings.aggregation)],
  ];
  return (
    <div className="objective-side">
      <h4>{name}</h4>
      <dl>
        {facts.map(([term, value]) => (
          <div key={term}>
            <dt>{term}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}
