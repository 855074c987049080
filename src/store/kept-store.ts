/**
 * What is kept in IndexedDB: one record of each run or race, and data that only its own store reads. Contract: a
 * record of another version of the lab is left alone and not listed; what is marked for deletion is not listed
 * and can be brought back until it is purged; failures are `StoreFull` or `StoreUnavailable`.
 */
import { openDB, type IDBPDatabase } from 'idb';
import * as v from 'valibot';
import { StoreUnavailable } from './kept-run';
import { answered, safely } from './trouble';

interface KeptRecord {
  id: string;
  /** ms since 1970 */
  createdAt: number;
  deletedAt: number | null;
}

export interface Layout<R> {
  /** object store of the records, keyed by `id` */
  records: string;
  schema: v.GenericSchema<unknown, R>;
  /** object stores of the data; keys of what belongs to a record */
  data: Record<string, (id: string) => IDBKeyRange | string>;
}

/** @throws StoreUnavailable where there is no IndexedDB, none that may be used, or none that answers */
export function openKept<R>(name: string, { records, data }: Layout<R>): Promise<IDBPDatabase> {
  return safely(async () => {
    if (typeof indexedDB === 'undefined') throw new StoreUnavailable('It has no IndexedDB.');
    const opening = openDB(name, 1, {
      upgrade(fresh) {
        fresh.createObjectStore(records, { keyPath: 'id' });
        for (const store of Object.keys(data)) fresh.createObjectStore(store);
      },
      // A newer version of the lab in another tab wants to upgrade.
      blocking: (_from, _to, event) => (event.target as IDBDatabase).close(),
    });
    return answered(opening);
  });
}

export class KeptStore<R extends KeptRecord> {
  constructor(
    protected readonly db: IDBPDatabase,
    private readonly layout: Layout<R>,
  ) {}

  /** Newest first; without those that are marked for deletion. */
  async list(): Promise<R[]> {
    const all = await this.all();
    return all
      .filter(({ deletedAt }) => deletedAt === null)
      .sort((a, b) => b.createdAt - a.createdAt);
  }

  /** Writes a record; its data stay as they are. */
  put(record: R): Promise<void> {
    return safely(async () => {
      await this.db.put(this.layout.records, record);
    });
  }

  /** Marks for deletion (with the time), or takes the mark back (null). */
  mark(ids: readonly string[], deletedAt: number | null): Promise<void> {
    return this.change(ids, (record) => ({ ...record, deletedAt }));
  }

  /** Deletes what was marked before this time, for good. */
  async purge(before: number): Promise<void> {
    const marked = (await this.all()).filter(
      ({ deletedAt }) => deletedAt !== null && deletedAt <= before,
    );
    await this.erase(marked.map(({ id }) => id));
  }

  erase(ids: readonly string[]): Promise<void> {
    return safely(async () => {
      const { records, data } = this.layout;
      const tx = this.db.transaction(this.stores, 'readwrite');
      await Promise.all([
        ...ids.flatMap((id) => [
          tx.objectStore(records).delete(id),
          ...Object.entries(data).map(([store, keys]) => tx.objectStore(store).delete(keys(id))),
        ]),
        tx.done,
      ]);
    });
  }

  close(): void {
    this.db.close();
  }

  /** Of all object stores: records and data are written together or not at all. */
  protected get stores(): string[] {
    return [this.layout.records, ...Object.keys(this.layout.data)];
  }

  /** undefined: not there, or of another version of the lab */
  protected async find(
    store: { get(id: string): Promise<unknown> },
    id: string,
  ): Promise<R | undefined> {
    return this.parse(await store.get(id))[0];
  }

  protected change(ids: readonly string[], how: (record: R) => R): Promise<void> {
    return safely(async () => {
      const tx = this.db.transaction([this.layout.records], 'readwrite');
      const store = tx.objectStore(this.layout.records);
      for (const id of ids) {
        const record = await this.find(store, id);
        if (record) await store.put(how(record));
      }
      await tx.done;
    });
  }

  private all(): Promise<R[]> {
    return safely(async () =>
      (await this.db.getAll(this.layout.records)).flatMap((record) => this.parse(record)),
    );
  }

  private parse(record: unknown): R[] {
    const parsed = v.safeParse(this.layout.schema, record);
    return parsed.success ? [parsed.output] : [];
  }
}
