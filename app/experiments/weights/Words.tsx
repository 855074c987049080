/** The page's right-hand side: the log-normal predictions, verdicts, and what makes tails heavy. */
import type { WeightsResult } from '../../../src/experiments/weights';
import { Formula } from '../../format/Formula';
import { texNumber } from '../../format/numbers';
import { Claims } from '../../page/ExperimentPage';
import { BreakIt, policies, synthetic, type Break } from '../../page/BreakIt';

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
      <BreakIt
        lead="The predictions ask for normal, independent log-ratios. Take that away, or let the policies drift so far apart that the unnormalised weight gives up:"
        breaks={BREAKS}
      />
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

const BREAKS: readonly Break[] = [
  {
    title: 'Normal and independent (control)',
    why: 'Log-normal by construction: every prediction should hold.',
    change: synthetic({}),
  },
  {
    title: 'Policies further apart, σ = 0.3',
    why: 'Still log-normal, but ρ wastes half of the responses after 8 tokens; s hardly notices.',
    change: synthetic({ sigma: 0.3 }),
  },
  {
    title: 'Heavy tails, ν = 3',
    why: 'Student’s t: single tokens rule a response. Kurtosis and k̂ show it before the variance does.',
    change: synthetic({ tailDegrees: 3 }),
  },
  {
    title: 'Correlated neighbours, ρ = 0.7',
    why: 'Normal, but not independent: the log of the unnormalised weight has up to 5.7 times the predicted variance.',
    change: synthetic({ rho: 0.7 }),
  },
  {
    title: 'The real pair, twice as far',
    why: 'α = 2: real log-ratios are mostly near 0 with rare large ones, which is no normal.',
    change: policies({ alpha: 2 }),
  },
];
