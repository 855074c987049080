/** What trainers log about the distance between two policies, on the present run. */
import type { ReactNode } from 'react';
import type { ObjectivesResult } from '../../../src/experiments/objectives';
import { percent, significant, signed } from '../../format/numbers';
import { Prose } from '../../format/Prose';

interface Line {
  name: ReactNode;
  value: string;
  what: string;
}

function lines({ divergences: d }: ObjectivesResult): Line[] {
  if (d === null) return [];
  const text = (x: number) => significant(x, 5);
  return [
    { name: 'k1', value: text(d.k1), what: 'mean of −d: unbiased, may be negative' },
    { name: 'k2', value: text(d.k2), what: 'mean of d²/2: low variance, biased' },
    { name: 'k3', value: text(d.k3), what: 'mean of r − 1 − d: unbiased, never negative' },
    { name: 'χ², token', value: text(d.chiSquareToken), what: 'mean of r² minus 1' },
    { name: 'χ², sequence', value: text(d.chiSquareSequence), what: 'mean of ρ² minus 1' },
    {
      name: 'ESS of r / n',
      value: percent(d.effective.token, 2),
      what: 'tokens that count, effectively',
    },
    { name: 'ESS of s / n', value: percent(d.effective.s, 2), what: 'responses, weighted by s' },
    { name: 'ESS of ρ / n', value: percent(d.effective.rho, 2), what: 'responses, weighted by ρ' },
    { name: <Prose>PPL_old</Prose>, value: text(d.pplOld), what: 'mean over responses' },
    { name: <Prose>PPL_theta</Prose>, value: text(d.pplNew), what: 'mean over responses' },
    {
      name: 'PPL ratio',
      value: text(d.pplRatio),
      what: 'mean of PPL_old ÷ PPL_theta = s; verl logs its inverse',
    },
    {
      name: 'log-PPL difference',
      value: signed(d.logPpl.mean, 6),
      what: `mean of log s; of |log s| ${text(d.logPpl.absolute)}; from ${signed(d.logPpl.min, 5)} to ${signed(d.logPpl.max, 5)}`,
    },
  ];
}

export function Diagnostics({ result }: { result: ObjectivesResult }) {
  const { mismatch } = result;
  return (
    <section className="figure" aria-labelledby="diagnostics-title">
      <header className="figure-head">
        <h3 id="diagnostics-title">
          <Prose>How far pi_theta is from pi_old</Prose>
        </h3>
      </header>
      <div className="table-scroll table-wrapped diagnostics">
        <table>
          <thead>
            <tr>
              <th scope="col">figure</th>
              <th scope="col">value</th>
              <th scope="col">what it is</th>
            </tr>
          </thead>
          <tbody>
            {lines(result).map(({ name, value, what }, i) => (
              <tr key={i}>
                <td>{name}</td>
                <td>{value}</td>
                <td>
                  <Prose>{what}</Prose>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <h3 className="diagnostics-more">
        <Prose>Against the engine that sampled</Prose>
      </h3>
      {mismatch === null ? (
        <p className="small">
          These rollouts carry no sampler log-probs, so there is no mismatch to speak of.
        </p>
      ) : (
        <dl className="facts">
          {Object.entries(mismatch).map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{significant(value, 5)}</dd>
            </div>
          ))}
        </dl>
      )}
      <p className="figcaption">
        k1, k2, k3 after Schulman (2020), per token in nats; χ² and the names of the mismatch
        figures as verl logs them. ESS is Kish’s effective sample size over n.
      </p>
    </section>
  );
}
