/**
 * One check of the device: the state that the page shows, kept while a person looks at other pages. Contract: an
 * engine of its own, closed when the check ends; what was found before a cancel or a failure stays in view.
 */
import { createStore, type StoreApi } from 'zustand/vanilla';
import type { CheckProgress, DeviceReport } from '../../../src/engine/device-check';
import type { EngineClient } from '../../../src/engine/lab/client';
import { message } from '../../../src/message';
import { startEngine } from '../../state/engine';

export type DeviceStatus =
  | { is: 'idle' }
  | { is: 'running'; progress: Pick<CheckProgress, 'doing' | 'fraction'> }
  | { is: 'done'; at: Date; seconds: number }
  | { is: 'cancelled' }
  | { is: 'failed'; message: string };

export interface DeviceState {
  status: DeviceStatus;
  /** what is known so far; null before the first check */
  report: DeviceReport | null;
}

export class DeviceSession {
  readonly store: StoreApi<DeviceState> = createStore<DeviceState>(() => ({
    status: { is: 'idle' },
    report: null,
  }));
  private abort: AbortController | null = null;

  constructor(private readonly createClient: () => Pick<EngineClient, 'checkDevice' | 'close'>) {}

  /** Resolves when it has ended, however it did. */
  async start(): Promise<void> {
    this.abort?.abort();
    const abort = new AbortController();
    this.abort = abort;
    const set = (state: Partial<DeviceState>) => {
      if (this.abort === abort) this.store.setState(state);
    };
    const progress = { doing: 'starting', fraction: 0 };
    set({ status: { is: 'running', progress }, report: null });
    const began = performance.now();
    const client = this.createClient();
    try {
      const report = await client.checkDevice(({ report, ...progress }) => {
        if (!abort.signal.aborted) set({ status: { is: 'running', progress }, report });
      }, abort.signal);
      const seconds = (performance.now() - began) / 1000;
      set({ status: { is: 'done', at: new Date(), seconds }, report });
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
export const deviceSession = new DeviceSession(startEngine);
