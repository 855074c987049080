/** The page's right-hand side: the corrected law, verdicts, and what makes tokens dependent. */
import type { DependenceResult } from '../../../src/experiments/dependence';
import { Formula } from '../../format/Formula';
import { texNumber } from '../../format/tex';
import { Claims } from '../../page/ExperimentPage';
import { BreakIt, policies, synthetic, type Break } from '../../page/BreakIt';

const CORRECTED = String.raw`\begin{aligned} \operatorname{Var}[\log s \mid L] &= \underbrace{\frac{\sigma^2}{L}}_{\text{naive}} \Bigl(1 + 2 \sum_{k=1}^{K} \bigl(1 - \tfrac{k}{L}\bigr) \rho_k\Bigr) \\ &\quad + \tau^2 \end{aligned}`;

export function Words({ result }: { result: DependenceResult | null }) {
  return (
    <>
      <section>
        <h2>Prediction</h2>
        <p>
          If tokens are independent, the autocorrelation ρₖ is 0 at every lag and responses to one
          prompt are as different as responses to two. If not, the law gets two more terms:
        </p>
        <Formula tex={CORRECTED} block height={128} label="variance corrected for dependence" />
        <p className="small">
          τ² is the variance of the prompts’ own shifts, from products of tokens in{' '}
          <em>different</em> responses to one prompt. No term is fitted to the measured variance, so
          the comparison is a test.
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
        <Claims claims={result?.claims ?? []} recorded={false} deciding={null} />
        <p className="small">
          Independence as a whole (the verdict above) fails when neighbours or responses to one
          prompt are correlated, by 97.5 % intervals, because two questions are asked at once: a run
          without dependence is called dependent about one time in twenty.
        </p>
      </section>
      <BreakIt
        lead="The truth of a synthetic run is known, so the estimators can be caught lying. Plant a dependence and see whether it is found, and found to be as large as it is:"
        breaks={BREAKS}
      />
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
  return String.raw`${head} \\[4pt] \text{naive, } ${at}: &\;\; ${texNumber(point.naive, 4)} \\ \text{corrected}: &\;\; ${texNumber(point.corrected, 4)} \\ \text{measured}: &\;\; ${texNumber(point.measured, 4)} \end{aligned}`;
}

const BREAKS: readonly Break[] = [
  {
    title: 'Independent tokens (control)',
    why: 'Nothing to find: every interval should contain its prediction.',
    change: synthetic({}),
  },
  {
    title: 'Neighbours alike, ρ = 0.5',
    why: 'The truth: ρₖ = 0.5ᵏ, so 1 + 2 Σ ρₖ = 3 and a response is worth a third of its tokens.',
    change: synthetic({ rho: 0.5 }),
  },
  {
    title: 'Neighbours opposed, ρ = −0.5',
    why: 'Averaging works better than predicted: 1 + 2 Σ ρₖ = 1/3.',
    change: synthetic({ rho: -0.5 }),
  },
  {
    title: 'Prompts differ, τ = 0.03',
    why: 'Responses to one prompt move together; the naive law lacks the floor τ² = 0.0009.',
    change: synthetic({ tau: 0.03 }),
  },
  {
    title: 'Noise that grows, drift 5',
    why: 'Neither kind of dependence, yet one σ² is not enough: watch the tilt of both laws.',
    change: synthetic({ drift: 5 }),
  },
  {
    title: 'The real pair',
    why: 'Arithmetic has hard steps and easy ones, and hard prompts and easy ones.',
    change: policies({}),
  },
];
