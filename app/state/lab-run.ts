/**
 * The lab's run: started from the draft, and what a person orders it to do. Contract: one run; starting
 * another stops the one before. The engine obeys orders that come before it has taken a run up.
 */
import { t } from '@lingui/core/macro';
import type { RunId } from '../../src/engine/lab/protocol';
import { sameRun } from '../../src/link/link';
import { readDraft } from './draft';
import { missingOwn, type Opener } from './lab-opening';
import { sourceName, type Imported } from './imports';
import type { Goal } from './lab-goal';
import type { FileImports } from './lab-imports';
import type { ModelShelf } from './lab-model-shelf';
import { DTYPE_OF, dtypeOf, missingModels, modelKey } from './lab-models';
import { isLive, QUEUED, type Engine, type LabStore, type Run, type Undo } from './lab-state';

export class RunControl {
  /** How often a start was asked for: while one is on its way, a newer one takes its place. */
  asked = 0;

  constructor(
    private readonly engine: Engine,
    private readonly store: LabStore,
    private readonly opener: Opener,
    private readonly imports: FileImports,
    private readonly goal: Goal,
    private readonly models: ModelShelf,
  ) {}

  /** Starts the draft, if it is valid. An earlier run is stopped and its data replaced. */
  async start(): Promise<RunId | null> {
    const { settings } = readDraft(this.store.getState().draft);
    if (settings === null) return null;
    const mine = ++this.asked;
    if (!(await this.opener.openFor(settings.backend))) return null;
    const { run: before, opening, draft } = this.store.getState();
    // The banner asks for them.
    if (opening.status === 'open' && missingOwn(draft, opening.policies).length > 0) return null;
    if (draft.kind === 'models' && !(await this.modelsReady())) return null;
    if (mine !== this.asked) return null;
    if (before !== null && isLive(before)) this.engine.stop(before.id);
    const { linked } = this.store.getState();
    const repeats = linked !== null && sameRun(linked.settings, settings);
    const id = this.engine.start(settings, true, repeats ? linked.sequences : undefined);
    this.store.setState({
      run: {
        id,
        settings,
        imported: null,
        reopened: null,
        progress: QUEUED,
        failure: null,
        rest: null,
        allowed: null,
        keeping: null,
      },
      inspection: null,
      refusals: {},
      // The way back to a run that the engine has replaced is gone; files can be read again.
      undo: before?.imported ? this.readAgain(before.imported) : null,
    });
    return id;
  }

  /** One batch, then paused; without a run, the first batch of a new one. */
  async step(): Promise<void> {
    const { run } = this.store.getState();
    const live = run !== null && isLive(run);
    if (live) this.store.setState({ run: this.goal.more(run) });
    const id = live ? run.id : await this.start();
    if (id !== null) this.engine.step(id);
  }

  pause(): void {
    this.withRun(({ id }) => this.engine.pause(id));
  }

  resume(): void {
    this.withRun((run) => {
      this.store.setState({ run: { ...this.goal.more(run), failure: null }, cutOff: null });
      this.engine.resume(run.id);
    });
  }

  stop(): void {
    this.withRun(({ id }) => this.engine.stop(id));
  }

  /** Puts the run and what was measured on it out of view; settings stay, and there is a way back. */
  reset(): void {
    const { run, measurements } = this.store.getState();
    if (run === null) return;
    if (isLive(run)) this.engine.stop(run.id);
    const { sequences, totalSequences } = run.progress;
    const phase = sequences < totalSequences ? 'stopped' : 'finished';
    const before = { ...run, failure: null, progress: { ...run.progress, phase } } as const;
    this.store.setState({
      run: null,
      measurements: {},
      refusals: {},
      inspection: null,
      cutOff: null,
      undo: {
        message: t`The run is out of view.`,
        act: () => this.store.setState({ run: before, measurements }),
      },
    });
  }

  /** Whether both models are here and have been checked; else a banner asks for them. Fetches nothing. */
  private async modelsReady(): Promise<boolean> {
    await this.models.refresh();
    const { draft, models } = this.store.getState();
    const missing = missingModels(draft, models).length > 0;
    this.store.setState({ wanted: missing });
    if (missing) return false;
    for (const slot of ['old', 'new'] as const) {
      const [ref, dtype] = [draft.models[slot], dtypeOf(draft.models[DTYPE_OF[slot]])];
      const known = this.store.getState().models.reports[modelKey(ref, dtype)];
      if (known === undefined && !(await this.models.check(ref, dtype))) return false;
    }
    return true;
  }

  private readAgain(imported: Imported): Undo {
    const { files, options } = imported;
    return {
      message: t`The new run has taken the place of ${sourceName(imported)}.`,
      act: () => this.imports.read(files, options),
    };
  }

  private withRun(act: (run: Run) => void): void {
    const { run } = this.store.getState();
    if (run !== null) act(run);
  }
}
