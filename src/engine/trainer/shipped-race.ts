/**
 * The race that ships with a policy: its racers' curves as they were written while they were trained. Contract: only
 * curves, no weights; files that are missing, malformed or of different races are no race, never an error.
 */
import { FetchError, siteFiles, type FileSource } from '../../policy/fetch';
import type { CheckpointInfo, PolicyManifest } from '../../policy/manifest';
import type { TrainingSettings } from '../../settings/training';
import type { StepReport } from '../../training/report';
import { fetchSeries } from '../../training/series';

export { siteFiles };

export interface ShippedRace {
  settings: TrainingSettings;
  /** by racer, steps ascending */
  reports: StepReport[][];
}

/** As it was measured when the policy was made. */
function accuracyOf({ accuracy, accuracyInterval, accuracyPrompts }: CheckpointInfo) {
  if (accuracy === null || accuracyInterval === null || accuracyPrompts === null) return null;
  const correct = Math.round(accuracy * accuracyPrompts);
  return { correct, prompts: accuracyPrompts, interval: accuracyInterval };
}

/** @param files reads below `models/` */
export async function fetchShippedRace(
  files: FileSource,
  { name, races = [], checkpoints }: PolicyManifest,
): Promise<ShippedRace | null> {
  try {
    const series = await Promise.all(races.map(({ file }) => fetchSeries(files, name, file)));
    const [first] = series;
    if (first === undefined) return null;
    const { settings } = first;
    const said = JSON.stringify(settings);
    if (!series.every((one) => JSON.stringify(one.settings) === said)) return null;
    const reports = settings.racers.map((_, racer): StepReport[] => {
      const [begin, ...steps] = series.find((one) => one.racer === racer)?.steps ?? [];
      if (begin === undefined) return [];
      const id = races.find((_race, k) => series[k]?.racer === racer)?.start;
      const start = checkpoints.find((checkpoint) => checkpoint.id === id);
      return [{ ...begin, heldOutBefore: start ? accuracyOf(start) : null }, ...steps];
    });
    return reports.every((steps) => steps.length > 0) ? { settings, reports } : null;
  } catch (error) {
    if (error instanceof FetchError) return null;
    throw error;
  }
}
