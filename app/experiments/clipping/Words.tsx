/** The page's right-hand side: the prediction, the paper's and the library's bands, the verdict, "break it". */
import type { ClipMap, ClippingResult } from '../../../src/experiments/clipping';
import { kindOf, objective, OBJECTIVES, settingsIn } from '../../../src/math/objectives/registry';
import { Formula } from '../../format/Formula';
import { significant, timesAsMuch } from '../../format/numbers';
import { Claims } from '../../page/ExperimentPage';
import { bandText, libraryName, objectiveView } from '../../page/objective-views';
import { shareText } from '../../charts/scale';

const OUTSIDE = String.raw`\begin{aligned} P(\text{outside}) = 1 &- \Phi\!\Bigl(\tfrac{(\log(1+\varepsilon)-\mu)\sqrt L}{\sigma}\Bigr) \\ &+ \Phi\!\Bigl(\tfrac{(\log(1-\varepsilon)-\mu)\sqrt L}{\sigma}\Bigr) \end{aligned}`;
const ADAPTIVE = String.raw`\varepsilon(L) = \frac{z\,\sigma}{\sqrt L}`;

/** Notes on what epsilon means, each under the names of the objectives that share it. */
function notesOf({ maps }: ClippingResult): { names: string; note: string }[] {
  const names = new Map<string, string[]>();
  for (const { objective: id } of maps) {
    const { name, epsilonNote: note } = objective(id);
    if (note !== undefined) names.set(note, [...(names.get(note) ?? []), name]);
  }
  return [...names].map(([note, own]) => ({ names: own.join(', '), note }));
}

/** "REINFORCE has no ratio, ..." */
const WITHOUT_EPSILON = OBJECTIVES.flatMap((entry) => {
  const { range, withoutRange } = kindOf(settingsIn(entry).surrogate);
  return range === null ? [`${entry.name} ${withoutRange}`] : [];
}).join(', ');

export function Words({ result }: { result: ClippingResult | null }) {
  return (
    <>
      <section>
        <h2>Prediction</h2>
        <Formula tex={OUTSIDE} block height={84} label="share outside a clip band" />
        <p>
          If log-ratios were independent and normal with mean μ and standard deviation σ, the share
          of weights outside the band follows from the length alone. For token ratios read L = 1. A
          band that shrinks like 1/√L clips every length alike:
        </p>
        <Formula tex={ADAPTIVE} block height={44} label="adaptive clip range" />
      </section>
      {result !== null && <Bands result={result} />}
      <section>
        <h2>What counts as clipped</h2>
        <p className="small">
          Ratio, weight, ceiling and averaging are those of the chosen library, or the other’s where
          it does not have the objective; verl’s dual clip takes gradient whatever ε is. Mass kept
          is the gradient mass at the band over that of the same objective with nothing clipped; so
          DAPO, a mean over all tokens, keeps another share than GRPO does of the same ratios.
        </p>
        {result !== null &&
          notesOf(result).map(({ names, note }) => (
            <p key={names} className="small">
              <strong>{names}</strong> {note}
            </p>
          ))}
        <p className="small">Not here, for want of an ε: {WITHOUT_EPSILON}.</p>
      </section>
      <section>
        <h2>Verdict</h2>
        <Claims claims={result?.claims ?? []} />
      </section>
    </>
  );
}

interface BandRow {
  objective: ClipMap['objective'];
  unit: ClipMap['unit'];
  /** whose band it is */
  of: string;
  band: ClipMap['usual'];
}

const PAPER = 'GSPO’s paper';

function rowsOf({ maps }: ClippingResult): BandRow[] {
  return maps.flatMap(({ objective, unit, library, usual, paper }) => {
    const own = libraryName(library);
    const same = paper === null && (objective === 'gspo' || objective === 'grpo');
    return [
      ...(paper === null ? [] : [{ objective, unit, of: PAPER, band: paper }]),
      { objective, unit, of: same ? `${PAPER}, ${own}` : own, band: usual },
    ];
  });
}

/** Whose band is whose: GSPO's paper used 0.2/0.27 for GRPO, the libraries have 0.2/0.2. */
function Bands({ result }: { result: ClippingResult }) {
  const { orders, mu, sigma } = result;
  return (
    <section>
      <h2>At the paper’s bands, and the library’s</h2>
      <p className="small">
        μ = {significant(mu, 3)}, σ = {significant(sigma, 3)} nats per token.
      </p>
      <div
        className="table-scroll"
        role="region"
        aria-label="Bands of GSPO’s paper and of the library"
        tabIndex={0}
      >
        <table>
          <thead>
            <tr>
              <th scope="col">objective</th>
              <th scope="col">ε</th>
              <th scope="col">of</th>
              <th scope="col">clipped</th>
              <th scope="col">mass kept</th>
            </tr>
          </thead>
          <tbody>
            {rowsOf(result).map(({ objective, unit, of, band }) => (
              <tr key={`${objective} ${of}`}>
                <td>{objectiveView(objective).name}</td>
                <td>{bandText(band)}</td>
                <td>{of}</td>
                <td title={`of ${unit}`}>{shareText(band.clipped)}</td>
                <td>{shareText(band.massKept)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p className="small">
        Tokens clipped at the paper’s bands: GSPO {shareText(orders.gspo)}, GRPO{' '}
        {shareText(orders.grpo)}
        {orders.log10 !== null && <>; {timesAsMuch(orders.log10)} as many</>}. GSPO’s paper reports
        two orders of magnitude.
      </p>
    </section>
  );
}
