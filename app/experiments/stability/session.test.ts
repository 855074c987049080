/** A study in this tab: its races in turn, and what is left when one is stopped or dies. */
import { describe, expect, it } from 'vitest';
import type { TrainingEvent, TrainingRequest } from '../../../src/engine/trainer/protocol';
import { liveSize } from '../../../src/experiments/stability';
import type { StepReport } from '../../../src/training/report';
import { StudySession } from './session';

class Scripted {
  readonly orders: TrainingRequest[] = [];
  onmessage: ((event: MessageEvent<TrainingEvent>) => void) | null = null;
  onerror: ((event: ErrorEvent) => void) | null = null;
  postMessage(order: TrainingRequest) {
    this.orders.push(order);
  }
  say(event: TrainingEvent) {
    this.onmessage?.({ data: event } as MessageEvent<TrainingEvent>);
  }
  die() {
    this.onerror?.({ message: 'out of memory', preventDefault: () => undefined } as ErrorEvent);
  }
  terminate() {}
}

const SIZE = liveSize(1, 8, 4e-4);
const heldOut = { correct: 5, prompts: 10, interval: [0, 1] as [number, number] };
const report = {
  reward: 0.5,
  gradientNorms: [1, 2],
  clip: { trl: 0.1, verl: 0.1 },
  heldOut,
  heldOutBefore: heldOut,
  seconds: { sampling: 1, scoring: 0, gradient: 0, update: 0, evaluation: 0 },
} as unknown as StepReport;

function begun() {
  const workers: Scripted[] = [];
  const made = new StudySession(() => {
    workers.push(new Scripted());
    return workers.at(-1) as unknown as Worker;
  });
  made.start(SIZE);
  const state = () => made.store.getState();
  /** The race of that number trains to its end. */
  const finish = (race: number, racers: number) => {
    const worker = workers.at(-1) as Scripted;
    for (let racer = 0; racer < racers; racer++) {
      worker.say({ type: 'trained', race, racer, report });
    }
    const all = racers * SIZE.steps;
    worker.say({
      type: 'progress',
      race,
      progress: {
        phase: 'finished',
        racer: 0,
        stepsDone: all,
        totalSteps: all,
        seconds: 10,
        etaSeconds: null,
      },
    });
  };
  const started = () =>
    workers.flatMap(({ orders }) => orders.flatMap((own) => (own.type === 'start' ? [own] : [])));
  return { made, workers, state, finish, started };
}

describe('a study in this tab', () => {
  it('trains one policy after the other, and its runs are complete', () => {
    const { state, finish, started } = begun();
    expect(state()).toMatchObject({ status: 'running', races: 2, steps: { done: 0, all: 40 } });
    finish(1, 3);
    expect(state()).toMatchObject({ status: 'running', racesDone: 1, steps: { done: 24 } });
    expect(state().runs.map(({ arm }) => arm)).toEqual([
      'experts-gspo',
      'experts-grpo',
      'experts-replay',
    ]);
    expect(state().etaSeconds).toBeCloseTo((10 / 24) * 16);
    finish(2, 2);
    expect(state()).toMatchObject({ status: 'finished', seconds: 20 });
    expect(state().runs).toHaveLength(5);
    expect(started().map(({ settings, keep }) => [settings.policy, keep])).toEqual([
      ['arithmetic-moe', false],
      ['arithmetic-dense', false],
    ]);
  });

  it('keeps finished runs when its worker dies, and goes on with the group that was under way', () => {
    const { made, workers, state, finish, started } = begun();
    finish(1, 3);
    workers.at(-1)?.die();
    expect(state()).toMatchObject({ status: 'failed', racesDone: 1 });
    expect(state().failure).toMatch(/stopped unexpectedly/);
    expect(state().runs).toHaveLength(3);
    made.resume();
    expect(started().at(-1)?.settings.policy).toBe('arithmetic-dense');
    finish(3, 2);
    expect(state()).toMatchObject({ status: 'finished' });
    expect(state().runs).toHaveLength(5);
  });

  it('stopped in mid-group and gone on with, has every run once', () => {
    const { made, state, finish } = begun();
    made.stop();
    finish(1, 3);
    expect(state()).toMatchObject({ status: 'stopped', runs: [] });
    made.resume();
    finish(2, 3);
    finish(3, 2);
    expect(state().runs).toHaveLength(5);
  });
});
