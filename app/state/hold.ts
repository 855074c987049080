/**
 * Two runs at once would halve each other's speed, and a reproduction or a race has an ETA. Contract: the
 * lab's run is paused while the other is under way, also one that the lab starts by itself a moment later
 * because it was still opening; it goes on once the last of those that hold it releases it (a race may begin
 * before the measurement of its speed has ended). What a person does to a run meanwhile, or has done
 * before, stands.
 */
import { isAtRest, isLive, type Lab, type LabState } from './lab';

type Held = Pick<Lab, 'store' | 'pause' | 'resume'>;

const holds = new WeakMap<Held['store'], Hold>();

/** @returns what lets the lab go on; calling it again does nothing */
export function holdLab(lab: Held): () => void {
  const hold = holds.get(lab.store) ?? new Hold(lab);
  holds.set(lab.store, hold);
  hold.take();
  let taken = true;
  return () => {
    if (!taken) return;
    taken = false;
    if (hold.release() === 0) holds.delete(lab.store);
  };
}

class Hold {
  private holders = 0;
  private awaited: boolean;
  private held: { id: number; paused: boolean } | null = null;
  private readonly forget: () => void;

  constructor(private readonly lab: Held) {
    const { run, opening } = lab.store.getState();
    this.awaited = run === null && opening.status === 'opening';
    this.forget = lab.store.subscribe((state) => this.follow(state));
  }

  take(): void {
    this.holders++;
    this.pause(this.lab.store.getState());
  }

  /** @returns how many still hold */
  release(): number {
    if (--this.holders > 0) return this.holders;
    this.forget();
    const { run } = this.lab.store.getState();
    if (this.held !== null && run?.id === this.held.id && isLive(run)) this.lab.resume();
    return 0;
  }

  private pause({ run }: LabState): void {
    if (run === null || !isLive(run) || isAtRest(run.progress)) return;
    this.held = { id: run.id, paused: false };
    this.lab.pause();
  }

  private follow(state: LabState): void {
    const { run } = state;
    if (this.awaited && run !== null) {
      this.awaited = false;
      this.pause(state);
    } else if (this.held !== null && run?.id === this.held.id) {
      if (isAtRest(run.progress)) this.held.paused = true;
      // It was paused and no longer is: a person has taken over.
      else if (this.held.paused) this.held = null;
    }
  }
}
