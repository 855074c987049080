/**
 * Runs in IndexedDB: one record about each run, one per finished batch. Contract: a batch and the count of
 * batches are written in one transaction, so a crash at any moment leaves a run that can be read and resumed;
 * failures are `StoreFull` (no room: everything written before is kept) or `StoreUnavailable`.
 */
import { openDB, type DBSchema, type IDBPDatabase } from 'idb';
import * as v from 'valibot';
import { concatRollouts, type Rollouts } from '../rollouts/rollouts';
import { keptRunSchema, StoreUnavailable, type KeptId, type KeptRun } from './kept-run';
import { compact } from './pack';
import { answered, safely } from './trouble';

const DATABASE = 'gspo-lab';
const VERSION = 1;

interface Schema extends DBSchema {
  /** key: id; unknown, because another version of the lab may have written it */
  runs: { key: string; value: { id: string } };
  batches: { key: [run: string, batch: number]; value: Rollouts };
  /** token id to text, once per run */
  vocabularies: { key: string; value: readonly string[] };
}

const STORES = ['runs', 'batches', 'vocabularies'] as const;

/** All batches of one run. */
const batchesOf = (id: KeptId) => IDBKeyRange.bound([id, 0], [id, Infinity]);

export class RunStore {
  private constructor(private readonly db: IDBPDatabase<Schema>) {}

  /** @throws StoreUnavailable where there is no IndexedDB, none that may be used, or none that answers */
  static open(name = DATABASE): Promise<RunStore> {
    return safely(async () => {
      if (typeof indexedDB === 'undefined') throw new StoreUnavailable('It has no IndexedDB.');
      const opening = openDB<Schema>(name, VERSION, {
        upgrade(fresh) {
          fresh.createObjectStore('runs', { keyPath: 'id' });
          fresh.createObjectStore('batches');
          fresh.createObjectStore('vocabularies');
        },
        // A newer version of the lab in another tab wants to upgrade.
        blocking: (_from, _to, event) => (event.target as IDBDatabase).close(),
      });
      return new RunStore(await answered(opening));
    });
  }

  /** Newest first; without those that are marked for deletion. */
  async list(): Promise<KeptRun[]> {
    const runs = await this.all();
    return runs
      .filter(({ deletedAt }) => deletedAt === null)
      .sort((a, b) => b.createdAt - a.createdAt);
  }

  /** Writes what is known about a run; its data stay as they are. */
  put(run: KeptRun): Promise<void> {
    return safely(async () => {
      await this.db.put('runs', run);
    });
  }

  /** @param run as it is with this batch */
  append(run: KeptRun, batch: number, part: Rollouts): Promise<void> {
    return safely(async () => {
      const tx = this.db.transaction(STORES, 'readwrite');
      const { vocabulary, ...columns } = compact(part);
      await Promise.all([
        tx.objectStore('batches').put(columns, [run.id, batch]),
        tx.objectStore('runs').put(run),
        ...(vocabulary ? [tx.objectStore('vocabularies').put([...vocabulary], run.id)] : []),
        tx.done,
      ]);
    });
  }

  /** @throws StoreUnavailable also where the run is not there any more */
  read(id: KeptId): Promise<{ run: KeptRun; rollouts: Rollouts }> {
    return safely(async () => {
      const tx = this.db.transaction(STORES, 'readonly');
      const [found, batches, vocabulary] = await Promise.all([
        tx.objectStore('runs').get(id),
        tx.objectStore('batches').getAll(batchesOf(id)),
        tx.objectStore('vocabularies').get(id),
      ]);
      await tx.done;
      const run = v.safeParse(keptRunSchema, found);
      if (!run.success || batches.length < run.output.keptBatches) {
        throw new StoreUnavailable(
          'The run is not there any more; another tab may have deleted it',
        );
      }
      const rollouts = concatRollouts(batches);
      return { run: run.output, rollouts: vocabulary ? { ...rollouts, vocabulary } : rollouts };
    });
  }

  rename(id: KeptId, name: string | null): Promise<void> {
    return this.change([id], (run) => ({ ...run, name }));
  }

  /** Marks for deletion (with the time), or takes the mark back (null). */
  mark(ids: readonly KeptId[], deletedAt: number | null): Promise<void> {
    return this.change(ids, (run) => ({ ...run, deletedAt }));
  }

  /** Deletes what was marked before this time, for good. */
  async purge(before: number): Promise<void> {
    const marked = (await this.all()).filter(
      ({ deletedAt }) => deletedAt !== null && deletedAt <= before,
    );
    await this.erase(marked.map(({ id }) => id));
  }

  erase(ids: readonly KeptId[]): Promise<void> {
    return safely(async () => {
      const tx = this.db.transaction(STORES, 'readwrite');
      await Promise.all([
        ...ids.flatMap((id) => [
          tx.objectStore('runs').delete(id),
          tx.objectStore('batches').delete(batchesOf(id)),
          tx.objectStore('vocabularies').delete(id),
        ]),
        tx.done,
      ]);
    });
  }

  close(): void {
    this.db.close();
  }

  private all(): Promise<KeptRun[]> {
    return safely(async () =>
      (await this.db.getAll('runs')).flatMap((record) => {
        const parsed = v.safeParse(keptRunSchema, record);
        return parsed.success ? [parsed.output] : [];
      }),
    );
  }

  private change(ids: readonly KeptId[], how: (run: KeptRun) => KeptRun): Promise<void> {
    return safely(async () => {
      const tx = this.db.transaction('runs', 'readwrite');
      for (const id of ids) {
        const run = v.safeParse(keptRunSchema, await tx.store.get(id));
        if (run.success) await tx.store.put(how(run.output));
      }
      await tx.done;
    });
  }
}
