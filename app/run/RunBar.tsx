/**
 * The run bar: start, pause, resume, step, stop, reset; how far, how fast, how long still; and which
 * backend does the work. Contract: buttons stay in their places whatever the phase.
 */
import { plural, t } from '@lingui/core/macro';
import type { ReactNode } from 'react';
import type { RunPhase, RunProgress } from '../../src/engine/lab/protocol';
import { bytes, count, duration, significant } from '../format/numbers';
import { NoiseFloor } from '../models/NoiseFloor';
import { KeepingLine, RunsButton } from '../runs/KeepingLine';
import { readDraft } from '../state/draft';
import { isAtRest, isLive, type LabState, type Opening, type Rest, type Run } from '../state/lab';
import { decidedIn, timeOf, type Decided } from '../state/lab-goal';
import { sourceName } from '../state/imports';
import { useLab, useLabState } from '../state/react';
import { BackendTrouble, BackendWords } from '../format/Backend';

const phases = (): Record<RunPhase, string> => ({
  loading: t`Loading`,
  sampling: t`Sampling`,
  scoring: t`Scoring`,
  paused: t`Paused`,
  rested: t`Rests`,
  finished: t`Finished`,
  stopped: t`Stopped`,
});

const restsSaid = (): Record<Rest, string> => ({
  decided: t`Decided`,
  time: t`Time is up`,
  link: t`As far as the link`,
});

/** @param children beside the backend: what the shell has to say of the run */
export function RunBar({ children }: { children?: ReactNode }) {
  const lab = useLab();
  const run = useLabState((state) => state.run);
  const opening = useLabState((state) => state.opening);
  const valid = useLabState((state) => readDraft(state.draft).settings !== null);
  const live = isLive(run);
  const paused = live && run !== null && isAtRest(run.progress);
  const ready = opening.status === 'open' && valid;
  return (
    <section className="run-bar" aria-label={t`Run`}>
      <div className="run-buttons">
        {!live ? (
          <button
            type="button"
            className="button button-main"
            disabled={!ready}
            onClick={() => void lab.start()}
          >
            {t`Start`}
          </button>
        ) : paused ? (
          <button type="button" className="button button-main" onClick={() => lab.resume()}>
            {run?.rest ? t`Go on` : t`Resume`}
          </button>
        ) : (
          <button type="button" className="button button-main" onClick={() => lab.pause()}>
            {t`Pause`}
          </button>
        )}
        <button
          type="button"
          className="button"
          title={t`One batch, then pause`}
          disabled={live ? !paused : !ready}
          onClick={() => void lab.step()}
        >
          {t`Step`}
        </button>
        <button type="button" className="button" disabled={!live} onClick={() => lab.stop()}>
          {t`Stop`}
        </button>
        <button
          type="button"
          className="button"
          title={t`Forget this run's data`}
          disabled={run === null}
          onClick={() => lab.reset()}
        >
          {t`Reset`}
        </button>
        <RunsButton />
      </div>
      <Progress run={run} />
      <div className="run-foot">
        <BackendLine />
        {children}
      </div>
      <NoiseFloor />
      <OwnTrouble />
    </section>
  );
}

const withoutRun = (): Record<Opening['status'], string> => ({
  opening: t`Looking for a backend`,
  open: t`Ready`,
  failed: t`No engine`,
});

function phaseWords(run: Run | null, opening: Opening['status']): string {
  if (run === null) return withoutRun()[opening];
  if (run.failure !== null) return t`Interrupted`;
  const { phase } = run.progress;
  return phase === 'rested' && run.rest !== null ? restsSaid()[run.rest] : phases()[phase];
}

function Progress({ run }: { run: Run | null }) {
  const opening = useLabState((state) => state.opening.status);
  const progress = run?.progress;
  const total = progress?.totalSequences ?? 0;
  const share = shareOf(run);
  return (
    <div className="run-progress">
      <div className="run-line">
        <span className="run-phase" role="status" data-testid="phase">
          {phaseWords(run, opening)}
        </span>
        <span className="run-count" data-testid="sequences">
          {progress?.loaded !== undefined && progress.phase === 'loading'
            ? loadedWords(progress.loaded)
            : total > 0
              ? t`${count(progress?.sequences ?? 0)} of ${count(total)} responses${fromWhere(run)}`
              : ''}
        </span>
        <KeepingLine />
      </div>
      <progress
        aria-label={t`Progress of the run`}
        max={1}
        {...(share === null ? {} : { value: share })}
      />
      <dl className="run-rates">
        <div>
          <dt>{t`tokens`}</dt>
          <dd>{progress === undefined ? '–' : count(progress.tokens)}</dd>
        </div>
        <div>
          <dt>{t`tokens/s`}</dt>
          <dd data-testid="rate">{known(progress?.tokensPerSecond, rateWords)}</dd>
        </div>
        <div>
          <dt>{t`elapsed`}</dt>
          <dd>{progress === undefined ? '–' : duration(progress.seconds)}</dd>
        </div>
        <div>
          <dt>{t`left`}</dt>
          <dd>{known(leftOf(run), duration)}</dd>
        </div>
      </dl>
      <DecidedLine />
    </div>
  );
}

