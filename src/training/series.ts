/** Curves of a race that ships with a policy: `models/NAME/training/SERIES.json`, validated on load. */
import * as v from 'valibot';
import { FetchError, type FileSource } from '../policy/fetch';
import type { CheckpointInfo, PolicyManifest } from '../policy/manifest';
import { trainingSchema } from '../settings/training';
import { stepReportSchema } from './report';

export const seriesSchema = v.object({
  settings: trainingSchema,
  /** index into the settings' racers */
  racer: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  steps: v.pipe(v.array(v.looseObject(stepReportSchema.entries)), v.minLength(1)),
});

export type Series = v.InferOutput<typeof seriesSchema>;

/** One racer's steps and what its checkpoints say. */
export interface ShippedSeries {
  name: string;
  series: Series;
  start: CheckpointInfo;
  end: CheckpointInfo;
}

/** @throws FetchError where the file is not what the lab writes */
export async function fetchSeries(
  files: FileSource,
  policy: string,
  file: string,
): Promise<Series> {
  const path = `${policy}/${file}`;
  const text = new TextDecoder().decode(await files(path));
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch (cause) {
    throw new FetchError(`models/${path} is not JSON.`, { cause });
  }
  const parsed = v.safeParse(seriesSchema, found);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  throw new FetchError(`models/${path}: ${v.getDotPath(issue) ?? 'file'}: ${issue.message}`);
}

/** The last checkpoint of each series and the start that it went on from. */
export function shippedSeries(
  manifest: PolicyManifest,
  series: readonly Series[],
): ShippedSeries[] {
  return (manifest.races ?? []).flatMap(({ series: name, start: startId }, i) => {
    const own = manifest.checkpoints.filter((checkpoint) => checkpoint.series === name);
    const start = manifest.checkpoints.find(({ id }) => id === startId);
    const end = own.reduce<CheckpointInfo | undefined>(
      (last, one) => (last === undefined || one.step > last.step ? one : last),
      undefined,
    );
    const curves = series[i];
    return start && end && curves ? [{ name, series: curves, start, end }] : [];
  });
}
