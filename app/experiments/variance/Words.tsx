/** The page's right-hand side: the law, the law with numbers in it, verdicts, and what breaks it. */
import type { VarianceResult } from '../../../src/experiments/variance';
import type { VarianceCurve, VariancePoint } from '../../../src/experiments/shared/variance-curve';
import { Formula } from '../../format/Formula';
import { count, texNumber } from '../../format/numbers';
import { Claims } from '../../page/ExperimentPage';
import { CURVE_NAMES } from '../../page/statistics/views';

const LAW = String.raw`\begin{aligned} \operatorname{Var}[\log s \mid L] &= \frac{\sigma^2}{L} \\[4pt] \operatorname{Var}[\log \rho \mid L] &= L\,\sigma^2 \\[4pt] \operatorname{Var}[d_t] &= \sigma^2 \end{aligned}`;

const DERIVATION = String.raw`\begin{aligned} \log s &= \frac1L \sum_{t=1}^{L} d_t, \qquad \log \rho = \sum_{t=1}^{L} d_t \\ d_t &= \log \pi_\theta(y_t) - \log \pi_{\text{old}}(y_t) \\ \operatorname{Var}\Bigl[\sum_t d_t\Bigr] &= \sum_t \operatorname{Var}[d_t] + 2 \sum_{t<u} \operatorname{Cov}[d_t, d_u] \end{aligned}`;

export function Words({ result }: { result: VarianceResult | null }) {
  return (
    <>
      <section>
        <h2>Prediction</h2>
        <Formula tex={LAW} block height={118} label="variance of log s is sigma squared over L" />
        <p>
          One parameter, σ², estimated from the tokens alone; nothing is fitted to the points. On
          log–log axes the law is a line of slope −1.
        </p>
        <details>
          <summary>Where it comes from, and what it leaves out</summary>
          <Formula tex={DERIVATION} block height={150} label="derivation of the law" />
          <p className="small">
            The law drops the covariances. It also takes one σ² for every position, every prompt and
            every length. Each of these can fail on its own; the page on dependence tells which.
          </p>
        </details>
      </section>
      <section>
        <h2>With numbers in it</h2>
        <WithNumbers result={result} />
      </section>
      <section>
        <h2>Verdict</h2>
        <Claims claims={result?.claims ?? []} deciding="of the three about log s" />
      </section>
    </>
  );
}

/** The point in the middle of the curve, numbers in place. */
function WithNumbers({ result }: { result: VarianceResult | null }) {
  const shown = [result?.natural, result?.prefix].flatMap((curve) => {
    const point = curve?.points[Math.floor(curve.points.length / 2)];
    return curve && point ? [{ curve, point }] : [];
  });
  if (shown.length === 0) {
    return (
      <p className="plot-empty worked-waiting">
        One length of your own run is worked through here, as soon as it has two responses of one
        length.
      </p>
    );
  }
  return shown.map(({ curve, point }) => (
    <div key={curve.kind}>
      <p className="small">
        {CURVE_NAMES[curve.kind]}, {count(point.sequences)} responses
        {point.minLength !== point.maxLength && ` of ${point.minLength}–${point.maxLength} tokens`}:
      </p>
      <Formula
        tex={withNumbers(curve, point)}
        block
        height={76}
        label={`predicted and measured variance at L = ${point.length}`}
      />
    </div>
  ));
}

function withNumbers(
  { tokenVariance }: VarianceCurve,
  { length, sequence }: VariancePoint,
): string {
  const L = texNumber(length, length < 100 ? 3 : 4);
  const interval = sequence.interval
    ? String.raw`\;[${texNumber(sequence.interval[0], 3)},\,${texNumber(sequence.interval[1], 3)}]`
    : '';
  return String.raw`\begin{aligned} \frac{\sigma^2}{L} = \frac{${texNumber(tokenVariance?.estimate ?? NaN, 4)}}{${L}} &= ${texNumber(sequence.predicted, 4)} \\ \text{measured:}\quad &\phantom{=}\; ${texNumber(sequence.measured, 4)} \\ &\phantom{=}\;\scriptsize${interval} \end{aligned}`;
}
