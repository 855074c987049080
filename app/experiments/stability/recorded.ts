/**
 * The stability study that ships with the lab (`docs/stability.json`, written by `npm run stability`), fetched once.
 * Contract: a file that is missing or not a study is none, never an error.
 */
import { useEffect } from 'react';
import * as v from 'valibot';
import { useStore } from 'zustand';
import { createStore } from 'zustand/vanilla';
import address from '../../../docs/stability.json?url';
import { studySchema, type Study } from '../../../src/experiments/stability';

const store = createStore<{ study: Study | null }>(() => ({ study: null }));
let asked = false;

async function fetchStudy(): Promise<Study | null> {
  try {
    const reply = await fetch(address);
    return reply.ok ? v.parse(studySchema, await reply.json()) : null;
  } catch {
    return null;
  }
}

/** null: not here yet, or there is none */
export function useRecordedStudy(): Study | null {
  useEffect(() => {
    if (asked) return;
    asked = true;
    void fetchStudy().then((study) => store.setState({ study }));
  }, []);
  return useStore(store, ({ study }) => study);
}
