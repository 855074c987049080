/** The page's right-hand side: what must agree, which convention is which, the verdict, "break it". */
import type { ObjectivesResult } from '../../../src/experiments/objectives';
import { Formula } from '../../format/Formula';
import { Prose } from '../../format/Prose';
import { Claims } from '../../page/ExperimentPage';
import { clampWords } from './settings-words';

const SAME = String.raw`\mathbb E_{y \sim \pi_{\text{old}}}\bigl[r_t\bigr] = 1`;

const CONVENTIONS = [
  ['Clip share, GSPO', 'of responses', 'of tokens in clipped responses'],
  ['GRPO averages', 'responses, then tokens (loss_type grpo)', 'all tokens'],
  ['Negative advantages', 'no ceiling, unless delta is set', 'dual clip at 3'],
  ['CISPO', 'epsilon_high is the largest weight', '1 + ε is the largest weight'],
  ['GMPO clip share', 'where the clip takes effect', 'beyond either edge'],
  ['Advantages', '(r − mean) / (sd + 1e-4)', '(r − mean) / (sd + 1e-6)'],
] as const;

/** "log r within ±20" and the like, of the settings behind the figures. */
function clampRows({ objectives }: ObjectivesResult): [string, string, string][] {
  return objectives.flatMap(({ id, trl, verl }) =>
    (id === 'grpo' || id === 'gspo') && trl !== null && verl !== null
      ? [[`Clamps, ${id.toUpperCase()}`, clampWords(trl.clamps), clampWords(verl.clamps)]]
      : [],
  );
}

export function Words({ result }: { result: ObjectivesResult | null }) {
  return (
    <>
      <section>
        <h2>Prediction</h2>
        <p>
          <Prose>
            GSPO has one loss in both libraries, as long as no log s exceeds 10, where verl caps it.
            And where pi_old drew the tokens, their ratios average 1, whatever the objective:
          </Prose>
        </p>
        <Formula tex={SAME} block height={36} label="the mean token ratio is 1" />
      </section>
      <section>
        <h2>Which convention is which</h2>
        <div className="table-wrapped conventions">
          <table>
            <thead>
              <tr>
                <td />
                <th scope="col">TRL</th>
                <th scope="col">verl</th>
              </tr>
            </thead>
            <tbody>
              {[...CONVENTIONS, ...(result === null ? [] : clampRows(result))].map(
                ([what, trl, verl]) => (
                  <tr key={what}>
                    <td>{what}</td>
                    <td>{trl}</td>
                    <td>{verl}</td>
                  </tr>
                ),
              )}
            </tbody>
          </table>
        </div>
        <p className="small">
          At each library’s recommended settings; TRL’s own default is the token mean for
          everything.
        </p>
      </section>
      <section>
        <h2>Verdict</h2>
        <Claims claims={result?.claims ?? []} />
      </section>
    </>
  );
}
