/**
 * Ledgers that were reproduced in this browser, newest first. Contract: at most MAX_LEDGERS, the oldest give way; one
 * that does not read as a ledger is left out; where the browser keeps nothing, ledgers live as long as the page does.
 * Tabs share the list: it is read anew before each change.
 */
import * as v from 'valibot';
import { createStore } from 'zustand/vanilla';
import type { Ledger } from '../../src/engine/headless/reproduce';
import { ledgerSchema } from './recorded-ledger';

export const MAX_LEDGERS = 12;
const KEY = 'gspo-lab ledgers';

const keptSchema = v.object({
  id: v.string(),
  /** ms since 1970 */
  createdAt: v.pipe(v.number(), v.finite()),
  seconds: v.pipe(v.number(), v.minValue(0)),
  ledger: ledgerSchema,
});

export interface KeptLedger {
  id: string;
  createdAt: number;
  /** that it took */
  seconds: number;
  ledger: Ledger;
}

interface State {
  ledgers: readonly KeptLedger[];
  /** the one that the Reproduce page shows, while none is made there */
  opened: KeptLedger | null;
}

function stored(): readonly KeptLedger[] | null {
  try {
    const entries: unknown = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    if (!Array.isArray(entries)) return [];
    return entries.flatMap((entry: unknown) => {
      const read = v.safeParse(keptSchema, entry);
      return read.success ? [read.output] : [];
    });
  } catch {
    return null;
  }
}

export const keptLedgers = createStore<State>(() => ({ ledgers: [], opened: null }));

const present = (): readonly KeptLedger[] => stored() ?? keptLedgers.getState().ledgers;

function put(ledgers: readonly KeptLedger[]): void {
  const kept = [...ledgers].sort((a, b) => b.createdAt - a.createdAt).slice(0, MAX_LEDGERS);
  keptLedgers.setState({ ledgers: kept });
  // Where there is no room for all, the oldest go.
  for (let most = kept.length; most >= 0; most--) {
    try {
      localStorage.setItem(KEY, JSON.stringify(kept.slice(0, most)));
      return;
    } catch {
      continue;
    }
  }
}

export function refreshLedgers(): void {
  keptLedgers.setState({ ledgers: present() });
}

/** What only a growing run has use for is not kept. */
export function keepLedger(ledger: Ledger, createdAt: Date, seconds: number): void {
  const id = `${createdAt.getTime()}-${ledger.seed}-${ledger.size}`;
  const claims = ledger.claims.map((claim) => ({ ...claim, working: null }));
  const kept = { id, createdAt: createdAt.getTime(), seconds, ledger: { ...ledger, claims } };
  put([kept, ...present().filter((other) => other.id !== id)]);
}

/** @returns what brings it back */
export function removeLedger(own: KeptLedger): () => void {
  put(present().filter(({ id }) => id !== own.id));
  const { opened } = keptLedgers.getState();
  if (opened?.id === own.id) openLedger(null);
  return () => put([own, ...present()]);
}

export function openLedger(opened: KeptLedger | null): void {
  keptLedgers.setState({ opened });
}
