/**
 * The lab's kept runs: the list, opening one again, what is done to it, and files of it. Contract: nothing
 * here is needed for a run to work; without storage every call says why and changes nothing. What is
 * destroyed can be undone until something else is destroyed.
 */
import { t } from '@lingui/core/macro';
import { message } from '../../src/message';
import type {
  ExportKind,
  KeptId,
  Reopened,
  RunId,
  KeptList,
  ListedRun,
  Subject,
} from '../../src/engine/lab/protocol';
import type { RunSettings } from '../../src/settings/run';
import { draftOf, readDraft } from './draft';
import type { Opener } from './lab-opening';
import { isLive, type Engine, type LabStore } from './lab-state';

/** Under way when the page went, and worked on by no other tab. */
function wasCutOff(run: ListedRun): boolean {
  // All may be there, and only the word that it is finished was not written any more.
  const whole = run.sequences >= run.totalSequences;
  return run.state === 'running' && run.live === null && run.settings !== null && !whole;
}

const sameSettings = (a: RunSettings | null, b: RunSettings | null) =>
  JSON.stringify(a) === JSON.stringify(b);

export class KeptRuns {
  constructor(
    private readonly engine: Engine,
    private readonly store: LabStore,
    private readonly opener: Opener,
  ) {}

  /** @returns the list, as it is in the store now */
  async refresh(): Promise<KeptList> {
    return this.arrange(() => this.engine.keptRuns());
  }

  /** The newest run that a reload or a crash cut off; one with the draft's settings comes first. */
  async cutOff(): Promise<ListedRun | null> {
    const keptRuns = await this.refresh();
    if (keptRuns.status !== 'open') return null;
    const cut = keptRuns.runs.filter(wasCutOff);
    return cut.find((run) => this.isDraft(run)) ?? cut[0] ?? null;
  }

  isDraft({ settings }: ListedRun): boolean {
    return sameSettings(settings, readDraft(this.store.getState().draft).settings);
  }

  /** Makes a kept run the one in view; a live one is stopped and stays kept. */
  async open(id: KeptId): Promise<boolean> {
    const { keptRuns, run: before } = this.store.getState();
    const known =
      keptRuns?.status === 'open' ? keptRuns.runs.find((run) => run.id === id) : undefined;
    if (known?.settings) {
      const { settings } = known;
      this.store.setState(({ draft }) => ({ draft: draftOf(settings, draft) }));
      if (!(await this.opener.openFor(settings.backend))) return false;
    }
    if (before !== null && isLive(before)) this.engine.stop(before.id);
    const { run, opened } = this.engine.reopen(id);
    try {
      this.show(run, await opened);
      return true;
    } catch (error) {
      this.store.setState({ notice: t`The kept run could not be opened. ${message(error)}` });
      void this.refresh();
      return false;
    }
  }

  private show(id: RunId, { kept, progress, cannotResume }: Reopened): void {
    this.store.setState({
      run: {
        id,
        settings: kept.settings,
        imported: null,
        reopened: kept,
        progress,
        failure: null,
        rest: null,
        allowed: null,
        keeping: { status: 'kept', id: kept.id, sequences: kept.sequences },
      },
      measurements: {},
      refusals: {},
      inspection: null,
      cutOff: null,
      ...(cannotResume === null ? {} : { notice: t`This run cannot go on. ${cannotResume}` }),
    });
  }

  /** Data from files are kept only when a person says so. */
  async keep(): Promise<void> {
    const { run } = this.store.getState();
    if (run === null) return;
    const name = run.imported?.report.files[0]?.name ?? null;
    await this.arrange(() => this.engine.keep(run.id, name));
  }

  async rename(id: KeptId, name: string): Promise<void> {
    const trimmed = name.trim();
    await this.arrange(() => this.engine.rename(id, trimmed === '' ? null : trimmed));
  }

  /** @param what for the sentence beside Undo */
  async remove(ids: KeptId[], what: string): Promise<void> {
    await this.arrange(() => this.engine.remove(ids));
    this.store.setState({
      undo: { message: what, act: () => this.arrange(() => this.engine.restore(ids)) },
    });
  }

  /** Frees the storage of what was deleted. */
  async purge(): Promise<void> {
    await this.arrange(() => this.engine.purge());
  }

  async export(subject: Subject, kind: ExportKind, link: string | null) {
    return this.engine.export(subject, kind, link);
  }

  private async arrange(request: () => Promise<KeptList>): Promise<KeptList> {
    const keptRuns = await request().catch((error: unknown): KeptList => ({
      status: 'unavailable',
      message: message(error),
    }));
    this.store.setState({ keptRuns });
    return keptRuns;
  }
}
