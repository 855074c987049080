/**
 * Stores a training race as it goes. Contract: writes follow each other, never overlap; what cannot be
 * written is said once and the race goes on without; curves beyond the last snapshot are not kept,
 * because the race would go on from that snapshot.
 */
import type { Stamp } from '../../export/stamp';
import type { TrainingSettings } from '../../settings/training';
import type { KeptRace, RaceKey, RaceStore } from '../../store/race-store';
import type { RaceSnapshot } from '../../training/race';
import type { StepReport } from '../../training/report';
import { freshId } from '../fresh-id';
import { message } from '../../message';

export interface RaceFacts {
  app: string;
  settings: TrainingSettings;
  backend: Stamp['backend'];
}

export class RaceAutosave {
  private pending: Promise<void> = Promise.resolve();
  private written = false;
  private readonly createdAt = Date.now();
  readonly id: RaceKey;

  constructor(
    private readonly open: () => Promise<RaceStore<RaceSnapshot>>,
    private readonly facts: RaceFacts,
    private readonly tell: (kept: RaceKey | null, trouble: string | null) => void,
    begun: RaceKey | null,
  ) {
    this.id = begun ?? freshId();
  }

  /** @param reports all steps so far, by racer */
  write(snapshot: RaceSnapshot, reports: readonly (readonly StepReport[])[]): void {
    const steps = snapshot.racers.map(({ step }) => step);
    const record: KeptRace = {
      ...this.facts,
      id: this.id,
      createdAt: this.createdAt,
      updatedAt: Date.now(),
      deletedAt: null,
      reports: reports.map((own, i) => own.filter(({ step }) => step <= (steps[i] ?? 0))),
    };
    this.pending = this.pending.then(async () => {
      try {
        await (await this.open()).write(record, snapshot);
        this.written = true;
        this.tell(this.id, null);
      } catch (error) {
        const why = message(error);
        this.tell(this.written ? this.id : null, why);
      }
    });
  }

  /** Resolves when everything asked for so far is written. */
  settled(): Promise<void> {
    return this.pending;
  }
}
