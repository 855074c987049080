/**
 * The one order in which every experiment page reads: question, run (above it, in the shell), "break it" and
 * measurement in the middle; prediction and verdict on the right.
 */
import { Trans } from '@lingui/react/macro';
import { plural, t } from '@lingui/core/macro';
import { lazy, Suspense, type ReactNode } from 'react';
import { useStore } from 'zustand';
import type { Claim } from '../../src/experiments/experiment';
import { isExperimentId, PAGES, SOURCES, type PageId } from '../../src/experiments/manifest';
import { count, digitsApart, duration, interval, significant } from '../format/numbers';
import { Prose } from '../format/Prose';
import { hasDrawing, isOwed, lessonStore } from '../lessons/session';
import { OverlayStrip } from '../runs/OverlayStrip';
import { isLive } from '../state/lab';
import type { Recording } from '../state/recording';
import {
  LagContext,
  useLab,
  useLabState,
  useLag,
  useShowsRecording,
  type Lag,
} from '../state/react';
import { BreakIt } from './BreakIt';
import { VerdictChip } from './VerdictChip';
import { said } from '../language/i18n';

export { VerdictChip };

const DrawnFigure = lazy(() => import('../lessons/DrawnFigure'));

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
  const lag = useLag(page);
  // A student's own file tells nothing of what a step asks.
  const owed = useStore(lessonStore, isOwed) && page !== 'data';
  const drawn = useStore(lessonStore, (state) => hasDrawing(state, page));
  if (owed) return <Concealed page={page} />;
  return (
    <LagContext value={lag}>
      <section className="measurement" aria-label={t`Measurement`}>
        <header className="question">
          <div className="question-head">
            <h1>{said(PAGES[page].question)}</h1>
            <span className="verdict-head">
              {verdict}
              <Behind lag={lag} />
            </span>
          </div>
          <p>{lead}</p>
        </header>
        <OverlayStrip />
        {drawn && (
          <Suspense fallback={null}>
            <h2 className="visually-hidden">{t`What you drew`}</h2>
            <DrawnFigure />
          </Suspense>
        )}
        {isExperimentId(page) && <BreakIt page={page} />}
        <h2 className="visually-hidden">{t`Figures`}</h2>
        {figures}
        {/* Below them: nothing moves when it goes. */}
        {lag?.of === 'recording' && <RecordedNote recording={lag.recording} />}
      </section>
      <aside className="words" data-part="words" aria-label={t`Prediction and verdict`}>
        {words}
      </aside>
    </LagContext>
  );
}

/** While a step of a lesson asks for a prediction, a page keeps its own to itself, and what was measured. */
function Concealed({ page }: { page: PageId }) {
  return (
    <section className="measurement" aria-label={t`Measurement`}>
      <header className="question">
        <h1>{said(PAGES[page].question)}</h1>
      </header>
      <p className="notice" data-testid="concealed">
        <Trans>
          The lesson under way asks first. This page shows its prediction, its figures and its
          verdict once <a href="#/lessons">the step is answered</a>.
        </Trans>
      </p>
    </section>
  );
}

/** What the page's verdicts and figures are behind, where they are. */
function Behind({ lag }: { lag: Lag }) {
  const run = useLabState((state) => state.run);
  // While a run grows each answer is behind by a batch, and its captions say of how many responses it is.
  if (lag === null || lag.of === 'recording' || run === null || (lag.of === 'fewer' && isLive(run)))
    return null;
  return (
    <span className="behind small" role="status" data-testid="behind">
      {lag.of === 'run before'
        ? t`of the run before, until this one has a batch`
        : t`of ${count(lag.sequences)} responses; those of ${count(run.progress.sequences)} are on their way`}
    </span>
  );
}

