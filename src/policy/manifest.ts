/**
 * `models/NAME/lab.json`: what a policy folder offers. Written by the model build, validated on load.
 */
import * as v from 'valibot';

const sha256 = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));

/** `own`: a person's file, which no shipped manifest lists (`own.ts`). */
export const CHECKPOINT_SERIES = ['supervised', 'gspo', 'grpo', 'own'] as const;

export const checkpointSchema = v.object({
  id: v.string(),
  /** path inside the policy's folder; the graph's where its own weights are the checkpoint's */
  file: v.pipe(v.string(), v.regex(/^(checkpoints\/[a-z0-9-]+\.safetensors|onnx\/model\.onnx)$/)),
  /** id of the checkpoint that the file's 16-bit differences are added to (`difference.ts`); absent: it is whole */
  differenceTo: v.optional(v.string()),
  /** how it was trained, and the step within that series */
  series: v.picklist(CHECKPOINT_SERIES),
  step: v.number(),
  /** supervised training loss, nats per response token; null after reinforcement learning */
  loss: v.nullable(v.number()),
  /** share of held-out prompts answered correctly at temperature 1, and its 95 % interval; null: not measured */
  accuracy: v.nullable(v.number()),
  accuracyInterval: v.nullable(v.tuple([v.number(), v.number()])),
  /** how many */
  accuracyPrompts: v.nullable(v.number()),
  bytes: v.number(),
  sha256,
});

/** Two checkpoints that Reproduce compares. */
export const policyPairSchema = v.object({
  /** unique within the policy, kebab-case */
  id: v.pipe(v.string(), v.regex(/^[a-z0-9]+(-[a-z0-9]+)*$/)),
  title: v.string(),
  /** checkpoint ids */
  old: v.string(),
  new: v.string(),
});

export const policyManifestSchema = v.object({
  name: v.string(),
  title: v.string(),
  /** id of a task of `src/tasks/registry.ts` */
  task: v.pipe(v.string(), v.regex(/^[a-z0-9-]+$/)),
  parameters: v.number(),
  /** in every layer; absent: it is dense */
  experts: v.optional(v.number()),
  onnx: v.object({ file: v.literal('onnx/model.onnx'), bytes: v.number(), sha256 }),
  /** end token and positions; text of a token: they decide what a run is as much as the weights */
  config: v.object({ file: v.literal('config.json'), bytes: v.number(), sha256 }),
  tokenizer: v.object({ file: v.literal('tokenizer.json'), bytes: v.number(), sha256 }),
  checkpoints: v.array(checkpointSchema),
  /** what the lab opens with */
  defaultPair: v.object({ old: v.string(), new: v.string() }),
  /** what Reproduce runs; the default pair where none are listed */
  reproducePairs: v.optional(v.array(policyPairSchema)),
  /** curves of the races that made the `gspo` and `grpo` series, and where those started */
  races: v.optional(
    v.array(
      v.object({
        series: v.picklist(CHECKPOINT_SERIES),
        file: v.pipe(v.string(), v.regex(/^training\/[a-z0-9-]+\.json$/)),
        start: v.string(),
      }),
    ),
  ),
});

export type PolicyManifest = v.InferOutput<typeof policyManifestSchema>;
export type PolicyPair = v.InferOutput<typeof policyPairSchema>;
export type CheckpointInfo = v.InferOutput<typeof checkpointSchema>;
