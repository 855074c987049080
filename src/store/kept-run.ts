/**
 * What is known about a kept run without reading its data. Contract: `kind` tells what the data are; a
 * record that does not pass the schema (another version of the lab wrote it) is left alone and not listed.
 */
import * as v from 'valibot';
import { stampSchema } from '../export/stamp';
import { runSettingsSchema } from '../settings/run';

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const time = v.pipe(v.number(), v.finite());

/** Names that people give: enough for a sentence. */
export const MAX_NAME = 120;

export const keptRunSchema = v.object({
  id: v.string(),
  kind: v.literal('rollouts'),
  /** as a person named it; null: not named */
  name: v.nullable(v.pipe(v.string(), v.maxLength(200))),
  /** ms since 1970 */
  createdAt: time,
  updatedAt: time,
  /** version of the app that made it */
  app: v.string(),
  /** null: from files */
  settings: v.nullable(runSettingsSchema),
  files: v.array(v.string()),
  policies: stampSchema.entries.policies,
  backend: stampSchema.entries.backend,
  /** `running`: under way, or cut off if nobody holds its lock */
  state: v.picklist(['running', 'stopped', 'finished']),
  /** batches of the whole run, and how it is cut: what resuming needs */
  batches: count,
  sequencesPerBatch: count,
  /** finished and kept */
  keptBatches: count,
  sequences: count,
  totalSequences: count,
  tokens: count,
  /** of work */
  seconds: v.pipe(v.number(), v.minValue(0)),
  /** of the data, about */
  bytes: count,
  /** marked for deletion at this time; can still be undone */
  deletedAt: v.nullable(time),
});

export type KeptRun = v.InferOutput<typeof keptRunSchema>;
export type KeptId = KeptRun['id'];

/** Why nothing can be kept, or no more. */
export class StoreUnavailable extends Error {
  override name = 'StoreUnavailable';
}
/** Asked again, it would be waited for again. */
export class StoreSilent extends StoreUnavailable {}
export class StoreFull extends Error {
  override name = 'StoreFull';
}