/** Where the numbers come from, until there are live ones. */
function RecordedNote({ recording }: { recording: Recording }) {
  const { settings, file, recordedAt, sequences, backend } = recording;
  const what =
    settings?.source.kind === 'policies'
      ? `${settings.source.policy}, ${settings.source.old} → ${settings.source.new}`
      : (file ?? 'synthetic');
  return (
    <p className="notice recorded-note" data-testid="recorded-note">
      <Trans>
        <span className="recorded-tag">recorded</span> These numbers come from a run of {recordedAt}{' '}
        ({what}; {plural(sequences, { one: '# response', other: '# responses' })};{' '}
        {backend.policy === 'webgpu' ? t`WebGPU on ${backend.adapter}` : 'WebAssembly'}). Your own
        replace them with the first batch.
      </Trans>
    </p>
  );
}

interface ClaimsProps {
  claims: readonly Claim[];
  /** of which claims the page's verdict is made, where not of all, a clause; null: the page says it itself */
  deciding?: string | null;
}

export function Claims({ claims, deciding = t`of these` }: ClaimsProps) {
  const seconds = useSeconds();
  const same = useSamePrompts(claims);
  if (claims.length === 0) {
    return <p className="muted">{t`No claim has been put to the test yet.`}</p>;
  }
  return (
    <>
      {deciding !== null && (
        <p className="small muted">
          <Trans>
            The verdict at the top is the worst {deciding}: fails, then departs, then undecided.
            Intervals hold at every look; all claims of the page are right together in 95 % of runs.
          </Trans>
        </p>
      )}
      {same !== null && (
        <p className="small muted" data-testid="same-prompts">
          {same}
        </p>
      )}
      <ol className="claims">
        {claims.map((claim) => {
          const digits = digitsOf(claim);
          return (
            <li key={claim.id}>
              <div className="claim-head">
                <span>
                  <Prose>{said(claim.claim)}</Prose>
                </span>
                <VerdictChip verdict={claim.verdict} />
              </div>
              <dl className="claim-numbers">
                {claim.prediction !== null && (
                  <div>
                    <dt>{t`predicted`}</dt>
                    <dd>{significant(claim.prediction, digits)}</dd>
                  </div>
                )}
                {claim.measured !== null && (
                  <div>
                    <dt>{t`measured`}</dt>
                    <dd>
                      {significant(claim.measured, digits)}
                      {claim.interval !== null && ` ${interval(claim.interval, digits)}`}
                    </dd>
                  </div>
                )}
                {claim.margin !== null && (
                  <div>
                    <dt>{t`margin`}</dt>
                    <dd>{marginOf(claim.margin, digits)}</dd>
                  </div>
                )}
                <div>
                  <dt>n</dt>
                  <dd>{countedOf(claim.n, claim.nOf)}</dd>
                </div>
              </dl>
              {stateOf(claim, seconds).map((sentence) => (
                <p key={sentence} className="claim-rule">
                  {sentence}
                </p>
              ))}
              <p className="claim-rule">
                {claim.rule !== '' && (
                  <>
                    <Prose>{said(claim.rule)}</Prose>{' '}
                  </>
                )}
                <Trans>Source: {said(SOURCES[claim.source].title).toLowerCase()}.</Trans>
              </p>
            </li>
          );
        })}
      </ol>
    </>
  );
}

/** Enough that a reader sees on which side of the margin's edges the interval's ends lie. */
export function digitsOf({ measured, interval, margin, prediction }: Claim): number {
  const numbers = [measured, prediction, ...(interval ?? []), ...(margin ?? [])];
  return digitsApart(numbers.filter((x) => x !== null));
}

function marginOf([low, high]: NonNullable<Claim['margin']>, digits: number): string {
  if (low === null) return t`at most ${significant(high ?? Infinity, digits)}`;
  if (high === null) return t`at least ${significant(low, digits)}`;
  return t`${significant(low, digits)} to ${significant(high, digits)}`;
}

