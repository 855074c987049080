/** The page's right-hand side: where the bias comes from, verdicts, and what makes it large. */
import type { LengthResult } from '../../../src/experiments/length';
import { Formula } from '../../format/Formula';
import { texNumber } from '../../format/numbers';
import { Claims } from '../../page/ExperimentPage';

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
    </>
  );
}
