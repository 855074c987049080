/**
 * The Reproduce page: every experiment on the default policy pairs in one press, as a ledger of claims
 * that can be printed, downloaded and checked. `npm run reproduce` does the same without a screen.
 */
import { useStore } from 'zustand';
import { REPRODUCE_PAIRS, type ReproducePair } from '../../../src/engine/reproduce';
import { duration } from '../../format/numbers';
import { isLive } from '../../state/lab';
import { useLab } from '../../state/react';
import { ExperimentPage } from '../ExperimentPage';
import '../../charts/error-bars.css';
import '../statistics/statistics.css';
import { Controls } from './Controls';
import { LedgerTable } from './LedgerTable';
import { Provenance } from './Provenance';
import { session, type SessionState, type Status } from './session';
import './reproduce.css';

export default function Reproduce() {
  const state = useStore(session.store);
  const { status, claims, options } = state;
  const lab = useLab();
  const openInLab = ({ old, new: theta }: ReproducePair) => {
    lab.edit((draft) => ({
      ...draft,
      kind: 'policies',
      policies: {
        ...draft.policies,
        old,
        new: theta,
        alpha: '1',
        seed: String(options?.seed ?? draft.policies.seed),
      },
    }));
    void lab.start();
    location.assign('#/variance');
  };
  return (
    <ExperimentPage
      question="What of the paper holds on a real policy?"
      lead={
        <>
          One press samples from the shipped policies, runs the five experiments on two pairs, and
          writes down each claim with its prediction, what was measured, and a verdict by a rule
          that was fixed beforehand. A claim that fails is a result, not an error.
        </>
      }
      verdict={<StatusChip status={status} />}
      figures={
        <div className="reproduce-page">
          <Controls
            state={state}
            onStart={(chosen) => {
              const { run } = lab.store.getState();
              // Two runs at once would halve each other's speed, and this one has an ETA.
              if (isLive(run) && run?.progress.phase !== 'paused') lab.pause();
              void session.start(chosen);
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
              <ReportHead state={state} />
              {REPRODUCE_PAIRS.map((pair) => ({
                pair,
                own: claims.filter((claim) => claim.pair === pair.id),
              }))
                .filter(({ own }) => own.length > 0)
                .map(({ pair, own }) => (
                  <LedgerTable
                    key={pair.id}
                    pair={pair}
                    claims={own}
                    onOpen={() => openInLab(pair)}
                  />
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

function StatusChip({ status }: { status: Status }) {
  return (
    <span className="chip" data-testid="reproduce-status">
      {STATUS_WORDS[status.is]}
      {status.is === 'done' && ` in ${duration(status.seconds)}`}
    </span>
  );
}

/** Only on paper: what the screen says beside the ledger. */
function ReportHead({ state: { status, startedAt, options } }: { state: SessionState }) {
  return (
    <p className="only-print">
      GSPO Lab {options?.app}, {startedAt?.toISOString().slice(0, 16).replace('T', ' ')} UTC,{' '}
      {options?.quick === true ? 'quick' : 'full'} run, {STATUS_WORDS[status.is]}. Verdicts: a claim
      fails when the 95 % interval excludes its prediction; it holds when the interval contains it
      and is narrow enough that a departure worth naming would have been seen; otherwise too few.
    </p>
  );
}
