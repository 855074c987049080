/**
 * The one order in which every experiment page reads: question, run (above it, in the shell),
 * measurement in the middle; prediction, verdict and "break it" on the right.
 */
import type { ReactNode } from 'react';
import type { Claim, ExperimentVerdict } from '../../src/experiments/experiment';
import { PAGES, type PageId } from '../../src/experiments/manifest';
import { counted, significant } from '../format/numbers';
import { Prose } from '../format/Prose';
import { OverlayStrip } from '../runs/OverlayStrip';

interface ExperimentPageProps {
  /** its question is the heading */
  page: PageId;
  /** one short paragraph under the question */
  lead: ReactNode;
  verdict: ReactNode;
  figures: ReactNode;
  words: ReactNode;
}

export function ExperimentPage({ page, lead, verdict, figures, words }: ExperimentPageProps) {
  return (
    <>
      <section className="measurement" aria-label="Measurement">
        <header className="question">
          <div className="question-head">
            <h1>{PAGES[page].question}</h1>
            {verdict}
          </div>
          <p>{lead}</p>
        </header>
        <OverlayStrip />
        {figures}
      </section>
      <aside className="words" data-part="words" aria-label="Prediction and verdict">
        {words}
      </aside>
    </>
  );
}

const MARKS: Record<ExperimentVerdict | 'none', string> = {
  holds: '✓',
  fails: '✕',
  'too few': '…',
  none: '·',
};

const SENTENCES: Record<ExperimentVerdict | 'none', string> = {
  holds: 'holds',
  fails: 'fails',
  'too few': 'too few data',
  none: 'not measured yet',
};

export function VerdictChip({
  verdict,
  recorded = false,
}: {
  verdict: ExperimentVerdict | 'none';
  recorded?: boolean;
}) {
  return (
    <span className={`chip verdict chip-${verdict.replace(' ', '-')}`} data-testid="verdict">
      <span aria-hidden="true">{MARKS[verdict]}</span>
      {SENTENCES[verdict]}
      {recorded && verdict !== 'none' && ' (recorded)'}
    </span>
  );
}

interface ClaimsProps {
  claims: readonly Claim[];
  recorded: boolean;
  /** of which claims the page's verdict is made, where not of all, a clause; null: the page says it itself */
  deciding?: string | null;
}

export function Claims({ claims, recorded, deciding = 'of these' }: ClaimsProps) {
  if (claims.length === 0) {
    return <p className="muted">No claim has been put to the test yet.</p>;
  }
  return (
    <>
      {deciding !== null && (
        <p className="small muted">
          The verdict at the top is the worst {deciding}: one that fails decides, then one that
          rests on too little.
        </p>
      )}
      <ol className="claims">
        {claims.map((claim) => (
          <li key={claim.id}>
            <div className="claim-head">
              <span>
                <Prose>{claim.claim}</Prose>
              </span>
              <VerdictChip verdict={claim.verdict} recorded={recorded} />
            </div>
            <dl className="claim-numbers">
              {claim.prediction !== null && (
                <div>
                  <dt>predicted</dt>
                  <dd>{significant(claim.prediction, 3)}</dd>
                </div>
              )}
              {claim.measured !== null && (
                <div>
                  <dt>measured</dt>
                  <dd>
                    {significant(claim.measured, 3)}
                    {claim.interval !== null &&
                      ` [${significant(claim.interval[0], 3)}, ${significant(claim.interval[1], 3)}]`}
                  </dd>
                </div>
              )}
              <div>
                <dt>n</dt>
                <dd>{counted(claim.n, claim.nOf.replace(/s$/, ''))}</dd>
              </div>
            </dl>
            <p className="claim-rule">
              <Prose>{claim.rule}</Prose>
            </p>
          </li>
        ))}
      </ol>
    </>
  );
}
