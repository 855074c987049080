/**
 * One reproduction: the state that the page shows, kept while a person looks at other pages. Contract:
 * it runs on an engine of its own, which is closed when it ends, so the lab's run and data stay as they
 * are; what was measured before a cancel or a failure stays on view; nothing of an earlier reproduction
 * reaches a later one.
 */
import { createStore, type StoreApi } from 'zustand/vanilla';
import type { EngineClient } from '../../../src/engine/lab/client';
import {
  reproduce,
  type Ledger,
  type LedgerClaim,
  type LedgerHead,
  type ReproduceOptions,
  type ReproduceProgress,
} from '../../../src/engine/headless/reproduce';
import { startEngine } from '../../state/engine';
import { keepLedger, openLedger } from '../../state/kept-ledgers';
import { message } from '../../../src/message';

export type Status =
  | { is: 'idle' }
  | { is: 'running' }
  | { is: 'done'; seconds: number }
  | { is: 'cancelled' }
  | { is: 'failed'; message: string };

export interface SessionState {
  status: Status;
  /** of the latest reproduction; null before the first */
  options: ReproduceOptions | null;
  startedAt: Date | null;
  progress: ReproduceProgress;
  /** where it runs and on what; null until its engine is open */
  head: LedgerHead | null;
  claims: readonly LedgerClaim[];
  /** null until it is complete */
  ledger: Ledger | null;
}

const NOTHING_YET: ReproduceProgress = { fraction: 0, etaSeconds: null, what: 'opening' };

export class Session {
  readonly store: StoreApi<SessionState> = createStore<SessionState>(() => ({
    status: { is: 'idle' },
    options: null,
    startedAt: null,
    progress: NOTHING_YET,
    head: null,
    claims: [],
    ledger: null,
  }));
  private abort: AbortController | null = null;

  constructor(
    private readonly createClient: () => EngineClient,
    private readonly run: typeof reproduce = reproduce,
    private readonly keep: (ledger: Ledger, startedAt: Date, seconds: number) => void = () =>
      undefined,
  ) {}

  /** Starts afresh; one that is under way is cancelled. Resolves when it has ended, however it did. */
  async start(options: ReproduceOptions): Promise<void> {
    this.abort?.abort();
    openLedger(null);
    const abort = new AbortController();
    this.abort = abort;
    const mine = () => this.abort === abort;
    const set = (state: Partial<SessionState>) => {
      if (mine()) this.store.setState(state);
    };
    const startedAt = new Date();
    set({
      status: { is: 'running' },
      options,
      startedAt,
      progress: NOTHING_YET,
      head: null,
      claims: [],
      ledger: null,
    });
    const client = this.createClient();
    try {
      const ledger = await this.run(client, options, {
        signal: abort.signal,
        progress: (progress) => set({ progress }),
        begun: (head) => set({ head }),
        claim: (claim) => set({ claims: [...this.store.getState().claims, claim] }),
      });
      const seconds = (Date.now() - startedAt.getTime()) / 1000;
      set({ status: { is: 'done', seconds }, ledger, claims: ledger.claims });
      if (mine()) this.keep(ledger, startedAt, seconds);
    } catch (error) {
      const { aborted } = abort.signal;
      set({ status: aborted ? { is: 'cancelled' } : { is: 'failed', message: message(error) } });
    } finally {
      client.close();
    }
  }

  cancel(): void {
    this.abort?.abort();
  }
}

/** The one that the page shows. */
export const session = new Session(startEngine, reproduce, keepLedger);
