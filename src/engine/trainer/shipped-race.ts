/**
 * The race that ships with a policy: its racers' curves as they were written while they were trained. Contract: only
 * curves, no weights; files that are missing, malformed or of different races are no race, never an error.
 */
import { FetchError, siteFiles, type FileSource } from '../../policy/fetch';
import type { PolicyManifest } from '../../policy/manifest';
import type { TrainingSettings } from '../../settings/training';
import type { StepReport } from '../../training/report';
import { fetchSeries } from '../../training/series';

export { siteFiles };

export interface ShippedRace {
  settings: TrainingSettings;
  /** by racer, steps ascending */
  reports: StepReport[][];
}

/** @param files reads below `models/` */
export async function fetchShippedRace(
  files: FileSource,
  { name, races = [] }: PolicyManifest,
): Promise<ShippedRace | null> {
  try {
    const series = await Promise.all(races.map(({ file }) => fetchSeries(files, name, file)));
    const [first] = series;
    if (first === undefined) return null;
    const { settings } = first;
    const said = JSON.stringify(settings);
    if (!series.every((one) => JSON.stringify(one.settings) === said)) return null;
    const reports = settings.racers.map(
      (_, racer) => series.find((one) => one.racer === racer)?.steps ?? [],
    );
    return reports.every((steps) => steps.length > 0) ? { settings, reports } : null;
  } catch (error) {
    if (error instanceof FetchError) return null;
    throw error;
  }
}
