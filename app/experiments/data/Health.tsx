/**
 * The health report, findings first: the cause, the figure behind it, the tokens that show it and what to change;
 * then what else was looked at. And the report to take away.
 */
import { useId } from 'react';
import type { Judged } from '../../../src/engine/lab/protocol';
import type { Drawing } from '../../../src/rollouts/health/drawing';
import type { Figure, Finding, FindingLevel } from '../../../src/rollouts/health/report';
import { count, counted, significant } from '../../format/numbers';
import { shareText } from '../../charts/scale';
import { download } from '../../runs/download';
import { Drawn } from './Drawn';

const LEVELS: Record<FindingLevel, { order: number; mark: string; word: string; chip: string }> = {
  warning: { order: 0, mark: '!', word: 'look here', chip: 'chip chip-fails' },
  note: { order: 1, mark: '·', word: 'note', chip: 'chip chip-undecided' },
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

function Figures({ figures }: { figures: readonly Figure[] }) {
  return (
    <dl className="finding-figures">
      {figures.map((figure) => (
        <div key={figure.label}>
          <dt>{figure.label}</dt>
          <dd>{valueText(figure)}</dd>
        </div>
      ))}
    </dl>
  );
}

export function Health({
  report,
  title = 'Health report',
  testId = 'health',
}: {
  report: Judged;
  title?: string;
  testId?: string;
}) {
  const id = useId();
  const { health, drawings } = report;
  const findings = [...health.findings].sort(
    (a, b) => LEVELS[a.level].order - LEVELS[b.level].order,
  );
  const warnings = findings.filter(({ level }) => level === 'warning').length;
  return (
    <section className="health" aria-labelledby={id} data-testid={testId}>
      <header className="question-head">
        <h2 id={id}>{title}</h2>
        <span className={warnings > 0 ? 'chip chip-fails' : 'chip chip-holds'}>
          {warnings > 0 ? `${counted(warnings, 'finding')} to look at` : 'nothing stands out'}
        </span>
        <TakeAway report={report} />
      </header>
      <ul className="findings">
        {findings.map((finding) => (
          <FindingItem
            key={finding.id}
            finding={finding}
            drawing={drawings.tokens[finding.id] ?? null}
          />
        ))}
      </ul>
      {drawings.steps && <Drawn drawing={drawings.steps} />}
      <div className="drawn-spread">
        {drawings.spread.map((drawing) => (
          <Drawn key={drawing.title} drawing={drawing} />
        ))}
      </div>
      <Rest report={report} />
    </section>
  );
}

function FindingItem({ finding, drawing }: { finding: Finding; drawing: Drawing | null }) {
  const { id, level, title, cause, remedy, figures, firstStep, hidden } = finding;
  const { chip, mark, word } = LEVELS[level];
  return (
    <li className={`figure finding finding-${level}`} data-testid={`finding-${id}`}>
      <div className="claim-head">
        <h3>{title}</h3>
        <span className={chip}>
          <span aria-hidden="true">{mark}</span>
          {word}
        </span>
      </div>
      <p>{cause}</p>
      <p>
        <b>What to change.</b> {remedy}
      </p>
      {drawing && <Drawn drawing={drawing} />}
      <Figures figures={figures} />
      <Carried finding={finding} />
      <p className="small">
        Rule <code>{id}</code>: {ruleText(finding)}
        {firstStep !== null && ` First training step that shows it: ${firstStep}.`}
        {hidden.length > 0 &&
          ` Not told beside it, because they follow from it: ${hidden.join(', ')}.`}
      </p>
    </li>
  );
}

function ruleText({ measure, statistic, interval, threshold, fires }: Finding): string {
  const value = statistic === null ? 'beyond what a number holds' : significant(statistic, 3);
  const within = interval
    ? ` (${significant(interval[0], 3)} to ${significant(interval[1], 3)})`
    : '';
  return `${measure}: ${value}${within}; threshold ${significant(threshold, 4)}, a finding ${fires}.`;
}

/** Where to look in the person's own files. */
function Carried({ finding: { tokens, responses } }: { finding: Finding }) {
  const [token] = tokens;
  const [one] = responses;
  const of = token ?? one;
  if (!of) return null;
  const range =
    token === undefined
      ? ''
      : token.to - token.from === 1
        ? `token ${token.from + 1} of `
        : `tokens ${token.from + 1} to ${token.to} of `;
  const response = of.sample === null ? '' : `response ${of.sample} of `;
  const step = of.step === null ? '' : `, step ${of.step}`;
  return (
    <p className="small">
      See {range}
      {response}group {of.group}
      {step}
      {of.at === null ? '' : ` (${of.at})`}
      {responses.length > 1 && `, and ${count(responses.length - 1)} more in the download`}.
    </p>
  );
}

function Rest({ report: { health } }: { report: Judged }) {
  const { clipping, cut, passed, notAsked } = health;
  return (
    <details className="figure finding-rest">
      <summary>
        {counted(passed.length, 'other rule')} found nothing, {count(notAsked.length)} could not be
        asked
      </summary>
      <Figures figures={clipping} />
      <p className="small" data-testid="cut">
        {cut === null
          ? 'Whether responses were cut the files do not say (no finish_reason, no max_completion_length).'
          : `Responses cut at the length limit: ${shareText(cut)}.`}
      </p>
      <dl className="finding-figures">
        {passed.map(({ id, measure, statistic }) => (
          <div key={id}>
            <dt>
              <code>{id}</code> {measure}
            </dt>
            <dd>{statistic === null ? '–' : significant(statistic, 3)}</dd>
          </div>
        ))}
      </dl>
      {notAsked.length > 0 && <p className="small">Could not be asked: {notAsked.join(', ')}.</p>}
    </details>
  );
}

function TakeAway({ report: { health, html } }: { report: Judged }) {
  const { findings, bands, trainer, passed, notAsked, clipping, cut, steps } = health;
  const json = () =>
    JSON.stringify(
      { findings, health: { bands, trainer, passed, not_asked: notAsked, clipping, cut, steps } },
      null,
      1,
    );
  return (
    <span className="drop-buttons health-files">
      <button
        type="button"
        className="button"
        onClick={() => download('health-report.html', new Blob([html], { type: 'text/html' }))}
      >
        Report to send on (HTML, without your data)
      </button>
      <button
        type="button"
        className="button"
        onClick={() => download('findings.json', new Blob([json()], { type: 'application/json' }))}
      >
        Findings (JSON)
      </button>
    </span>
  );
}
