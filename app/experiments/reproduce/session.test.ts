import { describe, expect, it } from 'vitest';
import type {
  LedgerClaim,
  LedgerHead,
  reproduce,
  ReproduceHooks,
} from '../../../src/engine/headless/reproduce';
import { EngineClient } from '../../../src/engine/lab/client';
import { Session } from './session';

const OPTIONS = { app: '1.2.3', seed: 7, backend: 'wasm', quick: true, pair: null } as const;

const HEAD: LedgerHead = {
  app: '1.2.3',
  seed: 7,
  backend: 'wasm',
  kernels: 'cpu',
  adapter: 'none',
  size: 'quick',
  prompts: 80,
  groupSize: 4,
  maxOperators: 9,
  policies: [],
  pairs: [],
  samples: 0,
  claimsHash: '',
};

function claim(id: string): LedgerClaim {
  return {
    id,
    claim: 'A claim.',
    prediction: 0,
    source: 'lab',
    margin: [-1, 1],
    detected: false,
    clusters: 10,
    settledBy: null,
    note: null,
    keptFrom: null,
    working: null,
    measured: 0.1,
    interval: [-0.1, 0.3],
    n: 10,
    nOf: 'prompts',
    verdict: 'holds',
    rule: 'A rule.',
    pair: 'near',
    experiment: 'variance',
    recorded: false,
  };
}

/** A session whose reproductions do what the test tells them. */
function scripted() {
  const started: { hooks: ReproduceHooks; end: (error?: Error) => void }[] = [];
  let closed = 0;
  class Client extends EngineClient {
    override close() {
      closed++;
    }
  }
  const run: typeof reproduce = (_client, options, hooks) =>
    new Promise((resolve, reject) => {
      const claims: LedgerClaim[] = [];
      hooks.signal?.addEventListener('abort', () => reject(new DOMException('', 'AbortError')));
      started.push({
        hooks: {
          ...hooks,
          claim: (one) => {
            claims.push(one);
            hooks.claim(one);
          },
        },
        end: (error) => {
          if (error) reject(error);
          else
            resolve({
              ...HEAD,
              ...options,
              backend: 'wasm',
              claims,
              multiplicity: { method: '', claims: 0, given: 0, expectedWrong: 0, alpha: 0.05 },
            });
        },
      });
    });
  const session = new Session(
    () =>
      new Client(() => {
        throw new Error('no worker in this test');
      }),
    run,
  );
  return { session, started, closed: () => closed, state: () => session.store.getState() };
}

describe('a reproduction', () => {
  it('shows claims as they come, then the ledger, and closes its engine', async () => {
    const { session, started, closed, state } = scripted();
    const ended = session.start(OPTIONS);
    started[0]?.hooks.progress({ fraction: 0.4, etaSeconds: 60, what: 'near' });
    started[0]?.hooks.begun?.(HEAD);
    started[0]?.hooks.claim(claim('variance.slope'));
    expect(state()).toMatchObject({ status: { is: 'running' }, progress: { fraction: 0.4 } });
    expect(state().head?.adapter).toBe('none');
    expect(state().claims.map(({ id }) => id)).toEqual(['variance.slope']);
    expect(state().ledger).toBeNull();
    started[0]?.end();
    await ended;
    expect(state().status.is).toBe('done');
    expect(state().ledger?.seed).toBe(7);
    expect(closed()).toBe(1);
  });

  it('keeps what it has when it is cancelled', async () => {
    const { session, started, closed, state } = scripted();
    const ended = session.start(OPTIONS);
    started[0]?.hooks.claim(claim('variance.slope'));
    session.cancel();
    await ended;
    expect(state()).toMatchObject({ status: { is: 'cancelled' }, ledger: null });
    expect(state().claims).toHaveLength(1);
    expect(closed()).toBe(1);
  });

  it('says why it failed', async () => {
    const { session, started, state } = scripted();
    const ended = session.start(OPTIONS);
    started[0]?.end(new Error('The policy could not be fetched.'));
    await ended;
    expect(state().status).toEqual({ is: 'failed', message: 'The policy could not be fetched.' });
  });

  it('hears nothing of the one before', async () => {
    const { session, started, state } = scripted();
    const first = session.start(OPTIONS);
    const second = session.start({ ...OPTIONS, seed: 8 });
    await first;
    started[0]?.hooks.begun?.(HEAD);
    started[0]?.hooks.claim(claim('late'));
    started[0]?.hooks.progress({ fraction: 0.9, etaSeconds: 1, what: 'late' });
    expect(state()).toMatchObject({ status: { is: 'running' }, progress: { fraction: 0 } });
    expect(state().claims).toEqual([]);
    expect(state().head).toBeNull();
    started[1]?.end();
    await second;
    expect(state().ledger?.seed).toBe(8);
  });
});
