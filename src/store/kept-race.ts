/** A training race as it is kept in the browser. Another version of the lab may have written it. */
import * as v from 'valibot';
import { trainingSchema } from '../settings/training';
import { stampSchema } from '../export/stamp';
import { stepReportSchema } from '../training/report';

export type RaceKey = string;

export const keptRaceSchema = v.object({
  id: v.pipe(v.string(), v.regex(/^[0-9a-f-]{36}$/)),
  /** version of the app */
  app: v.string(),
  /** ms since 1970 */
  createdAt: v.number(),
  updatedAt: v.number(),
  deletedAt: v.nullable(v.number()),
  settings: trainingSchema,
  backend: stampSchema.entries.backend,
  /** by racer, as many as the settings have */
  reports: v.array(v.array(stepReportSchema)),
});

export type KeptRace = v.InferOutput<typeof keptRaceSchema>;
