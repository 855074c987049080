import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createStore } from 'zustand/vanilla';
import { makeFingerprint, writeFingerprint } from '../../src/link/fingerprint';
import { openLink } from '../../src/link/link';
import { DEFAULT_POLICIES, type RunSettings } from '../../src/settings/run';
import { draftOf, readDraft, type Draft } from './draft';
import { Address, type Place } from './address';
import { emptyLab } from './lab-state';
import { QUEUED, type LabState } from './lab';

/** A browser's history: entries, a position, and what the person does with them. */
class History implements Place {
  entries: { hash: string; ours: boolean }[];
  at = 0;
  private heard: (how: 'travelled' | 'typed') => void = () => undefined;
  /** The person presses or lets go of something. */
  act: () => void = () => undefined;

  constructor(hash: string) {
    this.entries = [{ hash, ours: false }];
  }
  read = () => this.entries[this.at]?.hash ?? '';
  push = (hash: string) => {
    this.entries.splice(++this.at, Infinity, { hash, ours: true });
  };
  replace = (hash: string) => {
    this.entries[this.at] = { hash, ours: true };
  };
  listen = (heard: (how: 'travelled' | 'typed') => void) => {
    this.heard = heard;
  };
  beforeActs = (heard: () => void) => {
    this.act = heard;
  };
  back() {
    this.at--;
    this.heard(this.entries[this.at]?.ours ? 'travelled' : 'typed');
  }
  type(hash: string) {
    this.set(hash);
    this.hear();
  }
  /** Browsers have the new address before they tell of it. */
  set(hash: string) {
    this.entries.splice(++this.at, Infinity, { hash, ours: false });
  }
  hear() {
    this.heard('typed');
  }
  get hashes() {
    return this.entries.map(({ hash }) => hash);
  }
}

function opened(hash: string) {
  const place = new History(hash);
  const link = openLink(hash);
  const store = createStore<LabState>(() => ({
    ...emptyLab(draftOf(link.link.run)),
    opening: {
      status: 'open',
      policies: [],
      backend: { policy: 'wasm', kernels: 'cpu', adapter: '', reason: '', threads: 1 },
    },
  }));
  const started: RunSettings[] = [];
  const settings = () => readDraft(store.getState().draft).settings as RunSettings;
  const finish = (phase: 'finished' | 'sampling' = 'finished') =>
    store.setState({
      run: {
        id: started.length,
        settings: settings(),
        imported: null,
        reopened: null,
        keeping: null,
        progress: { ...QUEUED, phase },
        failure: null,
        rest: null,
        allowed: null,
      },
    });
  const lab = {
    store,
    edit: (change: (draft: Draft) => Draft) =>
      store.setState(({ draft }) => ({ draft: change(draft) })),
    start: async () => {
      started.push(settings());
      finish();
      return started.length;
    },
    notify: (notice: string) => store.setState({ notice }),
    repeat: (linked: LabState['linked']) => store.setState({ linked }),
  };
  const address = new Address(place, lab, link);
  const alpha = (text: string) =>
    lab.edit((draft) => ({ ...draft, policies: { ...draft.policies, alpha: text } }));
  return { place, lab, address, store, started, settings, finish, alpha };
}

beforeEach(() => vi.useFakeTimers({ now: 1e12 }));
afterEach(() => vi.useRealTimers());

