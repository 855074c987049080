/** What was read: files, counts, what was left out and why; and the way on to the experiments. */
import { EXPERIMENT_ENTRIES, EXPERIMENT_IDS } from '../../../src/experiments/manifest';
import { bytes, count, counted } from '../../format/numbers';
import type { Imported } from '../../state/imports';
import type { Problem } from '../../../src/rollouts/file/problems';

export function Report({ imported }: { imported: Imported }) {
  const { report } = imported;
  const facts: [string, string][] = [
    ['responses', count(report.sequences)],
    ['tokens', count(report.tokens)],
    ['groups', count(report.groups)],
    ['training steps', report.steps === 0 ? 'not named' : count(report.steps)],
    ['left out', count(report.skipped)],
    ['masked tokens', count(report.maskedTokens)],
    [
      'advantages',
      report.computedAdvantages === 0
        ? 'from the file'
        : `${count(report.computedAdvantages)} from rewards (${report.rule})`,
    ],
    [
      'longest completion',
      report.maxCompletionLength === null ? 'not named' : count(report.maxCompletionLength),
    ],
  ];
  return (
    <>
      <section className="figure" aria-labelledby="read-title" data-testid="report">
        <header className="figure-head">
          <h3 id="read-title">What was read</h3>
        </header>
        <dl className="facts">
          {facts.map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
        {report.notes.map((note) => (
          <p key={note} className="notice">
            {note}
          </p>
        ))}
        {report.skipped > 0 && (
          <div className="problems" data-testid="problems">
            <h4>{counted(report.skipped, 'response')} left out</h4>
            <ol>
              {report.problems.map((problem, i) => (
                <li key={i}>{problemText(problem)}</li>
              ))}
            </ol>
            {report.skipped > report.problems.length && (
              <p className="small">
                and {count(report.skipped - report.problems.length)} more of the kind.
              </p>
            )}
          </div>
        )}
        <div className="table-scroll files" role="region" aria-label="Files" tabIndex={0}>
          <table>
            <thead>
              <tr>
                <th scope="col">file</th>
                <th scope="col">format</th>
                <th scope="col">size</th>
                <th scope="col">responses</th>
                <th scope="col">tokens</th>
                <th scope="col">left out</th>
              </tr>
            </thead>
            <tbody>
              {report.files.map((file) => (
                <tr key={file.name}>
                  <td>{file.name}</td>
                  <td>{file.compression ? `${file.format}, ${file.compression}` : file.format}</td>
                  <td>{bytes(file.bytes)}</td>
                  <td>{count(file.sequences)}</td>
                  <td>{count(file.tokens)}</td>
                  <td>{count(file.skipped)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </section>
      <nav className="figure" aria-label="Experiments on your data">
        <header className="figure-head">
          <h3>Every experiment now works on this data</h3>
        </header>
        <ul className="onward">
          {EXPERIMENT_IDS.map((id) => (
            <li key={id}>
              <a href={`#/${id}`}>{EXPERIMENT_ENTRIES[id].title}</a>
            </li>
          ))}
        </ul>
      </nav>
    </>
  );
}

/** A problem of a file as a sentence: file, line, field, what is wrong. */
export function problemText({ file, unit, index, field, message }: Problem): string {
  const place = index === null ? '' : `, ${unit} ${index}`;
  const of = field === null ? '' : `, field "${field}"`;
  return `${file}${place}${of}: ${message}`;
}