/** Why fewer prompts count than were asked for; null where as many do, or the run is still under way. */
function useSamePrompts(claims: readonly Claim[]): string | null {
  const prompts = useLabState(({ run }) => {
    if (run === null || run.settings === null || isLive(run)) return null;
    const { sequences, totalSequences } = run.progress;
    return sequences < totalSequences ? null : run.settings.source.prompts;
  });
  const recorded = useShowsRecording();
  if (recorded || prompts === null) return null;
  return samePromptsWords(prompts, Math.max(...claims.map(({ clusters }) => clusters)));
}

/** @param different prompts that intervals rest on, of those that were drawn; null where there is nothing to say */
export function samePromptsWords(prompts: number, different: number): string | null {
  if (different < 1 || different >= prompts) return null;
  return t`${plural(prompts, { one: '# prompt', other: '# prompts' })} were drawn, ${count(different)} of them different: intervals rest on those, and a prompt that came twice counts once.`;
}

/**
 * Seconds that sampling the run in view has taken; null where nothing was sampled. As they are when the claims
 * are drawn: a run says how far it is many times between two answers.
 */
function useSeconds(): number | null {
  const { store } = useLab();
  const recorded = useShowsRecording();
  const { run } = store.getState();
  if (recorded || run === null || run.settings === null) return null;
  const { sequences, seconds } = run.progress;
  return sequences > 0 && seconds > 0 ? seconds : null;
}

/**
 * What stands beside the verdict: how small, since when, what would settle it, why not.
 * @param seconds that the claim's prompts took to sample
 */
export function stateOf(claim: Claim, seconds: number | null = null): string[] {
  const out: string[] = [];
  if (claim.detected)
    out.push(t`Detected, too small to matter: the prediction is excluded, the margin is not left.`);
  if (claim.keptFrom !== null) {
    out.push(
      t`Given at ${plural(claim.keptFrom, { one: '# prompt', other: '# prompts' })} and kept; numbers are today’s.`,
    );
  }
  if (claim.interval !== null && (claim.verdict === 'undecided' || claim.verdict === 'departs')) {
    out.push(settling(claim, seconds));
  }
  if (claim.note !== null) out.push(said(claim.note));
  return out;
}

/** What a claim's n counts. */
function countedOf(n: number, of: Claim['nOf']): string {
  switch (of) {
    case 'sequences':
      return plural(n, { one: '# sequence', other: '# sequences' });
    case 'tokens':
      return plural(n, { one: '# token', other: '# tokens' });
    case 'prompts':
      return plural(n, { one: '# prompt', other: '# prompts' });
    case 'lengths':
      return plural(n, { one: '# length', other: '# lengths' });
    case 'steps':
      return plural(n, { one: '# step', other: '# steps' });
    case 'seeds':
      return plural(n, { one: '# seed', other: '# seeds' });
    default:
      return of satisfies never;
  }
}

/** What an interval rests on. */
const counting = (of: Claim['nOf'], n: number) => {
  if (of === 'steps') return plural(n, { one: '# block of steps', other: '# blocks of steps' });
  if (of === 'seeds') return plural(n, { one: '# seed', other: '# seeds' });
  return plural(n, { one: '# prompt', other: '# prompts' });
};

function settling({ settledBy, clusters, nOf }: Claim, seconds: number | null): string {
  const has = counting(nOf, clusters);
  if (settledBy === null && nOf === 'seeds') {
    return t`There are ${has}; a thousand would not settle it: the estimate lies at the edge of the margin.`;
  }
  if (settledBy === null) {
    return t`There are ${has}; a million would not settle it: the estimate lies at an edge of the margin.`;
  }
  const wanted = ((seconds ?? NaN) * settledBy) / clusters;
  const more =
    seconds === null || nOf === 'steps' || nOf === 'seeds'
      ? ''
      : t`, ${wanted < 1 ? t`less than a second` : duration(wanted)} at this speed`;
  return t`There are ${has}; about ${counting(nOf, settledBy)} would settle it, if the estimate stays${more}.`;
}
