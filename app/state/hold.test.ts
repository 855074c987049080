import { describe, expect, it } from 'vitest';
import { createStore } from 'zustand/vanilla';
import { QUEUED, type LabState, type Run } from './lab';
import { DEFAULT_SETTINGS } from '../../src/settings/run';
import { draftOf } from './draft';
import { emptyLab } from './lab-state';
import { holdLab } from './hold';

type Phase = Run['progress']['phase'];

const runIn = (id: number, phase: Phase): Run => ({
  id,
  settings: DEFAULT_SETTINGS,
  imported: null,
  reopened: null,
  progress: { ...QUEUED, phase },
  failure: null,
  rest: null,
  allowed: null,
  keeping: null,
});

/** A lab that writes down its orders. */
function labWith(state: Partial<LabState>) {
  const orders: string[] = [];
  const store = createStore<LabState>(() => ({
    ...emptyLab(draftOf(DEFAULT_SETTINGS)),
    opening: { status: 'open', backend: BACKEND, policies: [] },
    ...state,
  }));
  return {
    store,
    orders,
    pause: () => void orders.push('pause'),
    resume: () => void orders.push('resume'),
    now: (id: number, phase: Phase) => store.setState({ run: runIn(id, phase) }),
  };
}

const BACKEND = {
  policy: 'wasm',
  kernels: 'cpu',
  adapter: 'not used',
  reason: 'asked for',
  threads: 1,
} as const;

describe('holding the lab', () => {
  it('pauses a run under way and lets it go on', () => {
    const lab = labWith({ run: runIn(1, 'sampling') });
    const release = holdLab(lab);
    lab.now(1, 'paused');
    expect(lab.orders).toEqual(['pause']);
    release();
    release();
    expect(lab.orders).toEqual(['pause', 'resume']);
  });

  it('catches the run that an opening lab starts by itself, and no later one', () => {
    const lab = labWith({ opening: { status: 'opening' } });
    const release = holdLab(lab);
    expect(lab.orders).toEqual([]);
    lab.now(1, 'loading');
    expect(lab.orders).toEqual(['pause']);
    lab.now(2, 'sampling');
    release();
    expect(lab.orders).toEqual(['pause']);
  });

  it('lets a run go on when the last of two lets go', () => {
    const lab = labWith({ run: runIn(1, 'sampling') });
    const measured = holdLab(lab);
    lab.now(1, 'paused');
    const raced = holdLab(lab);
    measured();
    measured();
    expect(lab.orders).toEqual(['pause']);
    raced();
    expect(lab.orders).toEqual(['pause', 'resume']);
    holdLab(lab);
    expect(lab.orders).toEqual(['pause', 'resume']);
    lab.now(1, 'sampling');
    holdLab(lab);
    expect(lab.orders).toEqual(['pause', 'resume', 'pause']);
  });

  it.each(['paused', 'finished', 'stopped'] as const)('leaves a run that is %s', (phase) => {
    const lab = labWith({ run: runIn(1, phase) });
    holdLab(lab)();
    expect(lab.orders).toEqual([]);
  });

  it('does not order a run that a person has taken over', () => {
    const lab = labWith({ run: runIn(1, 'sampling') });
    const release = holdLab(lab);
    lab.now(1, 'sampling');
    lab.now(1, 'paused');
    lab.now(1, 'sampling');
    lab.now(1, 'paused');
    release();
    expect(lab.orders).toEqual(['pause']);
  });

  it('leaves a run alone that a person starts while it is held open', () => {
    const lab = labWith({});
    const release = holdLab(lab);
    lab.now(1, 'sampling');
    release();
    expect(lab.orders).toEqual([]);
  });
});
