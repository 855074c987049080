/**
 * Runs in IndexedDB: one record about each run, one per finished batch. Contract: a batch and the count of
 * batches are written in one transaction, so a crash at any moment leaves a run that can be read and resumed;
 * where there is no storage left, everything written before is kept. What other tabs did to a run meanwhile (its
 * name, its deletion) stands: a batch is refused where those before it are gone, so that each run is one whole.
 */
import { concatRollouts, type Rollouts } from '../rollouts/rollouts';
import { keptRunSchema, StoreUnavailable, type KeptId, type KeptRun } from './kept-run';
import { KeptStore, openKept, type Layout } from './kept-store';
import { compact } from './pack';
import { safely } from './trouble';

/** All batches of one run: their keys are [run, batch]. */
const batchesOf = (id: KeptId) => IDBKeyRange.bound([id, 0], [id, Infinity]);

const LAYOUT: Layout<KeptRun> = {
  records: 'runs',
  schema: keptRunSchema,
  // A vocabulary (token id to text) is stored once per run.
  data: { batches: batchesOf, vocabularies: (id) => id },
};

const gone = () =>
  new StoreUnavailable('The run is not there any more; another tab may have deleted it');

/** What the list's owner, any tab, has done to a run is not undone by the tab that computes it. */
function asArranged(run: KeptRun, known: KeptRun | undefined): KeptRun {
  return known ? { ...run, name: known.name, deletedAt: known.deletedAt } : run;
}

export class RunStore extends KeptStore<KeptRun> {
  /** @throws StoreUnavailable */
  static async open(name = 'gspo-lab'): Promise<RunStore> {
    return new RunStore(await openKept(name, LAYOUT), LAYOUT);
  }

  /** @param run as it is with this batch */
  append(run: KeptRun, batch: number, part: Rollouts): Promise<void> {
    return safely(async () => {
      const tx = this.db.transaction(this.stores, 'readwrite');
      const { vocabulary, ...columns } = compact(part);
      const records = tx.objectStore('runs');
      const known = await this.find(records, run.id);
      const before = await tx.objectStore('batches').count(batchesOf(run.id));
      if (before < batch) throw gone();
      await Promise.all([
        tx.objectStore('batches').put(columns, [run.id, batch]),
        records.put(asArranged(run, known)),
        ...(vocabulary ? [tx.objectStore('vocabularies').put([...vocabulary], run.id)] : []),
        tx.done,
      ]);
    });
  }

  /** The run's own state; @throws StoreUnavailable where it is not there any more */
  update(run: KeptRun): Promise<void> {
    return safely(async () => {
      const tx = this.db.transaction(['runs'], 'readwrite');
      const records = tx.objectStore('runs');
      const known = await this.find(records, run.id);
      if (known === undefined) throw gone();
      await records.put(asArranged(run, known));
      await tx.done;
    });
  }

  /** @throws StoreUnavailable also where the run is not there any more */
  read(id: KeptId): Promise<{ run: KeptRun; rollouts: Rollouts }> {
    return safely(async () => {
      const tx = this.db.transaction(this.stores, 'readonly');
      const [run, batches, vocabulary] = await Promise.all([
        this.find(tx.objectStore('runs'), id),
        tx.objectStore('batches').getAll(batchesOf(id)) as Promise<Rollouts[]>,
        tx.objectStore('vocabularies').get(id) as Promise<string[] | undefined>,
      ]);
      await tx.done;
      if (run === undefined || batches.length < run.keptBatches) {
        throw gone();
      }
      const rollouts = concatRollouts(batches);
      return { run, rollouts: vocabulary ? { ...rollouts, vocabulary } : rollouts };
    });
  }

  rename(id: KeptId, name: string | null): Promise<void> {
    return this.change([id], (run) => ({ ...run, name }));
  }
}
