/**
 * The recordings that this site ships, each fetched once and only where it is needed. Contract: their addresses hold
 * a hash of what is in them, so a page never gets the file of another version; one that is missing is none.
 */
import { useEffect } from 'react';
import { useStore } from 'zustand';
import { createStore, type StoreApi } from 'zustand/vanilla';
import type { ExperimentId, ExperimentMap, SequenceDetail } from '../../src/engine/lab/protocol';
import { readRecording, type Recorded, type RecordedName, type Recording } from './recording';

/** Addresses of the files, by path. */
const SHIPPED = import.meta.glob<string>('../recorded/*.json', {
  query: '?url&no-inline',
  import: 'default',
  eager: true,
});

/** null: there is none; absent: not asked for yet */
type Answers = { readonly [K in ExperimentId]?: Recording<ExperimentMap[K]['result']> | null };
interface Response {
  readonly response?: Recording<SequenceDetail> | null;
}

const answers = createStore<Answers>(() => ({}));
const response = createStore<Response>(() => ({}));
const asked = new Set<RecordedName>();

/** @param address null: none is shipped */
export async function fetchRecording<N extends RecordedName>(
  name: N,
  address: string | null,
): Promise<Recording<Recorded<N>> | null> {
  if (address === null) return null;
  try {
    const reply = await fetch(address);
    return reply.ok ? readRecording(name, await reply.text()) : null;
  } catch {
    return null;
  }
}

function useLoaded<S>(store: StoreApi<S>, name: RecordedName & keyof S, wanted: boolean): S {
  useEffect(() => {
    if (!wanted || asked.has(name)) return;
    asked.add(name);
    void fetchRecording(name, SHIPPED[`../recorded/${name}.json`] ?? null).then((found) =>
      store.setState((loaded) => ({ ...loaded, [name]: found })),
    );
  }, [store, name, wanted]);
  return useStore(store);
}

/** An experiment's answer; null: not here yet, not wanted, or there is none */
export function useRecording<K extends ExperimentId>(
  name: K,
  wanted = true,
): Recording<ExperimentMap[K]['result']> | null {
  const loaded: Answers = useLoaded(answers, name, wanted);
  return wanted ? (loaded[name] ?? null) : null;
}

/** One response, token by token; null as above. */
export function useRecordedResponse(): Recording<SequenceDetail> | null {
  return useLoaded(response, 'response', true).response ?? null;
}
