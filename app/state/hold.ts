/**
 * Two runs at once would halve each other's speed, and a reproduction or a race has an ETA. Contract: the
 * lab's run is paused while the other is under way, also one that the lab starts by itself a moment later
 * because it was still opening; it goes on afterwards. What a person does to a run meanwhile, or has
 * done before, stands.
 */
import { isLive, type Lab, type LabState } from './lab';

/** @returns what lets the lab go on; calling it again does nothing */
export function holdLab(lab: Pick<Lab, 'store' | 'pause' | 'resume'>): () => void {
  const begun = lab.store.getState();
  let awaited = begun.run === null && begun.opening.status === 'opening';
  let held: { id: number; rests: boolean } | null = null;

  const hold = ({ run }: LabState): void => {
    if (run === null || !isLive(run) || run.progress.phase === 'paused') return;
    held = { id: run.id, rests: false };
    lab.pause();
  };
  const follow = (state: LabState): void => {
    if (awaited && state.run !== null) {
      awaited = false;
      hold(state);
    } else if (held !== null && state.run?.id === held.id) {
      if (state.run.progress.phase === 'paused') held.rests = true;
      // It rested and no longer does: a person has taken over.
      else if (held.rests) held = null;
    }
  };
  hold(begun);
  const forget = lab.store.subscribe(follow);
  return () => {
    forget();
    const { run } = lab.store.getState();
    const waits = held !== null && run?.id === held.id && isLive(run);
    held = null;
    if (waits) lab.resume();
  };
}
