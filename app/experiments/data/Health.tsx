/** The health report: each finding with the figures it rests on, what stands out first. */
import type { ImportReport } from '../../../src/engine/lab/protocol';
import type { Figure, Finding, FindingLevel } from '../../../src/rollouts/health/report';
import { count, counted, significant } from '../../format/numbers';
import { shareText } from '../../page/percent';

const LEVELS: Record<FindingLevel, { order: number; mark: string; word: string; chip: string }> = {
  warning: { order: 0, mark: '!', word: 'look here', chip: 'chip chip-fails' },
  note: { order: 1, mark: '·', word: 'note', chip: 'chip chip-too-few' },
};

function valueText({ value, as }: Figure): string {
  switch (as) {
    case 'share':
      return shareText(value);
    case 'count':
      return count(value);
    case 'number':
      return significant(value, 4);
  }
}

export function Health({ report }: { report: ImportReport }) {
  const { health } = report;
  const findings = [...health.findings].sort(
    (a, b) => LEVELS[a.level].order - LEVELS[b.level].order,
  );
  const warnings = findings.filter(({ level }) => level === 'warning').length;
  return (
    <section className="health" aria-labelledby="health-title" data-testid="health">
      <header className="question-head">
        <h2 id="health-title">Health report</h2>
        <span className={warnings > 0 ? 'chip chip-fails' : 'chip chip-holds'}>
          {warnings > 0 ? `${counted(warnings, 'finding')} to look at` : 'nothing stands out'}
        </span>
      </header>
      <ul className="findings">
        {findings.map((finding) => (
          <FindingItem key={finding.id} finding={finding} />
        ))}
      </ul>
    </section>
  );
}

function FindingItem({ finding }: { finding: Finding }) {
  const { level, title, cause, remedy, figures } = finding;
  const { chip, mark, word } = LEVELS[level];
  return (
    <li className={`figure finding finding-${level}`} data-testid={`finding-${finding.id}`}>
      <div className="claim-head">
        <h3>{title}</h3>
        <span className={chip}>
          <span aria-hidden="true">{mark}</span>
          {word}
        </span>
      </div>
      <p className="small">{cause}</p>
      <p className="small">
        <b>What to change.</b> {remedy}
      </p>
      <dl className="finding-figures">
        {figures.map((figure) => (
          <div key={figure.label}>
            <dt>{figure.label}</dt>
            <dd>{valueText(figure)}</dd>
          </div>
        ))}
      </dl>
    </li>
  );
}
