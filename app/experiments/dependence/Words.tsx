/** The page's right-hand side: the law of the parts, verdicts, and what makes each of them. */
import type { DependenceResult } from '../../../src/experiments/dependence';
import { Formula } from '../../format/Formula';
import { texNumber } from '../../format/numbers';
import { Claims } from '../../page/ExperimentPage';

const PARTS = String.raw`\begin{aligned} \operatorname{Var}[\log s \mid L] &= \underbrace{\frac{1}{L^2} \sum_{t} \sigma_t^2}_{\text{position}} + \underbrace{\frac{2}{L^2} \sum_{k} \rho_k \sum_t \sigma_t \sigma_{t+k}}_{\text{covariance}} \\ &\quad + \underbrace{\tau^2 \tfrac{L - 1}{L}}_{\text{prompt}} \quad \text{around } \mathbb E[\log s \mid L] \end{aligned}`;

export function Words({ result }: { result: DependenceResult | null }) {
  return (
    <>
      <section>
        <h2>Prediction</h2>
        <p>
          σ²/L needs four things at once: one variance for all positions, no covariance between
          tokens, no effect of the prompt, and a mean that does not move with the length. Each may
          fail on its own, and each has a claim of its own:
        </p>
        <Formula tex={PARTS} block height={150} label="variance of log s from its parts" />
        <p className="small">
          The parts are fitted to tokens and pairs of tokens: τ² to products of <em>different</em>{' '}
          responses to one prompt. Whether the law of the parts is any good is judged on prompts
          that it was not fitted on, five times a fifth of them, so that every response is judged
          once.
        </p>
      </section>
      <section>
        <h2>With numbers in it</h2>
        {result === null ? (
          <p className="plot-empty worked-waiting">
            One length of your own run is worked through here.
          </p>
        ) : (
          <Formula
            tex={withNumbers(result)}
            block
            height={140}
            label="both laws with this run’s numbers"
          />
        )}
      </section>
      <section>
        <h2>Verdict</h2>
        <Claims
          claims={result?.claims ?? []}
          deciding="of the four parts; the law of the parts stands beside them"
        />
      </section>
    </>
  );
}

function withNumbers({
  natural,
  sigma2,
  tau2,
  effectiveLength,
  integratedAutocorrelation,
}: DependenceResult): string {
  const point = natural.points[Math.floor(natural.points.length / 2)];
  const head = String.raw`\begin{aligned} \sigma^2 &= ${texNumber(sigma2.estimate, 4)} \\ \tau^2 &= ${texNumber(tau2?.estimate ?? 0, 3)} \\ 1 + 2\textstyle\sum_k \rho_k &= ${texNumber(integratedAutocorrelation.estimate, 4)} \\ L_\text{eff} &= ${texNumber(effectiveLength.effective, 4)} \;\text{of}\; ${texNumber(effectiveLength.length, 4)}`;
  if (!point) return String.raw`${head} \end{aligned}`;
  const at = String.raw`L = ${texNumber(point.length, 4)}`;
  return String.raw`${head} \\[4pt] \text{naive, } ${at}: &\;\; ${texNumber(point.naive, 4)} \\ \text{parts}: &\;\; ${texNumber(point.corrected, 4)} \\ \text{measured}: &\;\; ${texNumber(point.measured, 4)} \end{aligned}`;
}
