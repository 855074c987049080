/**
 * Training races in IndexedDB: one record of curves each, and the snapshot that the race goes on from, or
 * that its checkpoints are taken from once it is finished. Contract: record and snapshot are written in one
 * transaction, so that a crash leaves curves and weights of the same step.
 */
import { keptRaceSchema, type KeptRace, type RaceKey } from './kept-race';
import { KeptStore, openKept, type Layout } from './kept-store';
import { safely } from './trouble';

const LAYOUT: Layout<KeptRace> = {
  records: 'races',
  schema: keptRaceSchema,
  data: { snapshots: (id) => id },
};

export class RaceStore<Snapshot> extends KeptStore<KeptRace> {
  /** @throws StoreUnavailable */
  static async open<Snapshot>(name = 'gspo-lab-races'): Promise<RaceStore<Snapshot>> {
    return new RaceStore(await openKept(name, LAYOUT), LAYOUT);
  }

  /** A race that is there already stays as old as it was. */
  write(race: KeptRace, snapshot: Snapshot): Promise<void> {
    return safely(async () => {
      const tx = this.db.transaction(this.stores, 'readwrite');
      const known = await this.find(tx.objectStore('races'), race.id);
      await Promise.all([
        tx.objectStore('races').put({ ...race, createdAt: known?.createdAt ?? race.createdAt }),
        tx.objectStore('snapshots').put(snapshot, race.id),
        tx.done,
      ]);
    });
  }

  async snapshot(id: RaceKey): Promise<Snapshot | null> {
    return safely(
      async () => ((await this.db.get('snapshots', id)) as Snapshot | undefined) ?? null,
    );
  }
}
