import { describe, expect, it } from 'vitest';
import type { TrainingEvent, TrainingRequest } from '../../../src/engine/trainer/protocol';
import { DEFAULT_TRAINING } from '../../../src/settings/training';
import type { RacePhase } from '../../../src/training/race';
import type { StepReport } from '../../../src/training/report';
import { isPaused, isUnderWay, RaceSession } from './session';

/** A worker that records its orders, says what it is told to, and dies when told to. */
class Scripted {
  readonly orders: TrainingRequest[] = [];
  onmessage: ((event: MessageEvent<TrainingEvent>) => void) | null = null;
  onerror: ((event: ErrorEvent) => void) | null = null;
  ended = false;
  postMessage(order: TrainingRequest) {
    this.orders.push(order);
  }
  say(event: TrainingEvent) {
    this.onmessage?.({ data: event } as MessageEvent<TrainingEvent>);
  }
  die() {
    this.onerror?.({ message: 'out of memory', preventDefault: () => undefined } as ErrorEvent);
  }
  terminate() {
    this.ended = true;
  }
}

const SETTINGS = { ...DEFAULT_TRAINING, steps: 4 };
const report = (step: number) => ({ step, reward: step / 10 }) as StepReport;
const snapshotAt = (step: number) => ({
  settings: SETTINGS,
  racers: SETTINGS.racers.map(() => ({ step, updates: step * 4, tensors: new Map() })),
});
const progress = (race: number, phase: RacePhase): TrainingEvent => ({
  type: 'progress',
  race,
  progress: { phase, racer: 0, stepsDone: 0, totalSteps: 8, seconds: 0, etaSeconds: null },
});

function session() {
  const workers: Scripted[] = [];
  const made = new RaceSession(() => {
    workers.push(new Scripted());
    return workers.at(-1) as unknown as Worker;
  });
  return { made, workers, state: () => made.store.getState() };
}

function begun() {
  const all = session();
  all.made.start(SETTINGS, null);
  const [worker] = all.workers as [Scripted];
  for (const racer of [0, 1]) {
    for (const step of [1, 2, 3])
      worker.say({ type: 'trained', race: 1, racer, report: report(step) });
  }
  return { ...all, worker };
}

describe('a race whose worker dies', () => {
  it('goes on in a fresh one from the last snapshot, with the steps up to it', () => {
    const { made, workers, worker, state } = begun();
    worker.say({ type: 'snapshot', race: 1, snapshot: snapshotAt(2) });
    worker.say({ type: 'kept', race: 1, kept: 'k', trouble: null });
    worker.die();
    expect(worker.ended).toBe(true);
    expect(state().race?.failure).toMatchObject({ canResume: true });
    expect(isUnderWay(state().race)).toBe(false);
    expect(state().race?.reports.map((own) => own.length)).toEqual([3, 3]);

    made.resume();
    const second = workers.at(-1) as Scripted;
    expect(second).not.toBe(worker);
    const start = second.orders.find(({ type }) => type === 'start');
    expect(start).toMatchObject({
      from: { kept: 'k', snapshot: { racers: [{ step: 2 }, { step: 2 }] } },
    });
    expect(state().race?.reports.map((own) => own.map(({ step }) => step))).toEqual([
      [1, 2],
      [1, 2],
    ]);
    expect(state().race?.failure).toBeNull();
  });

  it('starts afresh where there was no snapshot yet', () => {
    const { made, workers, worker, state } = begun();
    worker.die();
    expect(state().race?.failure).toMatchObject({ canResume: false });
    made.resume();
    expect((workers.at(-1) as Scripted).orders.at(-1)).toMatchObject({ type: 'start', from: null });
    expect(state().race?.reports).toEqual([[], []]);
  });
});

describe('a race', () => {
  it('drops what an earlier race still says', () => {
    const { made, worker, state } = begun();
    made.start(SETTINGS, null);
    worker.say({ type: 'trained', race: 1, racer: 0, report: report(4) });
    worker.say({ type: 'failed', race: 1, message: 'late', canResume: true });
    expect(state().race?.reports).toEqual([[], []]);
    expect(state().race?.failure).toBeNull();
  });

  it('is under way until it has finished or was stopped', () => {
    const { worker, state } = begun();
    worker.say(progress(1, 'paused'));
    expect([isUnderWay(state().race), isPaused(state().race)]).toEqual([true, true]);
    worker.say(progress(1, 'gradient'));
    expect([isUnderWay(state().race), isPaused(state().race)]).toEqual([true, false]);
    worker.say(progress(1, 'finished'));
    expect(isUnderWay(state().race)).toBe(false);
  });

  it('lets `over` wait for its end', async () => {
    const { made, worker } = begun();
    let over = false;
    const waiting = made.over().then(() => (over = true));
    await Promise.resolve();
    expect(over).toBe(false);
    worker.say(progress(1, 'stopped'));
    await waiting;
    expect(over).toBe(true);
  });
});

describe('the kept races', () => {
  it('that cannot be read are explained; at most three are laid over', async () => {
    const { made, workers, state } = session();
    const asked = made.refreshKept();
    const [worker] = workers as [Scripted];
    const order = worker.orders.at(-1);
    const requestId = order !== undefined && 'requestId' in order ? order.requestId : -1;
    worker.say({ type: 'refused', requestId, message: 'The storage is full.' });
    await asked;
    expect(state().keptTrouble).toBe('The storage is full.');
    for (const id of ['a', 'b', 'c', 'd']) made.toggleOverlay(id);
    expect(state().overlaid).toEqual(['a', 'b', 'c']);
    made.toggleOverlay('a');
    expect(state().overlaid).toEqual(['b', 'c']);
  });
});
