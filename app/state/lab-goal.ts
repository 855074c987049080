/**
 * When a run has enough. A run of policies goes on until every claim of the page in view is decided, or until its
 * time is spent (setting `budget`); one that repeats a link, until it has the link's responses. Contract: the run
 * then rests and can go on; on a page whose claims are open it goes on by itself while there is time. Intervals are
 * valid at every look, so stopping at a verdict costs no truth. A person's own pause, and a person's wish to go on,
 * stand.
 */
import { sameRun } from '../../src/link/link';
import {
  isLive,
  type Engine,
  type LabState,
  type LabStore,
  type Rest,
  type Run,
} from './lab-state';

/** Prompts without which no page rests: fewer make poor figures, however early a verdict is. */
export const LEAST_PROMPTS = 128;

/** How far the claims of the page in view are. */
export interface Decided {
  claims: number;
  decided: number;
  /** prompts after which the next one is expected to be; null: nothing says */
  nextAt: number | null;
  /** prompts in the data */
  prompts: number;
}

/** null: not known yet, or nothing in view has claims */
export function decidedIn({ run, inView, measurements }: LabState): Decided | null {
  if (run === null) return null;
  const results = inView.map((id) => measurements[id]);
  const known = results.flatMap((found) => (found?.run === run.id ? [found.result] : []));
  if (known.length === 0 || known.length < inView.length) return null;
  // Of a claim that does not apply there is nothing to decide.
  const claims = known
    .flatMap((result) => result.claims)
    .filter(({ verdict }) => verdict !== 'not applicable');
  const open = claims.filter(({ verdict }) => verdict === 'undecided');
  const next = open.flatMap(({ settledBy }) => (settledBy === null ? [] : [settledBy]));
  return {
    claims: claims.length,
    decided: claims.length - open.length,
    nextAt: next.length === 0 ? null : Math.min(...next),
    prompts: Math.max(0, ...claims.map(({ clusters }) => clusters)),
  };
}

/** Seconds; 0: no end is set. */
function budgetOf(settings: Run['settings']): number {
  const source = settings?.source;
  return source !== undefined && source.kind !== 'synthetic' ? source.budget : 0;
}

/** Seconds of work after which the run rests; Infinity: it does not. */
export function timeOf({ settings, allowed }: Run): number {
  if (allowed !== null) return allowed;
  const budget = budgetOf(settings);
  return budget === 0 ? Infinity : budget;
}

/** Why the run has enough, or null. */
function enough(state: LabState): Rest | null {
  const { run, linked } = state;
  if (run === null || run.settings === null) return null;
  const { phase, sequences, seconds } = run.progress;
  if (linked !== null && sameRun(linked.settings, run.settings) && run.allowed === null) {
    return phase === 'rested' ? 'link' : null;
  }
  const time = timeOf(run);
  if (time === Infinity) return null;
  if (seconds >= time) return 'time';
  const { prompts, groupSize } = run.settings.source;
  if (sequences < Math.min(LEAST_PROMPTS, prompts) * groupSize) return null;
  if (state.inView.length === 0) return 'decided';
  const found = decidedIn(state);
  return found !== null && found.decided === found.claims ? 'decided' : null;
}

export class Goal {
  constructor(
    private readonly engine: Pick<Engine, 'rest' | 'resume'>,
    private readonly store: LabStore,
  ) {
    store.subscribe((now, before) => {
      if (
        now.run !== before.run ||
        now.measurements !== before.measurements ||
        now.inView !== before.inView ||
        now.linked !== before.linked
      ) {
        this.look(now);
      }
    });
  }

  /** A person wants more: as much time again, or all of it where the time was not the reason. */
  more(run: Run): Run {
    if (run.rest === null) return run;
    const time = run.progress.seconds + budgetOf(run.settings);
    const allowed = run.rest === 'time' ? time : Infinity;
    return { ...run, rest: null, allowed };
  }

  private look(state: LabState): void {
    const { run } = state;
    if (run === null || !isLive(run)) return;
    const { phase } = run.progress;
    if (phase === 'paused') return;
    const why = enough(state);
    if (run.rest === null && why !== null) {
      this.store.setState({ run: { ...run, rest: why } });
      // A run that repeats a link comes to its rest by itself.
      if (phase !== 'rested') this.engine.rest(run.id);
    } else if (run.rest === 'decided' && why === null && phase === 'rested' && known(state)) {
      this.store.setState({ run: { ...run, rest: null } });
      this.engine.resume(run.id);
    }
  }
}

/** The page in view has answered about this run, so that what it lacks is known. */
const known = (state: LabState) => state.inView.length > 0 && decidedIn(state) !== null;
