/** What figures are handed of the overlaid runs: result, label, and look. */
import { t } from '@lingui/core/macro';
import { useMemo } from 'react';
import type { ExperimentId, ExperimentMap } from '../../src/engine/lab/protocol';
import { overlayLook, type Overlaid } from '../charts/shapes';
import { useLabState, useLag } from '../state/react';
import { labelOf } from './words';

/** Label by kept id, of the runs laid over. */
export function useOverlayLabels(): ReadonlyMap<string, string> {
  const overlays = useLabState((state) => state.overlays);
  const keptRuns = useLabState((state) => state.keptRuns);
  const settings = useLabState((state) => state.run?.settings ?? null);
  return useMemo(() => {
    const runs = keptRuns?.status === 'open' ? keptRuns.runs : [];
    return new Map(
      overlays.map(({ id }) => {
        const kept = runs.find((run) => run.id === id);
        return [id, kept === undefined ? t`a kept run` : labelOf(settings, kept)];
      }),
    );
  }, [overlays, keptRuns, settings]);
}

/** Changes with the runs laid over: axes start afresh, so that one taken away leaves no empty room. */
export function useOverlaysKey(): string {
  return useLabState((state) => state.overlays.map(({ id }) => id).join(' '));
}

/**
 * The overlaid runs that this experiment has an answer about, in the order in which they were laid over; none over
 * a recorded run.
 */
export function useOverlays<K extends ExperimentId>(
  experiment: K,
): readonly Overlaid<ExperimentMap[K]['result']>[] {
  const overlays = useLabState((state) => state.overlays);
  const answers = useLabState((state) => state.overlaid[experiment]);
  const labels = useOverlayLabels();
  const recorded = useLag(experiment)?.of === 'recording';
  return useMemo(
    () =>
      (recorded ? [] : overlays).flatMap(({ id, slot }) => {
        const answer = answers?.find((one) => one.id === id);
        if (answer === undefined) return [];
        const { result } = answer;
        return [{ id, label: labels.get(id) ?? '', look: overlayLook(slot), result }];
      }),
    [recorded, overlays, answers, labels],
  );
}
