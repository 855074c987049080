/** A training race as it is kept in the browser. Another version of the lab may have written it. */
import * as v from 'valibot';
import { trainingSchema } from '../link/training';
import { stampSchema } from '../export/stamp';

export type RaceKey = string;

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const share = v.nullable(v.number());

/** `StepReport`, as `src/training/report.ts` describes it. */
export const stepReportSchema = v.object({
  step: count,
  updates: count,
  reward: v.number(),
  informativeGroups: v.number(),
  validSteps: v.number(),
  meanLength: v.number(),
  finishedShare: v.number(),
  entropy: v.number(),
  loss: v.number(),
  gradientNorm: v.number(),
  clip: v.object({ trl: share, verl: share }),
  weights: v.object({
    quantiles: v.array(v.number()),
    variance: v.number(),
    predictedVariance: v.number(),
    meanLogWeight: v.number(),
    kl: v.number(),
  }),
  learningRate: v.number(),
  heldOut: v.nullable(
    v.object({ correct: count, prompts: count, interval: v.tuple([v.number(), v.number()]) }),
  ),
  seconds: v.object({
    sampling: v.number(),
    scoring: v.number(),
    gradient: v.number(),
    update: v.number(),
    evaluation: v.number(),
  }),
});

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
