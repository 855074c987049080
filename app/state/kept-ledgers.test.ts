import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  keepLedger,
  keptLedgers,
  MAX_LEDGERS,
  openLedger,
  refreshLedgers,
  removeLedger,
} from './kept-ledgers';
import { readLedger } from './recorded-ledger';

const read = readLedger(readFileSync(new URL('../../docs/ledger.json', import.meta.url), 'utf8'));
if (read === null) throw new Error('docs/ledger.json is not a ledger');
const ledger = read;

/** What a browser keeps, with as much room as is told. */
class Shelf {
  room = Infinity;
  private readonly texts = new Map<string, string>();
  getItem = (key: string) => this.texts.get(key) ?? null;
  setItem = (key: string, text: string) => {
    if (text.length > this.room) throw new Error('QuotaExceededError');
    this.texts.set(key, text);
  };
}

let shelf: Shelf;
beforeEach(() => {
  shelf = new Shelf();
  vi.stubGlobal('localStorage', shelf);
  keptLedgers.setState({ ledgers: [], opened: null });
});
afterEach(() => vi.unstubAllGlobals());

const at = (minute: number) => new Date(Date.UTC(2026, 0, 1, 0, minute));
const minutes = () =>
  keptLedgers.getState().ledgers.map(({ createdAt }) => new Date(createdAt).getUTCMinutes());

describe('kept ledgers', () => {
  it('come back, newest first, the oldest giving way', () => {
    for (let k = 0; k < MAX_LEDGERS + 2; k++) keepLedger(ledger, at(k), 10);
    keptLedgers.setState({ ledgers: [] });
    refreshLedgers();
    expect(minutes()).toEqual(Array.from({ length: MAX_LEDGERS }, (_, k) => MAX_LEDGERS + 1 - k));
    expect(keptLedgers.getState().ledgers[0]?.ledger.claims.length).toBe(ledger.claims.length);
  });

  it('are deleted and brought back in their place, and are no longer shown', () => {
    for (const k of [1, 2, 3]) keepLedger(ledger, at(k), 10);
    const [, middle] = keptLedgers.getState().ledgers;
    if (!middle) throw new Error('three were kept');
    openLedger(middle);
    const undo = removeLedger(middle);
    expect(minutes()).toEqual([3, 1]);
    expect(keptLedgers.getState().opened).toBeNull();
    undo();
    refreshLedgers();
    expect(minutes()).toEqual([3, 2, 1]);
  });

  it('are gone when the last one is deleted, and come back once', () => {
    keepLedger(ledger, at(1), 10);
    const [only] = keptLedgers.getState().ledgers;
    if (!only) throw new Error('one was kept');
    const undo = removeLedger(only);
    refreshLedgers();
    expect(minutes()).toEqual([]);
    undo();
    expect(minutes()).toEqual([1]);
  });

  it('keep what another tab has kept meanwhile', () => {
    keepLedger(ledger, at(1), 10);
    const other = shelf.getItem('gspo-lab ledgers') ?? '';
    keptLedgers.setState({ ledgers: [] });
    shelf.setItem('gspo-lab ledgers', other);
    keepLedger(ledger, at(2), 10);
    expect(minutes()).toEqual([2, 1]);
  });

  it('live on the page where there is no room, and what is no ledger is left out', () => {
    shelf.room = JSON.stringify(ledger).length * 1.5;
    for (const k of [1, 2, 3]) keepLedger(ledger, at(k), 10);
    refreshLedgers();
    expect(minutes()).toEqual([3]);
    shelf.room = Infinity;
    shelf.setItem('gspo-lab ledgers', '[{"id":"x"},7]');
    refreshLedgers();
    expect(minutes()).toEqual([]);
  });
});
