/**
 * The ledger of a whole reproduction that ships with the lab (`docs/ledger.json`, written by `npm run ledger`), fetched
 * once and only where it is needed. Contract: a file that is missing or not a ledger is none, never an error.
 */
import { useEffect } from 'react';
import * as v from 'valibot';
import { useStore } from 'zustand';
import { createStore } from 'zustand/vanilla';
import address from '../../docs/ledger.json?url';
import type { Ledger } from '../../src/engine/headless/reproduce';
import { EXPERIMENT_IDS, SOURCE_IDS } from '../../src/experiments/manifest';

const whole = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const maybe = v.nullable(v.number());

const claim = v.object({
  id: v.string(),
  claim: v.string(),
  source: v.picklist(SOURCE_IDS),
  prediction: maybe,
  margin: v.nullable(v.tuple([maybe, maybe])),
  measured: maybe,
  interval: v.nullable(v.tuple([v.number(), v.number()])),
  n: whole,
  nOf: v.picklist(['tokens', 'sequences', 'prompts', 'lengths', 'steps']),
  verdict: v.picklist(['holds', 'fails', 'departs', 'undecided', 'not applicable']),
  detected: v.boolean(),
  clusters: whole,
  settledBy: maybe,
  note: v.nullable(v.string()),
  keptFrom: v.nullable(whole),
  rule: v.string(),
  // Of use only while a run grows.
  working: v.pipe(
    v.unknown(),
    v.transform(() => null),
  ),
  pair: v.string(),
  experiment: v.picklist([...EXPERIMENT_IDS, 'train']),
  recorded: v.boolean(),
});

export const ledgerSchema = v.object({
  app: v.string(),
  seed: whole,
  backend: v.picklist(['webgpu', 'wasm']),
  kernels: v.picklist(['webgpu', 'cpu']),
  adapter: v.string(),
  size: v.picklist(['full', 'quick', 'quick-software']),
  prompts: whole,
  groupSize: whole,
  maxOperators: whole,
  policies: v.array(v.object({ name: v.string(), sha256: v.string() })),
  pairs: v.array(
    v.object({
      id: v.string(),
      title: v.string(),
      policy: v.string(),
      old: v.string(),
      new: v.string(),
    }),
  ),
  samples: whole,
  claimsHash: v.string(),
  claims: v.array(claim),
  multiplicity: v.object({
    method: v.string(),
    claims: whole,
    given: whole,
    expectedWrong: v.number(),
    alpha: v.number(),
  }),
}) satisfies v.GenericSchema<unknown, Ledger>;

/** null: not a ledger */
export function readLedger(text: string): Ledger | null {
  try {
    return v.parse(ledgerSchema, JSON.parse(text));
  } catch {
    return null;
  }
}

async function fetchLedger(): Promise<Ledger | null> {
  try {
    const reply = await fetch(address);
    return reply.ok ? readLedger(await reply.text()) : null;
  } catch {
    return null;
  }
}

const store = createStore<{ ledger: Ledger | null }>(() => ({ ledger: null }));
let asked = false;

/** null: not here yet, not wanted, or there is none */
export function useRecordedLedger(wanted = true): Ledger | null {
  useEffect(() => {
    if (!wanted || asked) return;
    asked = true;
    void fetchLedger().then((ledger) => store.setState({ ledger }));
  }, [wanted]);
  const ledger = useStore(store, (state) => state.ledger);
  return wanted ? ledger : null;
}
