/** The page's right-hand side: the log-normal predictions, verdicts, and what makes tails heavy. */
import type { WeightsResult } from '../../../src/experiments/weights';
import { Formula } from '../../format/Formula';
import { texNumber } from '../../format/numbers';
import { Claims } from '../../page/ExperimentPage';

const LOG_NORMAL = String.raw`\begin{aligned} \log s &\sim \mathcal N\!\left(\mu,\; \sigma^2/L\right) \\ \log \rho &\sim \mathcal N\!\left(L\mu,\; L\sigma^2\right) \\[4pt] \operatorname{Var}[w] &= \bigl(e^{v} - 1\bigr)\, e^{2m + v} \\ n_\text{eff}/n &= e^{-v} \end{aligned}`;

export function Words({ result }: { result: WeightsResult | null }) {
  return (
    <>
      <section>
        <h2>Prediction</h2>
        <Formula tex={LOG_NORMAL} block height={136} label="log-normal weights" />
        <p>
          For a weight w whose logarithm has mean m and variance v. The sequence weight has v = σ²/L
          and gets better with length. The unnormalised weight has v = Lσ² and is exact, but useless
          from about ln 2 ÷ σ² tokens on.
        </p>
      </section>
      <section>
        <h2>With numbers in it</h2>
        {result === null ? (
          <p className="plot-empty worked-waiting">Your own run’s numbers are put in here.</p>
        ) : (
          <Formula
            tex={withNumbers(result)}
            block
            height={112}
            label="the predictions with this run’s numbers"
          />
        )}
      </section>
      <section>
        <h2>Verdict</h2>
        <Claims claims={result?.claims ?? []} />
      </section>
    </>
  );
}

function withNumbers({
  mu,
  sigma2,
  usableLength,
  predictedUsableLength,
  prefix,
}: WeightsResult): string {
  const last = prefix.points.at(-1);
  const share = last
    ? String.raw`\\ n_\text{eff}/n \text{ of } \rho,\; L = ${last.length}: &\;\; ${texNumber(last.unnormalised.predictedShare, 3)} \;\text{pred.},\; ${texNumber(last.unnormalised.effectiveShare, 3)}`
    : '';
  const measured =
    usableLength === null ? String.raw`\text{not reached}` : texNumber(usableLength, 3);
  return String.raw`\begin{aligned} \mu = ${texNumber(mu, 3)}, &\quad \sigma^2 = ${texNumber(sigma2, 4)} \\ \ln 2 / \sigma^2 &= ${texNumber(predictedUsableLength, 3)} \;\text{tokens} \\ \text{measured}: &\;\; ${measured} ${share} \end{aligned}`;
}
