/** The page's right-hand side: where the bias comes from, verdicts, and what makes it large. */
import type { LengthResult } from '../../../src/experiments/length';
import { Formula } from '../../format/Formula';
import { texNumber } from '../../format/numbers';
import { Claims } from '../../page/ExperimentPage';
import { BreakIt, policies, synthetic, type Break } from '../../page/BreakIt';

const GAP = String.raw`\begin{aligned} \mathrm{PPL} &= e^{H}, \qquad H = -\frac1L \sum_t \log \pi(y_t) \\ \log \mathbb E\bigl[e^{H}\bigr] &\approx \mathbb E[H] + \underbrace{\tfrac12 \operatorname{Var}[H]}_{\text{Jensen gap, } \propto\, 1/L} \\ s &= \frac{\mathrm{PPL}_\text{old}}{\mathrm{PPL}_\theta} \end{aligned}`;

export function Words({ result }: { result: LengthResult | null }) {
  const last = result?.prefix.points.at(-1);
  const first = result?.prefix.points[0];
  return (
    <>
      <section>
        <h2>Prediction</h2>
        <Formula tex={GAP} block height={150} label="Jensen gap of a perplexity" />
        <p>
          Noise alone biases the perplexity of a short response upwards, on any policy, so it
          depends on the length even where nothing else does. In s both perplexities share the
          noise: hardly any of the bias should be left, and mean s should not depend on the length.
        </p>
      </section>
      <section>
        <h2>With numbers in it</h2>
        {first && last ? (
          <Formula
            tex={String.raw`\begin{aligned} \text{PPL}_\text{old}(${first.length}) &= ${texNumber(first.perplexityOld.mean, 5)} \\ \text{PPL}_\text{old}(${last.length}) &= ${texNumber(last.perplexityOld.mean, 5)} \\ \bar s(${first.length}) &= ${texNumber(first.ratio.mean, 6)} \\ \bar s(${last.length}) &= ${texNumber(last.ratio.mean, 6)} \end{aligned}`}
            block
            height={108}
            label="perplexity and s over the shortest and the longest prefix"
          />
        ) : (
          <p className="plot-empty worked-waiting">
            The shortest and the longest prefix of your own run are compared here.
          </p>
        )}
      </section>
      <section>
        <h2>Verdict</h2>
        <Claims claims={result?.claims ?? []} />
      </section>
      <BreakIt
        lead="Bias needs noise or positions that differ. Take short responses, or a policy whose first tokens are the hard ones:"
        breaks={BREAKS}
      />
    </>
  );
}

const BREAKS: readonly Break[] = [
  {
    title: 'Same noise everywhere (control)',
    why: 'No position is special: perplexity still falls with the length, by the Jensen gap alone. It is no claim that it does not.',
    change: synthetic({}),
  },
  {
    title: 'Correlate neighbours, ρ = 0.7',
    why: 'The ratio keeps more of its noise; the gap of s grows.',
    change: synthetic({ rho: 0.7 }),
  },
  {
    title: 'Wide policies, σ = 0.5',
    why: 'The two policies share less, so less cancels: mean s rises for short responses.',
    change: synthetic({ sigma: 0.5 }),
  },
  {
    title: 'The real pair',
    why: 'Its first tokens choose among several valid steps, so they may be the hard ones: the figure of positions shows how much of the bias is theirs.',
    change: policies({}),
  },
];
