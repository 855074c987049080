/** The page's right-hand side: the law on another pair, the library's figures, verdicts, samplers. */
import type { MismatchResult } from '../../../src/experiments/mismatch';
import { Formula } from '../../format/Formula';
import { significant } from '../../format/numbers';
import { Claims } from '../../page/ExperimentPage';

const LAW = String.raw`\begin{aligned} e_t &= \log \pi_{\text{old}}(y_t) - \log \pi_{\text{sampler}}(y_t) \\ \operatorname{Var}\Bigl[\sum_t e_t\Bigr] &= L\,\sigma^2 \\ \operatorname{Var}\Bigl[\tfrac1L \sum_t e_t\Bigr] &= \sigma^2 / L \\ n_\text{eff}/n \text{ of } \rho &= e^{-L\sigma^2} \end{aligned}`;

export function Words({ result }: { result: MismatchResult | null }) {
  const metrics = result?.measure?.metrics ?? null;
  return (
    <>
      <section>
        <h2>Prediction</h2>
        <Formula tex={LAW} block height={150} label="the mismatch of a response by its length" />
        <p>
          ρ = exp(Σ eₜ) is the exact correction and soon useless; the length-normalised weight is
          nearly free of noise and nearly free of correction. Where the sampler reports what it drew
          from, the token weights average 1 and their logarithms −σ²/2.
        </p>
      </section>
      <section>
        <h2>As verl logs it</h2>
        {metrics === null ? (
          <p className="plot-empty worked-waiting">Needs sampler log-probs.</p>
        ) : (
          <table>
            <tbody>
              {Object.entries(metrics).map(([name, value]) => (
                <tr key={name}>
                  <th scope="row">
                    <code>{name}</code>
                  </th>
                  <td>{significant(value, 4)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </section>
      <section>
        <h2>Verdict</h2>
        <Claims claims={result?.claims ?? []} />
      </section>
    </>
  );
}
