/** The lab's reading of a person's files, as `imports.ts` describes it. */
import { message } from '../../src/message';
import type { ImportSource, ImportOptions, ImportOutcome } from '../../src/engine/lab/protocol';
import { draftOf } from './draft';
import { QUEUED, type Engine, type LabStore } from './lab-state';

export class FileImports {
  constructor(
    private readonly engine: Engine,
    private readonly store: LabStore,
  ) {}

  /** @returns whether the files are the run now */
  async read(files: ImportSource[], options: ImportOptions): Promise<boolean> {
    this.cancel();
    const { run, outcome } = this.engine.importFiles(files, options);
    this.store.setState({ reading: { run, files, options, progress: QUEUED, failure: null } });
    const end = await outcome.catch((error: unknown): ImportOutcome => ({
      status: 'unreadable',
      message: message(error),
      problem: null,
      judged: null,
    }));
    const { reading } = this.store.getState();
    if (reading?.run !== run) return false;
    if (end.status === 'unreadable') {
      this.store.setState({ reading: { ...reading, failure: end } });
      return false;
    }
    this.store.setState({ reading: null });
    if (end.status === 'cancelled') return false;
    const { report, progress, settings } = end;
    if (settings !== null) {
      this.store.setState(({ draft }) => ({ draft: draftOf(settings, draft) }));
    }
    this.store.setState({
      run: {
        id: run,
        settings,
        imported: { files, options, report },
        reopened: null,
        progress,
        failure: null,
        rest: null,
        allowed: null,
        keeping: null,
      },
      undo: null,
      cutOff: null,
      // Nothing about other data may stand beside the report.
      measurements: {},
      refusals: {},
      inspection: null,
    });
    return true;
  }

  /** Also forgets files that could not be read. */
  cancel(): void {
    const { reading } = this.store.getState();
    if (reading === null) return;
    if (reading.failure === null) this.engine.stop(reading.run);
    this.store.setState({ reading: null });
  }
}
