/** The page's right-hand side: the law on another pair, the library's figures, verdicts, samplers. */
import type { KnownShift, MismatchResult, Shift } from '../../../src/experiments/mismatch';
import { Formula } from '../../format/Formula';
import { interval, percent, significant } from '../../format/numbers';
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
        <p>
          Top-p shifts eₜ by the log of the probability that it keeps, which the sampler knows: the
          weights average what is kept. A temperature T shifts it by (1 − 1/T) log π_old + log Σ
          π_old^(1/T) in engines that report it; here both log-probs are those of temperature 1, and
          T shows in the mean weight alone.
        </p>
      </section>
      <Known known={result?.measure?.known ?? null} />
      <section>
        <h2>WebAssembly against WebGPU</h2>
        <p>
          The two backends of this lab are such a pair of engines: the same weights sampled on one
          and scored on the other. The page <a href="#/device">Device</a> measures bias and spread
          of eₜ both ways, where a browser has both.
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

const SHIFTS: readonly {
  name: string;
  of: (shift: Shift) => string;
  /** 95 %, at every look */
  range?: (shift: Shift) => [number, number] | null;
}[] = [
  {
    name: 'bias of a token, nats',
    of: ({ bias }) => significant(bias.estimate, 3),
    range: ({ bias }) => bias.interval,
  },
  { name: 'spread of a token, nats', of: ({ spread }) => significant(spread, 3) },
  {
    name: 'mean token weight',
    of: ({ meanWeight }) => significant(meanWeight.estimate, 4),
    range: ({ meanWeight }) => meanWeight.interval,
  },
  { name: 'log ρ, mean', of: ({ perResponse }) => significant(perResponse, 3) },
];

/** What top-p explains, beside what was measured. */
function Known({ known }: { known: KnownShift | null }) {
  if (known === null) return null;
  return (
    <section data-testid="known-shift">
      <h2>Known shift: top-p</h2>
      <p>
        More than a hundredth of the probability was cut off for {percent(known.cut, 1)} of the
        tokens.
      </p>
      <div className="table-scroll" tabIndex={0} role="region" aria-label="Known shift">
        <table>
          <thead>
            <tr>
              <th />
              <th scope="col">log kept</th>
              <th scope="col">eₜ</th>
              <th scope="col">left over</th>
            </tr>
          </thead>
          <tbody>
            {SHIFTS.map(({ name, of, range }) => {
              const ends = range?.(known.measured) ?? null;
              return (
                <tr key={name}>
                  <th scope="row">{name}</th>
                  <td>{of(known.predicted)}</td>
                  <td>
                    {of(known.measured)}
                    {ends !== null && <div className="small muted">{interval(ends)}</div>}
                  </td>
                  <td>{of(known.left)}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </section>
  );
}
