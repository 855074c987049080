/**
 * The runs that are kept, for the engine: the list, what is done to it, and the data of a few of them.
 * Contract: without a store every request says why; a run that a tab works on is locked by its id, so that
 * no other tab takes it for one that was cut off.
 */
import type { Rollouts } from '../../rollouts/rollouts';
import { StoreSilent, StoreUnavailable, type KeptId, type KeptRun } from '../../store/kept-run';
import { bytesOf } from '../../store/pack';
import type { RunStore } from '../../store/run-store';
import { Autosave } from './autosave';
import type { Keeping, KeptList } from './protocol';
import { message } from '../../message';

/** Deleted runs can be brought back for so long, also after a reload. */
const UNDO_MS = 10 * 60_000;
/** Overlays and the inspector come back to the same few runs. */
const CACHED = 6;

const lockName = (id: KeptId) => `gspo-lab run ${id}`;

/** Node has none before 24, and neither have browsers that are not in a secure context. */
const locks = (): LockManager | undefined => globalThis.navigator?.locks;

export interface Kept {
  run: KeptRun;
  rollouts: Rollouts;
}

export class KeptRunStore {
  private opening: Promise<RunStore> | undefined;
  private readonly cache = new Map<KeptId, Kept>();
  /** what releases the locks that are held here */
  private readonly held = new Map<KeptId, () => void>();
  private readonly autosaves = new Map<KeptId, Autosave>();

  constructor(private readonly openStore: (() => Promise<RunStore>) | undefined) {}

  private store(): Promise<RunStore> {
    if (!this.openStore) return Promise.reject(new StoreUnavailable('Runs are not kept here.'));
    this.opening ??= this.openStore();
    // A browser that refused once may not refuse again; one that says nothing is not waited for twice.
    this.opening.catch((error: unknown) => {
      if (!(error instanceof StoreSilent)) this.opening = undefined;
    });
    return this.opening;
  }

  async list(): Promise<KeptList> {
    try {
      const store = await this.store();
      await store.purge(Date.now() - UNDO_MS);
      const runs = await store.list();
      const taken = await takenLocks();
      return {
        status: 'open',
        runs: runs.map((run) => ({
          ...run,
          live: this.held.has(run.id) ? 'here' : taken.has(lockName(run.id)) ? 'elsewhere' : null,
        })),
        storage: await storageLeft(),
      };
    } catch (error) {
      return { status: 'unavailable', message: error instanceof Error ? error.message : '' };
    }
  }

  /** Something that keeps `run` while it grows; null where nothing can be kept, which is said. */
  async autosave(run: KeptRun, say: (keeping: Keeping) => void): Promise<Autosave | null> {
    try {
      const store = await this.store();
      await this.hold(run.id);
      const autosave = new Autosave(store, run, say, (finished) => this.supersede(store, finished));
      this.autosaves.set(run.id, autosave);
      return autosave;
    } catch (error) {
      say({ status: 'off', message: message(error) });
      return null;
    }
  }

  /** The run is no longer the one in view: nobody here writes to it any more. */
  async release(id: KeptId): Promise<void> {
    await this.autosaves.get(id)?.flush();
    this.autosaves.delete(id);
    this.held.get(id)?.();
    this.held.delete(id);
  }

  /** Stores a whole run at once. */
  async save(run: KeptRun, rollouts: Rollouts): Promise<void> {
    const store = await this.store();
    await store.append({ ...run, bytes: bytesOf(rollouts) }, 0, rollouts);
  }

  async read(id: KeptId): Promise<Kept> {
    const known = this.cache.get(id);
    if (known) return known;
    await this.autosaves.get(id)?.flush();
    const kept = await (await this.store()).read(id);
    // A run that still grows is read afresh each time.
    if (!this.autosaves.has(id)) {
      this.cache.set(id, kept);
      const [oldest] = this.cache.keys();
      if (this.cache.size > CACHED && oldest !== undefined) this.cache.delete(oldest);
    }
    return kept;
  }

  async rename(id: KeptId, name: string | null): Promise<void> {
    await (await this.store()).rename(id, name);
    this.cache.delete(id);
  }

  /** Can be undone by `restore`, for a while. */
  async remove(ids: readonly KeptId[]): Promise<void> {
    await (await this.store()).mark(ids, Date.now());
  }

  async restore(ids: readonly KeptId[]): Promise<void> {
    await (await this.store()).mark(ids, null);
  }

  /** Frees the storage of deleted runs; then what found none is tried again. */
  async purge(): Promise<void> {
    await (await this.store()).purge(Infinity);
    for (const autosave of this.autosaves.values()) {
      autosave.retry();
      await autosave.flush();
    }
  }

  private hold(id: KeptId): Promise<void> {
    if (this.held.has(id)) return Promise.resolve();
    return new Promise((resolve) => {
      let release: () => void = () => undefined;
      const done = new Promise<void>((end) => (release = end));
      this.held.set(id, () => release());
      const manager = locks();
      if (!manager) return resolve();
      // Another tab may hold it: then nobody waits, and this one simply does not own it.
      void manager.request(lockName(id), { ifAvailable: true }, () => {
        resolve();
        return done;
      });
    });
  }

  /**
   * The same run again, to the last number: one copy is enough, unless a person gave it a name or another tab
   * still works on it. Where tabs cannot be asked, one that may be under way is left alone.
   */
  private async supersede(store: RunStore, run: KeptRun): Promise<void> {
    const same = ({ settings, policies, app }: KeptRun) =>
      JSON.stringify([settings, policies, app]);
    if (run.settings === null) return;
    const taken = await takenLocks();
    const copies = (await store.list()).filter(
      (other) =>
        other.id !== run.id &&
        other.name === null &&
        !this.held.has(other.id) &&
        !taken.has(lockName(other.id)) &&
        (locks() !== undefined || other.state !== 'running') &&
        other.sequences <= run.sequences &&
        same(other) === same(run),
    );
    await store.erase(copies.map(({ id }) => id));
  }
}

/** Names of locks that any tab of this site holds. */
async function takenLocks(): Promise<ReadonlySet<string | undefined>> {
  return new Set((await locks()?.query())?.held?.map(({ name }) => name));
}

async function storageLeft(): Promise<{ used: number; quota: number } | null> {
  const estimate = await globalThis.navigator?.storage?.estimate?.().catch(() => undefined);
  return estimate?.quota === undefined
    ? null
    : { used: estimate.usage ?? 0, quota: estimate.quota };
}
