/**
 * The start page: what GSPO is, one picture that moves, and the lab's questions in the order of the menu, each with
 * what has been found so far. Contract: numbers come from what ships with the lab and are labelled as recorded; the
 * run that a first visit starts goes on behind it.
 */
import { GROUP_IDS, GROUPS, PAGES, pagesOf, type GroupId } from '../../../src/experiments/manifest';
import { count } from '../../format/numbers';
import { Term } from '../../format/Term';
import { VerdictChip } from '../../page/ExperimentPage';
import { ReadingPage } from '../../page/ReadingPage';
import { useAddressState, usePageHash } from '../../state/address-react';
import { isLive } from '../../state/lab';
import { useLabState } from '../../state/react';
import { useRecordedResponse, useRecording } from '../../state/recorded';
import { useRecordedLedger } from '../../state/recorded-ledger';
import { ANSWERS, type Answer } from './answers';
import { Averaging } from './Averaging';
import './start.css';

export default function Start() {
  const response = useRecordedResponse();
  const ledger = useRecordedLedger();
  const objectives = useRecording('objectives');
  const records = { ledger, objectives: objectives?.result ?? null };
  return (
    <ReadingPage
      page="start"
      lead={
        <>
          <p>
            <b>Group sequence policy optimization</b> trains a language model by trial. The model,
            here called the <Term of="policy">policy</Term>, answers each{' '}
            <Term of="prompt">prompt</Term> several times; answers better than their{' '}
            <Term of="group">group</Term> are made more likely, worse ones less. How far that may go
            in one step is decided by one number per answer, the{' '}
            <Term of="sequenceWeight">sequence weight s</Term>: how much more likely the new policy
            makes the answer than the old one did, as a mean over its <Term of="token">tokens</Term>
            .
          </p>
          <p>
            Liu (2025) says that this number is a ratio of <Term of="perplexity">perplexities</Term>
            , and that a longer answer steadies it. This lab puts that to the test in your browser:
            with real policies, on your own GPU, or on your own <Term of="rollout">rollouts</Term>.
          </p>
        </>
      }
    >
      <section>
        <h2>One answer, one weight</h2>
        {response === null ? (
          <div className="averaging-place" aria-hidden="true" />
        ) : (
          <Averaging recording={response} />
        )}
      </section>
      <section className="start-why">
        <h2>Why care</h2>
        <p>
          Whoever trains a model on long answers must choose what a step may change. With a weight
          per token, as in <Term of="grpo">GRPO</Term>, a few odd tokens can carry a step away; with
          the product of all ratios, every long answer explodes. GSPO’s mean is the way between, and
          what it is good for hangs on how much it still wobbles, on what{' '}
          <Term of="clip">clipping</Term> it then throws away, and on whether the theory that says
          so holds for real models.
        </p>
        <LiveRun />
      </section>
      <section className="start-questions">
        <h2>Five questions</h2>
        <ol>
          {GROUP_IDS.map((group) => (
            <Question key={group} group={group} answer={ANSWERS[group](records)} />
          ))}
        </ol>
      </section>
    </ReadingPage>
  );
}

function Question({ group, answer }: { group: GroupId; answer: Answer | null }) {
  const { title, question } = GROUPS[group];
  return (
    <li className="start-question" data-group={group}>
      <h3>
        <span className="start-group">{title}</span> {question}
      </h3>
      {answer !== null && (
        <div className="start-answer">
          <p>
            <span className="recorded-tag">recorded</span> {answer.words}
          </p>
          <ul>
            {answer.lines.map(({ what, measured, verdict }) => (
              <li key={`${what} ${verdict}`}>
                <span>{what}</span>
                <span className="start-measured">{measured}</span>
                {verdict !== null && <VerdictChip verdict={verdict} recorded={false} />}
              </li>
            ))}
          </ul>
          <p className="small muted">From {answer.from}.</p>
        </div>
      )}
      <ul className="start-pages">
        {pagesOf(group).map((id) => (
          <li key={id}>
            <PageLink id={id} />
          </li>
        ))}
      </ul>
    </li>
  );
}

function PageLink({ id }: { id: Parameters<typeof usePageHash>[0] }) {
  const { title, question } = PAGES[id];
  return (
    <a href={usePageHash(id)}>
      <b>{title}</b>
      <span>{question}</span>
    </a>
  );
}

/** What goes on in this tab already. */
function LiveRun() {
  const run = useLabState((state) => state.run);
  const opening = useLabState((state) => state.opening.status);
  const waits = useAddressState(({ offer }) => offer !== null);
  const href = usePageHash('equivalence');
  const progress = run?.progress;
  const words =
    progress === undefined || progress.totalSequences === 0
      ? opening === 'failed'
        ? 'No run goes on here.'
        : waits
          ? 'The run of this link waits for your word.'
          : 'A run of your own is about to begin in this tab.'
      : `${isLive(run) ? 'A run of your own goes on in this tab' : 'A run of your own is in this tab'}: ${count(progress.sequences)} of ${count(progress.totalSequences)} responses.`;
  return (
    <p className="start-live">
      <span data-testid="start-run">{words}</span>{' '}
      <a className="button button-main" href={href}>
        Watch the first question answered
      </a>
    </p>
  );
}
