/**
 * Training races in IndexedDB: one record of curves each, and the snapshot that the race goes on from, or
 * that its checkpoints are taken from once it is finished. Contract: record and snapshot are written in one
 * transaction, so that a crash leaves curves and weights of the same step.
 */
import { KeptStore, type Layout, openKept } from './kept-store';
import { safely } from './trouble';
import * as v from 'valibot';
import { trainingSchema } from '../settings/training';
import { stampSchema } from '../export/stamp';
import { stepReportSchema } from '../training/report';

/** A training race as it is kept in the browser. Another version of the lab may have written it. */
export type RaceKey = string;

export const keptRaceSchema = v.object({
  id: v.pipe(v.string(), v.regex(/^[0-9a-f-]{36}$/)),
  /** version of the app */
  app: v.string(),
  /** ms since 1970 */
  createdAt: v.number(),
  updatedAt: v.number(),
  deletedAt: v.nullable(v.number()),
  settings: trainingSchema,
  backend: stampSchema.entries.backend,
  /** by racer, as many as the settings have */
  reports: v.array(v.array(stepReportSchema)),
});

export type KeptRace = v.InferOutput<typeof keptRaceSchema>;

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
