/** Curves of a race that ships with a policy: `models/NAME/training/SERIES.json`, validated on load. */
import * as v from 'valibot';
import { trainingSchema } from '../link/training';
import { stepReportSchema } from './report';

export const seriesSchema = v.object({
  settings: trainingSchema,
  /** index into the settings' racers */
  racer: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  steps: v.pipe(v.array(v.looseObject(stepReportSchema.entries)), v.minLength(1)),
});

export type Series = v.InferOutput<typeof seriesSchema>;
