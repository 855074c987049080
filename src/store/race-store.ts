/**
 * Training races in IndexedDB: one record of curves each, and the snapshot that the race goes on from, or
 * that its checkpoints are taken from once it is finished. Contract: record and snapshot are written in one
 * transaction, so that a crash leaves curves and weights of the same step; failures are `StoreFull` or
 * `StoreUnavailable`.
 */
import { openDB, type DBSchema, type IDBPDatabase } from 'idb';
import * as v from 'valibot';
import { keptRaceSchema, type KeptRace, type RaceKey } from './kept-race';
import { StoreUnavailable } from './kept-run';
import { answered, safely } from './trouble';

const DATABASE = 'gspo-lab-races';
const VERSION = 1;
const STORES = ['races', 'snapshots'] as const;

interface Schema<Snapshot> extends DBSchema {
  /** unknown, because another version of the lab may have written it */
  races: { key: string; value: { id: string } };
  snapshots: { key: string; value: Snapshot };
}

export class RaceStore<Snapshot> {
  private constructor(private readonly db: IDBPDatabase<Schema<Snapshot>>) {}

  /** @throws StoreUnavailable where there is no IndexedDB, or none that may be used */
  static open<Snapshot>(name = DATABASE): Promise<RaceStore<Snapshot>> {
    return safely(async () => {
      if (typeof indexedDB === 'undefined') throw new StoreUnavailable('It has no IndexedDB.');
      const opening = openDB<Schema<Snapshot>>(name, VERSION, {
        upgrade(fresh) {
          fresh.createObjectStore('races', { keyPath: 'id' });
          fresh.createObjectStore('snapshots');
        },
        blocking: (_from, _to, event) => (event.target as IDBDatabase).close(),
      });
      return new RaceStore(await answered(opening));
    });
  }

  /** Newest first; what this version cannot read, and what is marked for deletion, is left out. */
  async list(): Promise<KeptRace[]> {
    const all = await safely(() => this.db.getAll('races'));
    return all
      .flatMap((record) => {
        const race = v.safeParse(keptRaceSchema, record);
        return race.success && race.output.deletedAt === null ? [race.output] : [];
      })
      .sort((a, b) => b.createdAt - a.createdAt);
  }

  /** A race that is there already stays as old as it was. */
  write(race: KeptRace, snapshot: Snapshot): Promise<void> {
    return safely(async () => {
      const tx = this.db.transaction(STORES, 'readwrite');
      const known = v.safeParse(keptRaceSchema, await tx.objectStore('races').get(race.id));
      const createdAt = known.success ? known.output.createdAt : race.createdAt;
      const record: KeptRace = { ...race, createdAt };
      await Promise.all([
        tx.objectStore('races').put(record),
        tx.objectStore('snapshots').put(snapshot, race.id),
        tx.done,
      ]);
    });
  }

  async snapshot(id: RaceKey): Promise<Snapshot | null> {
    return safely(async () => (await this.db.get('snapshots', id)) ?? null);
  }

  /** Marks for deletion (with the time), or takes the mark back (null). */
  mark(id: RaceKey, deletedAt: number | null): Promise<void> {
    return safely(async () => {
      const tx = this.db.transaction('races', 'readwrite');
      const race = v.safeParse(keptRaceSchema, await tx.store.get(id));
      if (race.success) {
        const marked: KeptRace = { ...race.output, deletedAt };
        await tx.store.put(marked);
      }
      await tx.done;
    });
  }

  /** Deletes what was marked before this time, for good. */
  purge(before: number): Promise<void> {
    return safely(async () => {
      const tx = this.db.transaction(STORES, 'readwrite');
      for (const record of await tx.objectStore('races').getAll()) {
        const race = v.safeParse(keptRaceSchema, record);
        if (!race.success || race.output.deletedAt === null) continue;
        if (race.output.deletedAt > before) continue;
        await tx.objectStore('races').delete(record.id);
        await tx.objectStore('snapshots').delete(record.id);
      }
      await tx.done;
    });
  }

  close(): void {
    this.db.close();
  }
}
