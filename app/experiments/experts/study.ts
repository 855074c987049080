/**
 * The study of routes: the state that the page shows, kept while a person looks at other pages. Contract: an engine of
 * its own, closed when the study ends; what was found before stays in view until there is something newer.
 */
import { createStore, type StoreApi } from 'zustand/vanilla';
import type { StudyProgress } from '../../../src/engine/route-figures';
import type { EngineClient } from '../../../src/engine/lab/client';
import type { LabCalls } from '../../../src/engine/lab/protocol';
import { message } from '../../../src/message';
import type { BackendChoice, PoliciesSource } from '../../../src/settings/run';
import { startEngine } from '../../state/engine';

export type StudyStatus =
  | { is: 'idle' }
  | { is: 'running'; progress: StudyProgress; etaSeconds: number | null }
  | { is: 'done'; seconds: number }
  | { is: 'cancelled' }
  | { is: 'failed'; message: string };

export interface RouteStudyState {
  status: StudyStatus;
  /** of the settings that it names */
  study: LabCalls['study-routes']['reply'] | null;
}

/** Before so much is done, how long the rest takes is a guess. */
const KNOWN_FROM = 0.2;

export class RouteStudySession {
  readonly store: StoreApi<RouteStudyState> = createStore<RouteStudyState>(() => ({
    status: { is: 'idle' },
    study: null,
  }));
  private abort: AbortController | null = null;

  constructor(private readonly createClient: () => Pick<EngineClient, 'studyRoutes' | 'close'>) {}

  /** Resolves when it has ended, however it did. */
  async start(source: PoliciesSource, backend: BackendChoice): Promise<void> {
    this.abort?.abort();
    const abort = new AbortController();
    this.abort = abort;
    const set = (state: Partial<RouteStudyState>) => {
      if (this.abort === abort) this.store.setState(state);
    };
    const began = performance.now();
    const passed = () => (performance.now() - began) / 1000;
    set({
      status: { is: 'running', progress: { doing: 'starting', fraction: 0 }, etaSeconds: null },
    });
    const client = this.createClient();
    try {
      const tell = (progress: StudyProgress) => {
        if (abort.signal.aborted) return;
        const { fraction } = progress;
        const etaSeconds = fraction < KNOWN_FROM ? null : (passed() / fraction) * (1 - fraction);
        set({ status: { is: 'running', progress, etaSeconds } });
      };
      const study = await client.studyRoutes(source, backend, tell, abort.signal);
      set({ status: { is: 'done', seconds: passed() }, study });
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
export const routeStudy = new RouteStudySession(startEngine);