/** How many claims of the page are decided, and what the next one takes. */
function DecidedLine() {
  const text = useLabState((state) => decidedWords(state));
  return (
    <p className="run-decided" data-testid="decided">
      {text}
    </p>
  );
}

function decidedWords(state: LabState): string {
  const { run } = state;
  const found = decidedIn(state);
  if (run === null || found === null || found.claims === 0) return '\u00a0';
  const { claims, decided } = found;
  return decided === claims
    ? plural(claims, {
        one: 'The claim of this page is decided.',
        other: 'All # claims of this page are decided.',
      })
    : t`${decided} of ${plural(claims, { one: '# claim', other: '# claims' })} of this page decided${nextWords(run, found)}.`;
}

/** "; the next takes about 1,300 more responses (25 s)" */
function nextWords(run: Run, { nextAt, prompts }: Decided): string {
  const { sequences, totalSequences, seconds } = run.progress;
  // A file has what it has.
  if (nextAt === null || prompts === 0 || run.imported) return '';
  const perPrompt = sequences / prompts;
  const more = Math.ceil(Math.max(1, nextAt - prompts) * perPrompt);
  const time = seconds > 0 ? `, ${duration((more * seconds) / sequences)}` : '';
  const beyond = sequences + more > totalSequences ? t`, more than this run will have` : '';
  return t`; the next takes about ${count(Number(more.toPrecision(2)))} more responses${time}${beyond}`;
}

/** Seconds until it has its end, or rests at the latest; null: not known yet, or it does not work. */
function leftOf(run: Run | null): number | null {
  if (run === null || run.progress.etaSeconds === null) return null;
  const { etaSeconds, seconds } = run.progress;
  return Math.max(0, Math.min(etaSeconds, timeOf(run) - seconds));
}

/** The file, where the data come from one: they look like any others. */
function fromWhere(run: Run | null): string {
  return run?.imported ? `, from ${sourceName(run.imported)}` : '';
}

const rateWords = (rate: number) =>
  rate < 1000 ? significant(rate, 3) : count(Number(rate.toPrecision(3)));

/** A dash keeps the place of what is not known yet. */
function known(x: number | null | undefined, show: (x: number) => string): string {
  return x === null || x === undefined ? '–' : show(x);
}

/** null: unknown, an indeterminate bar */
function shareOf(run: Run | null): number | null {
  if (run === null) return 0;
  const { progress } = run;
  if (progress.phase === 'loading') {
    const { loaded } = progress;
    if (loaded === undefined) return progress.totalSequences === 0 ? null : 0;
    return loaded.total === null ? null : loaded.bytes / Math.max(1, loaded.total);
  }
  const { sequences, totalSequences, seconds } = progress;
  if (totalSequences === 0) return 0;
  // Whichever comes first ends it.
  return Math.min(1, Math.max(sequences / totalSequences, seconds / timeOf(run)));
}

function loadedWords(loaded: NonNullable<RunProgress['loaded']>): string {
  if (loaded.bytes === 0 && loaded.total === null) return loaded.what;
  const total = loaded.total === null ? '' : ` of ${bytes(loaded.total)}`;
  return `${loaded.what}, ${bytes(loaded.bytes)}${total}`;
}

function BackendLine() {
  const opening = useLabState((state) => state.opening);
  if (opening.status !== 'open') {
    return (
      <p className="backend-line muted" data-testid="backend">
        {opening.status === 'opening' ? t`Looking for a GPU…` : t`No engine.`}
      </p>
    );
  }
  return <BackendWords backend={opening.backend} testId="backend" />;
}

function OwnTrouble() {
  const trouble = useLabState(({ opening }) =>
    opening.status === 'open' ? opening.backend.trouble : undefined,
  );
  return <BackendTrouble trouble={trouble} testId="backend-trouble" />;
}
