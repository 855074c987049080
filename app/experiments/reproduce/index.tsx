/**
 * The Reproduce page: every experiment on the default policy pairs in one press, as a ledger of claims
 * that can be printed, downloaded and checked. `npm run reproduce` does the same without a screen.
 */
import { useStore } from 'zustand';
import type { Ledger, ReproducePair } from '../../../src/engine/headless/reproduce';
import { SOURCE_IDS, SOURCES } from '../../../src/experiments/manifest';
import { DEFAULT_POLICIES } from '../../../src/settings/run';
import { duration } from '../../format/numbers';
import { draftOf } from '../../state/draft';
import { useAddress } from '../../state/address-react';
import { useLab } from '../../state/react';
import { keptLedgers, type KeptLedger } from '../../state/kept-ledgers';
import { useRecordedLedger } from '../../state/recorded-ledger';
import { Term } from '../../format/Term';
import { ExperimentPage } from '../../page/ExperimentPage';
import '../../charts/practice.css';
import '../../page/statistics/statistics.css';
import { Controls } from './Controls';
import { holdLab } from '../../state/hold';
import { LedgerTable } from './LedgerTable';
import { sizeWords } from './ledger';
import { Provenance } from './Provenance';
import { session, type SessionState, type Status } from './session';
import '../../page/standalone.css';
import './reproduce.css';

export default function Reproduce() {
  const own = useStore(session.store);
  const opened = useStore(keptLedgers, (kept) => kept.opened);
  const shipped = useRecordedLedger(own.status.is === 'idle');
  const ledger = opened === null ? shipped : null;
  const recorded = ledger !== null;
  const state =
    opened !== null ? keptState(opened) : ledger === null ? own : recordedState(own, ledger);
  const { status, head, claims } = state;
  const lab = useLab();
  const address = useAddress();
  const openInLab = ({ policy, old, new: theta }: ReproducePair) => {
    // The very run that the ledger rests on: the lab then shows the same numbers.
    const { seed, prompts, groupSize, maxOperators } = head ?? DEFAULT_POLICIES;
    const pair = { policy, old, new: theta, seed, prompts, groupSize, maxOperators, budget: 0 };
    lab.edit((draft) => {
      // The other backend would round differently, and so sample other tokens.
      const backend = head?.backend ?? draft.backend;
      return draftOf({ backend, source: { ...DEFAULT_POLICIES, ...pair } }, draft);
    });
    void lab.start();
    address.go('variance');
  };
  return (
    <ExperimentPage
      page="reproduce"
      lead={
        <>
          One press samples from the shipped <Term of="policy">policies</Term>, runs the five
          experiments on each of their pairs, and writes down each claim with its prediction, what
          was measured, and a verdict by a margin that was fixed beforehand (docs/claims.md). The
          paper’s claims come first, the lab’s own stand apart. A claim that fails is a result, not
          an error.
        </>
      }
      verdict={<StatusChip status={status} recorded={recorded} />}
      figures={
        <div className="reproduce-page standalone-page">
          <Controls
            state={state}
            onStart={(chosen) => {
              const release = holdLab(lab);
              void session.start(chosen).finally(release);
            }}
            onCancel={() => session.cancel()}
          />
          {claims.length === 0 ? (
            <div className="plot-empty ledger-empty">
              <p>
                {status.is === 'running'
                  ? 'The first claims arrive when the first pair has been sampled and scored.'
                  : 'The ledger grows here, claim by claim.'}
              </p>
            </div>
          ) : (
            <>
              {ledger !== null && <RecordedLedger ledger={ledger} />}
              <ReportHead state={state} recorded={recorded} />
              {SOURCE_IDS.map((source) => ({
                source,
                tables: (head?.pairs ?? [])
                  .map((pair) => ({
                    pair,
                    own: claims.filter((own) => own.pair === pair.id && own.source === source),
                  }))
                  .filter(({ own }) => own.length > 0),
              }))
                .filter(({ tables }) => tables.length > 0)
                .map(({ source, tables }) => (
                  <section key={source} aria-label={SOURCES[source].title} data-source={source}>
                    <h2>
                      {SOURCES[source].title}: {SOURCES[source].name}
                    </h2>
                    {tables.map(({ pair, own }) => (
                      <LedgerTable
                        key={pair.id}
                        pair={pair}
                        claims={own}
                        seconds={
                          status.is === 'done' ? status.seconds / (head?.pairs.length ?? 1) : null
                        }
                        recorded={recorded}
                        onOpen={() => openInLab(pair)}
                      />
                    ))}
                  </section>
                ))}
            </>
          )}
        </div>
      }
      words={<Provenance state={state} />}
    />
  );
}

const STATUS_WORDS: Record<Status['is'], string> = {
  idle: 'not started',
  running: 'running',
  done: 'complete',
  cancelled: 'cancelled, incomplete',
  failed: 'failed, incomplete',
};

/** A ledger that was made here before, as when it was. */
function keptState({ ledger, createdAt, seconds }: KeptLedger): SessionState {
  return {
    ...recordedState(session.store.getState(), ledger),
    status: { is: 'done', seconds },
    startedAt: new Date(createdAt),
  };
}

/** The ledger that ships with the lab, as if it had been made here. */
function recordedState(own: SessionState, ledger: Ledger): SessionState {
  const { app, seed, backend, size, claims } = ledger;
  const options = { app, seed, backend, pair: null, quick: size !== 'full' };
  return { ...own, options, head: ledger, claims, ledger };
}

function RecordedLedger({ ledger }: { ledger: Ledger }) {
  return (
    <p className="notice" data-testid="recorded-note">
      <span className="recorded-tag">recorded</span> This ledger ships with the lab:{' '}
      {sizeWords(ledger)}, seed {ledger.seed}, on {ledger.backend}. Press Reproduce to make one
      here; it takes this one’s place.
    </p>
  );
}

function StatusChip({ status, recorded }: { status: Status; recorded: boolean }) {
  return (
    <span className="chip" data-testid="reproduce-status">
      {recorded ? 'recorded, not run here' : STATUS_WORDS[status.is]}
      {status.is === 'done' && ` in ${duration(status.seconds)}`}
    </span>
  );
}

/** Only on paper: what the screen says beside the ledger. */
interface ReportHeadProps {
  state: SessionState;
  recorded: boolean;
}

function ReportHead({ state: { status, startedAt, options, head }, recorded }: ReportHeadProps) {
  return (
    <p className="only-print">
      GSPO Lab {options?.app},{' '}
      {recorded ? 'recorded' : `${startedAt?.toISOString().slice(0, 16).replace('T', ' ')} UTC`},{' '}
      {head === null ? '' : sizeWords(head)}
      {!recorded && `, ${STATUS_WORDS[status.is]}`}. Verdicts: a claim holds when its whole interval
      lies inside the margin, fails when it lies outside, departs when the prediction is excluded
      but the margin’s edge is not; otherwise undecided.
    </p>
  );
}