describe('the address', () => {
  it('follows the settings; one burst of edits is one step of history', () => {
    const { place, alpha } = opened('#/variance');
    vi.advanceTimersByTime(10_000);
    for (const text of ['0.9', '0.8', '0.', '0.7', 'x', '0.6']) {
      alpha(text);
      vi.advanceTimersByTime(400);
    }
    expect(place.hashes).toEqual(['#/variance', '#/variance?v=3&alpha=0.6']);
    vi.advanceTimersByTime(10_000);
    alpha('0.5');
    vi.advanceTimersByTime(400);
    expect(place.hashes.at(-1)).toBe('#/variance?v=3&alpha=0.5');
    expect(place.hashes).toHaveLength(3);
  });

  it('that a person sets is not lost to an edit that waits to be written', () => {
    const { place, address, alpha, settings } = opened('#/variance');
    vi.advanceTimersByTime(10_000);
    alpha('0.9');
    alpha('0.8');
    place.set('#/weights?v=3&alpha=0.4');
    vi.advanceTimersByTime(400);
    place.act();
    place.hear();
    expect(place.read()).toBe('#/weights?v=3&alpha=0.4');
    expect(address.store.getState().page).toBe('weights');
    expect(settings().source).toMatchObject({ alpha: 0.4 });
    alpha('0.3');
    vi.advanceTimersByTime(400);
    expect(place.read()).toBe('#/weights?v=3&alpha=0.3');
  });

  it('is written after a jump within the page, too', () => {
    const { place, alpha } = opened('#/variance');
    place.type('#main');
    alpha('0.9');
    vi.advanceTimersByTime(400);
    expect(place.read()).toBe('#/variance?v=3&alpha=0.9');
  });

  it('is written when a person acts, not later', () => {
    const { place, address, alpha, lab } = opened('#/variance');
    vi.advanceTimersByTime(1000);
    alpha('0.9');
    expect(place.read()).toBe('#/variance?v=3&alpha=0.9');
    vi.advanceTimersByTime(1000);
    address.choose('variance', 'axes', 'linear');
    expect(place.read()).toBe('#/variance?v=3&alpha=0.9&axes=linear');
    vi.advanceTimersByTime(1000);
    lab.edit(() => draftOf({ backend: 'auto', source: DEFAULT_POLICIES }));
    expect(place.read()).toBe('#/variance?v=3&axes=linear');
  });

  it('is written seldom while a slider is drawn, and has caught up before the next act', () => {
    const { place, alpha } = opened('#/variance');
    vi.advanceTimersByTime(10_000);
    const push = vi.spyOn(place, 'push');
    const replace = vi.spyOn(place, 'replace');
    for (let i = 0; i < 200; i++) {
      alpha(String(i / 200));
      vi.advanceTimersByTime(16);
    }
    // 3.2 s: browsers refuse more than 100 writes in 30 s
    expect(push.mock.calls.length + replace.mock.calls.length).toBeLessThan(12);
    expect(place.hashes).toHaveLength(2);
    alpha('0.123');
    place.act();
    expect(place.read()).toBe('#/variance?v=3&alpha=0.123');
    const written = replace.mock.calls.length;
    vi.advanceTimersByTime(1000);
    expect(replace.mock.calls).toHaveLength(written);
  });

  it('holds the choices of the page in view, and keeps those of others', () => {
    const { place, address } = opened('#/variance');
    address.choose('variance', 'axes', 'linear');
    vi.advanceTimersByTime(400);
    expect(place.read()).toBe('#/variance?v=3&axes=linear');
    address.go('weights');
    expect(place.read()).toBe('#/weights');
    expect(address.hash('variance')).toBe('#/variance?v=3&axes=linear');
    place.back();
    expect(address.store.getState().page).toBe('variance');
    expect(address.store.getState().views.variance.axes).toBe('linear');
  });

  it('going back restores settings and offers the run, without touching the data', async () => {
    const { place, lab, address, alpha, started, store, settings } = opened('#/variance');
    await lab.start();
    vi.advanceTimersByTime(10_000);
    alpha('0.5');
    vi.advanceTimersByTime(400);
    await lab.start();
    place.back();
    expect(settings().source).toEqual(DEFAULT_POLICIES);
    expect(started).toHaveLength(2);
    expect(store.getState().run?.settings?.source).toMatchObject({ alpha: 0.5 });
    expect(address.store.getState().offer?.why).toMatch(/other settings/);
    await address.accept();
    expect(started.at(-1)?.source).toEqual(DEFAULT_POLICIES);
    expect(address.store.getState().offer).toBe(null);
    vi.advanceTimersByTime(10_000);
    expect(place.hashes).toHaveLength(2);
  });

  it('an edited address is run at once where nothing is under way, else offered', async () => {
    const { place, lab, started, address, finish } = opened('#/variance');
    await lab.start();
    place.type('#/variance?alpha=0.25');
    expect(started.at(-1)?.source).toMatchObject({ alpha: 0.25 });
    expect(place.read()).toBe('#/variance?v=3&alpha=0.25');
    finish('sampling');
    place.type('#/variance?v=3&alpha=0.75');
    expect(started).toHaveLength(2);
    expect(address.store.getState().offer?.run.source).toMatchObject({ alpha: 0.75 });
    address.decline();
    expect(address.store.getState().offer).toBe(null);
  });

  it('a page in the address is not a reason to run anything', async () => {
    const { place, lab, started, address } = opened('#/variance');
    await lab.start();
    place.type('#/weights?v=3&bins=16');
    expect(started).toHaveLength(1);
    expect(address.store.getState().page).toBe('weights');
    expect(address.store.getState().views.weights.bins).toBe(16);
  });

  it('tells when a page is in view that shows the run', async () => {
    const seen = vi.fn();
    const { address } = opened('#/train');
    const told = address.runInView().then(seen);
    address.go('reproduce');
    await Promise.resolve();
    expect(seen).not.toHaveBeenCalled();
    address.go('weights');
    await told;
    await opened('#/variance').address.runInView();
  });

  it('a large run waits for consent, at first sight and later', async () => {
    const large = '#/variance?v=3&source=synthetic&prompts=20000';
    const first = opened(large);
    expect(first.address.mayStart).toBe(false);
    expect(first.address.store.getState().offer?.why).toMatch(
      /160,000 synthetic responses, up to 40,960,000 tokens/,
    );
    const later = opened('#/variance');
    await later.lab.start();
    later.place.type(large);
    expect(later.started).toHaveLength(1);
    await later.address.accept();
    expect(later.started.at(-1)?.source).toMatchObject({ kind: 'synthetic' });
  });

  it('another anchor is no address', () => {
    const { place, address, settings } = opened('#/weights?v=3&alpha=0.5');
    place.type('#measurement');
    expect(address.store.getState().page).toBe('weights');
    expect(settings().source).toMatchObject({ alpha: 0.5 });
  });

  it('says what it could not use', () => {
    const { place, store } = opened('#/weights');
    place.type('#/weights?v=3&alpha=9');
    expect(store.getState().notice).toMatch(/alpha = "9"/);
    expect(place.read()).toBe('#/weights');
  });

  it('keeps a fingerprint as long as it belongs to what is on view', () => {
    const rollouts = {
      offsets: Uint32Array.of(0, 1),
      tokenIds: Int32Array.of(1),
      logpOld: [0],
      logpNew: [0],
    };
    const fp = writeFingerprint(makeFingerprint(rollouts, null, [], 1));
    const { place, address, alpha, lab } = opened(`#/variance?v=3&fp=${fp}`);
    vi.advanceTimersByTime(10_000);
    expect(address.store.getState().opened?.run.source).toEqual(DEFAULT_POLICIES);
    address.choose('variance', 'bins', 6);
    vi.advanceTimersByTime(400);
    expect(place.read()).toBe('#/variance?v=3&bins=6');
    // what it was taken with is remembered, whatever is chosen now
    expect(address.store.getState().opened?.view['bins']).toBe(10);
    address.choose('variance', 'bins', 10);
    alpha('0.5');
    vi.advanceTimersByTime(400);
    expect(place.read()).toBe('#/variance?v=3&alpha=0.5');
    lab.edit(() => draftOf({ backend: 'auto', source: DEFAULT_POLICIES }));
    vi.advanceTimersByTime(400);
    expect(place.read()).toBe(`#/variance?v=3&fp=${fp}`);
    address.forgetFingerprint();
    vi.advanceTimersByTime(400);
    expect(place.read()).toBe('#/variance');
  });
});
