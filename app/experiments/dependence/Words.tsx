/** The page's right-hand side: the law of the parts, verdicts, and what makes each of them. */
import type { DependenceResult } from '../../../src/experiments/dependence';
import { Formula } from '../../format/Formula';
import { texNumber } from '../../format/numbers';
import { Claims } from '../../page/ExperimentPage';
import { BreakIt, policies, synthetic, type Break } from '../../page/BreakIt';

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
      <BreakIt
        lead="The truth of a synthetic run is known, so the estimators can be checked. Plant a dependence and see whether it is found, by its name and at its size:"
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
  return String.raw`${head} \\[4pt] \text{naive, } ${at}: &\;\; ${texNumber(point.naive, 4)} \\ \text{parts}: &\;\; ${texNumber(point.corrected, 4)} \\ \text{measured}: &\;\; ${texNumber(point.measured, 4)} \end{aligned}`;
}

const BREAKS: readonly Break[] = [
  {
    title: 'Independent tokens (control)',
    why: 'Nothing to find: no part may fail.',
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
    why: 'No dependence, yet one σ² is not enough: position, and nothing else, is to be named.',
    change: synthetic({ drift: 5 }),
  },
  {
    title: 'The real pair',
    why: 'Arithmetic has hard steps and easy ones, and hard prompts and easy ones.',
    change: policies({}),
  },
];
