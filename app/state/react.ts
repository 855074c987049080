/** React's way to the lab: one context, and selectors that re-render only what changed. */
import { createContext, use, useEffect, useLayoutEffect, useMemo, useState } from 'react';
import { useStore } from 'zustand';
import { EXPERIMENT_IDS, isExperimentId, type PageId } from '../../src/experiments/manifest';
import { experimentSettings } from '../../src/link/experiments';
import type { ExperimentId, ExperimentMap } from '../../src/engine/lab/protocol';
import { usePageSettings } from './address-react';
import type { Lab, LabState } from './lab';
import { useRecording } from './recorded';
import type { Recording } from './recording';
import { message } from '../../src/message';

export const LabContext = createContext<Lab | null>(null);

export function useLab(): Lab {
  const lab = use(LabContext);
  if (lab === null) throw new Error('useLab needs a LabContext above it');
  return lab;
}

export function useLabState<T>(select: (state: LabState) => T): T {
  return useStore(useLab().store, select);
}

/** Whether there is nothing live to show: neither an answer nor a reason why there is none. */
const useUnanswered = (id: ExperimentId): boolean =>
  useLabState(
    ({ run, measurements, refusals }) =>
      refusals[id] === undefined && (run === null || measurements[id] === undefined),
  );

/**
 * The recording of an experiment, where nothing live is there and it was asked with the same settings.
 * @param key those settings as JSON; null: none is wanted
 */
function useStandIn<K extends ExperimentId>(
  id: K,
  key: string | null,
): Recording<ExperimentMap[K]['result']> | null {
  const wanted = useUnanswered(id) && key !== null;
  const recording = useRecording(id, wanted);
  return recording !== null && JSON.stringify(recording.asked) === key ? recording : null;
}

/**
 * The latest answer of an experiment about the present run, kept up to date while mounted; until there is one, that
 * of the run that ships with the lab. Settings are compared by their content.
 */
export function useExperiment<K extends ExperimentId>(
  id: K,
  settings: ExperimentMap[K]['settings'],
): {
  result: ExperimentMap[K]['result'] | null;
  run: number | null;
  refusal: string | null;
  /** whether the answer is recorded */
  recorded: boolean;
} {
  const lab = useLab();
  const run = useLabState((state) => state.run?.id ?? null);
  const measurement = useLabState((state) => state.measurements[id]);
  const refusal = useLabState((state) => state.refusals[id] ?? null);
  const key = JSON.stringify(settings);
  // Asked before the page is painted: the engine works while it is.
  useLayoutEffect(
    () => lab.watch(id, JSON.parse(key) as ExperimentMap[K]['settings']),
    [lab, id, key, run],
  );
  // The answer of the run before stays on view until the new run has one of its own.
  const live = run === null ? null : (measurement?.result ?? null);
  const standIn = useStandIn(id, key);
  return {
    result: live ?? standIn?.result ?? null,
    run: measurement?.run ?? null,
    refusal,
    recorded: live === null && standIn !== null,
  };
}

/**
 * What a page's answer is behind: recorded, of the run before, or of fewer responses than the run has by now.
 */
export type Lag =
  | { of: 'recording'; recording: Recording }
  | { of: 'run before' }
  | { of: 'fewer'; sequences: number }
  | null;

/**
 * null: nothing has been measured, or the answer is that of the run as it is. The same object as long as it says
 * the same: a page's figures hang on it, and a growing run says how far it is many times between two answers.
 */
export function useLag(page: PageId): Lag {
  const behind = useLabState(({ run, measurements }): 'run before' | number | null => {
    const measurement = isExperimentId(page) ? measurements[page] : undefined;
    if (run === null || measurement === undefined) return null;
    if (measurement.run !== run.id) return 'run before';
    const { sequences } = measurement;
    return sequences < run.progress.sequences ? sequences : null;
  });
  const asked = experimentSettings(page, usePageSettings(page));
  const recording = useStandIn(
    asked?.experiment ?? EXPERIMENT_IDS[0],
    asked && JSON.stringify(asked.settings),
  );
  return useMemo(() => {
    if (recording !== null) return { of: 'recording', recording };
    if (behind === null) return null;
    return behind === 'run before' ? { of: behind } : { of: 'fewer', sequences: behind };
  }, [behind, recording]);
}

/** Of the page in view: its verdicts and figures carry it. */
export const LagContext = createContext<Lag>(null);

/** Whether what is on the page is of the recorded run: nothing of it can be inspected. */
export const useShowsRecording = (): boolean => use(LagContext)?.of === 'recording';

export type Answer<T> =
  { status: 'waiting' } | { status: 'here'; value: T } | { status: 'refused'; message: string };

/** Ask once per key; a late answer to an earlier key is dropped. */
export function useAnswer<T>(key: string | null, ask: () => Promise<T>): Answer<T> {
  const [answer, setAnswer] = useState<{ key: string; answer: Answer<T> } | null>(null);
  useEffect(() => {
    if (key === null) return;
    let current = true;
    ask().then(
      (value) => current && setAnswer({ key, answer: { status: 'here', value } }),
      (error: unknown) =>
        current &&
        setAnswer({
          key,
          answer: {
            status: 'refused',
            message: message(error),
          },
        }),
    );
    return () => {
      current = false;
    };
    // `ask` is a new closure on every render; the key says when the question changed.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [key]);
  return answer !== null && answer.key === key ? answer.answer : { status: 'waiting' };
}
