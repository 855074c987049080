/** The ledger: one table per policy pair, one line per claim. */
import type { LedgerClaim, ReproducePair } from '../../../src/engine/headless/reproduce';
import { SOURCES } from '../../../src/experiments/manifest';
import { count, significant } from '../../format/numbers';
import { Prose } from '../../format/Prose';
import { digitsOf, stateOf, VerdictChip } from '../../page/ExperimentPage';
import { countsOf, countWords, stripOf } from './ledger';

interface LedgerTableProps {
  pair: ReproducePair;
  claims: readonly LedgerClaim[];
  /** that a pair has taken on average; null while the ledger grows */
  seconds: number | null;
  /** of the ledger that ships with the lab */
  recorded: boolean;
  /** load this pair into the lab */
  onOpen: () => void;
}

export function LedgerTable({ pair, claims, seconds, recorded, onOpen }: LedgerTableProps) {
  const counts = countsOf(claims);
  // A pair has a table under every source of claims.
  const source = claims[0]?.source;
  return (
    <section
      className="figure ledger"
      aria-label={source === undefined ? pair.title : `${pair.title}: ${SOURCES[source].title}`}
      data-pair={pair.id}
    >
      <header className="figure-head">
        <h3>{pair.title}</h3>
        {recorded && <span className="recorded-tag">recorded</span>}
        <span className="small">
          {pair.old} → {pair.new}
        </span>
        <div className="figure-controls">
          <span className="small" data-testid={`counts-${pair.id}`}>
            {countWords(counts)}
          </span>
          <button type="button" className="button-quiet no-print" onClick={onOpen}>
            Run this pair in the lab
          </button>
        </div>
      </header>
      <table>
        <thead>
          <tr>
            <th scope="col">claim</th>
            <th scope="col">predicted</th>
            <th scope="col">measured</th>
            <th scope="col">against the prediction</th>
            <th scope="col">n</th>
            <th scope="col">verdict</th>
          </tr>
        </thead>
        <tbody>
          {claims.map((claim) => (
            <Line
              key={claim.id}
              claim={claim}
              seconds={claim.recorded ? null : seconds}
              recorded={recorded}
            />
          ))}
        </tbody>
      </table>
    </section>
  );
}

interface LineProps {
  claim: LedgerClaim;
  seconds: number | null;
  recorded: boolean;
}

function Line({ claim, seconds, recorded }: LineProps) {
  const { prediction, measured, interval } = claim;
  const digits = digitsOf(claim);
  return (
    <tr>
      <td className="ledger-claim" data-name="claim">
        <Prose>{claim.claim}</Prose>{' '}
        <a href={`#/${claim.experiment}`} title={`To the experiment “${claim.experiment}”`}>
          {claim.id}
        </a>
        {claim.recorded && (
          <span className="recorded-tag" title="From curves written while the race was trained">
            recorded
          </span>
        )}
        <details className="no-print">
          <summary>rule</summary>
          {stateOf(claim, seconds).map((sentence) => (
            <p key={sentence}>{sentence}</p>
          ))}
          <Prose>{claim.rule}</Prose>
        </details>
      </td>
      <td data-name="predicted">{prediction === null ? '–' : significant(prediction, digits)}</td>
      <td data-name="measured">
        {measured === null ? '–' : significant(measured, digits)}
        {interval !== null && (
          <span className="ledger-interval">
            [{significant(interval[0], digits)}, {significant(interval[1], digits)}]
          </span>
        )}
      </td>
      <td data-name="against the prediction">
        <Strip claim={claim} />
      </td>
      <td data-name="n">
        {count(claim.n)} <span className="muted">{claim.nOf}</span>
      </td>
      <td data-name="verdict">
        <VerdictChip verdict={claim.verdict} recorded={recorded} />
        {claim.detected && <span className="small"> detected, too small to matter</span>}
      </td>
    </tr>
  );
}

const WIDTH = 110;

/** The interval against the prediction, each line on its own scale; the numbers stand beside it. */
function Strip({ claim }: { claim: LedgerClaim }) {
  const strip = stripOf(claim);
  if (strip === null) return <span className="muted">–</span>;
  return (
    <svg
      className={`strip-${claim.verdict.replace(' ', '-')}`}
      width={WIDTH}
      height="18"
      aria-hidden="true"
    >
      <line stroke="var(--ink)" x1={WIDTH / 2} x2={WIDTH / 2} y2="18" />
      <line
        stroke="currentcolor"
        strokeWidth="1.5"
        x1={strip.low * WIDTH}
        x2={strip.high * WIDTH}
        y1="9"
        y2="9"
      />
      <circle fill="currentcolor" cx={strip.at * WIDTH} cy="9" r="4" />
    </svg>
  );
}
