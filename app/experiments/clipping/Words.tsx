/** The page's right-hand side: the prediction, the published bands, the verdict, "break it". */
import type { ClippingResult } from '../../../src/experiments/clipping';
import type { ClippedId } from '../../../src/math/objectives/registry';
import { Formula } from '../../format/Formula';
import { significant } from '../../format/numbers';
import { Claims } from '../ExperimentPage';
import { bandText, objectiveView } from '../objective-views';
import { shareText } from '../percent';
import { BreakIt, synthetic } from '../BreakIt';

const OUTSIDE = String.raw`\begin{aligned} P(\text{outside}) = 1 &- \Phi\!\Bigl(\tfrac{(\log(1+\varepsilon)-\mu)\sqrt L}{\sigma}\Bigr) \\ &+ \Phi\!\Bigl(\tfrac{(\log(1-\varepsilon)-\mu)\sqrt L}{\sigma}\Bigr) \end{aligned}`;
const ADAPTIVE = String.raw`\varepsilon(L) = \frac{z\,\sigma}{\sqrt L}`;

/** What epsilon means where it is not the half-width of a band around a ratio that gets no gradient. */
const NOTES: readonly { ids: readonly ClippedId[]; name: string; note: string }[] = [
  {
    ids: ['gspo_token'],
    name: 'GSPO-token',
    note: 'clips what GSPO clips; TRL counts the tokens of clipped responses.',
  },
  {
    ids: ['cispo'],
    name: 'CISPO',
    note:
      'caps the weight r at 1 + ε high and keeps the gradient. Clipped: capped with A > 0, as TRL counts. ' +
      'Mass lost: the part of the weight beyond the cap, whatever the sign of A. There is no lower edge. ' +
      'TRL’s setting is the cap itself, 5: ε = 4.',
  },
  {
    ids: ['gmpo'],
    name: 'GMPO',
    note:
      'clips log r at −ε low and ε high, token by token. That moves the weight of the whole response: with A < 0 ' +
      'clipping raises it, so the mass kept can exceed 100 %.',
  },
  {
    ids: ['two_sided'],
    name: 'GRPO, two-sided',
    note: 'gives no gradient above δ = 3 either, at every ε and whatever the sign of A.',
  },
  {
    ids: ['dppo_tv', 'dppo_kl'],
    name: 'DPPO',
    note:
      'masks tokens whose probability moved too far: ε is a divergence, low for falling and high for ' +
      'rising tokens. A normal law of log-ratios does not predict it.',
  },
];

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
      {result !== null && <Published result={result} />}
      <section>
        <h2>What counts as clipped</h2>
        <p className="small">
          Ratio, weight and averaging are those of TRL’s settings, or verl’s for DPPO, which TRL
          does not have. Mass kept is the gradient mass at the band over that of the same objective
          with nothing clipped; so DAPO, a mean over all tokens, keeps another share than GRPO does
          of the same ratios.
        </p>
        {NOTES.filter(({ ids }) =>
          (result?.maps ?? []).some(({ objective }) => ids.includes(objective)),
        ).map(({ name, note }) => (
          <p key={name} className="small">
            <strong>{name}</strong> {note}
          </p>
        ))}
        <p className="small">
          Not here: REINFORCE, SAPO, VESPO and DRO have no ε. REINFORCE has no ratio, SAPO and VESPO
          damp softly, DRO pulls back by a penalty.
        </p>
      </section>
      <section>
        <h2>Verdict</h2>
        <Claims claims={result?.claims ?? []} recorded={false} />
      </section>
      <BreakIt
        lead="The prediction needs independent tokens, one spread for all prompts, and normal tails."
        breaks={[
          {
            title: 'Correlate the tokens',
            why: 'AR(1) with ρ = 0.8: s spreads more than σ/√L, so more is outside than predicted.',
            change: synthetic({ sigma: 0.01, rho: 0.8 }),
          },
          {
            title: 'Give prompts their own shift',
            why: 'τ = 0.002 does not average out over a response: long ones are outside more often than the adaptive band intends.',
            change: synthetic({ sigma: 0.01, tau: 0.002 }),
          },
          {
            title: 'Independent and normal',
            why: 'σ = 0.01: here the prediction must hold, for tokens and for responses.',
            change: synthetic({ sigma: 0.01 }),
          },
        ]}
      />
    </>
  );
}

function Published({ result }: { result: ClippingResult }) {
  const { orders, mu, sigma } = result;
  return (
    <section>
      <h2>At the published bands</h2>
      <p className="small">
        μ = {significant(mu, 3)}, σ = {significant(sigma, 3)} nats per token.
      </p>
      <div className="table-scroll" role="region" aria-label="Published bands" tabIndex={0}>
        <table>
          <thead>
            <tr>
              <th scope="col">objective</th>
              <th scope="col">ε</th>
              <th scope="col">clipped</th>
              <th scope="col">mass kept</th>
            </tr>
          </thead>
          <tbody>
            {result.maps.map(({ objective, published, unit }) => (
              <tr key={objective}>
                <td>{objectiveView(objective).name}</td>
                <td>{bandText(published)}</td>
                <td title={`of ${unit}`}>{shareText(published.clipped)}</td>
                <td>{shareText(published.massKept)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p className="small">
        Tokens clipped: GSPO {shareText(orders.gspo)}, GRPO {shareText(orders.grpo)}
        {orders.log10 !== null && <>; 10^{significant(orders.log10, 3)} times as many</>}. The GSPO
        paper reports two orders of magnitude.
      </p>
    </section>
  );
}
