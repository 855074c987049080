/**
 * Held-out accuracy: one response at the given temperature to each of the first prompts of a seed.
 * Contract: a function of (weights, seed, count, range), through the lab's own sampling code.
 */
import type { PolicyHost } from '../policy/host';
import type { ResidentWeights } from '../policy/session';
import { GroupStream } from '../rollouts/group-stream';
import { taskOf, type SampledGroups } from '../rollouts/sample-groups';
import { heldOutPrompts, type PromptRange } from '../tasks/task';

export interface Accuracy {
  prompts: number;
  correct: number;
  accuracy: number;
  /** Wilson 95 % interval */
  interval: [number, number];
  /** share of valid steps, mean over responses */
  validSteps: number;
  meanLength: number;
}

/** One response to each prompt. */
export type Samples = Pick<SampledGroups, 'texts' | 'prompts' | 'responses' | 'verdicts'>;

const BATCH = 64;

export interface HeldOutOptions {
  temperature?: number;
  signal?: AbortSignal;
  /** called after every batch with the prompts done so far */
  onBatch?: (done: number) => void;
}

export async function sampleHeldOut(
  host: PolicyHost,
  weights: ResidentWeights,
  count: number,
  seed: number,
  range: PromptRange,
  { temperature = 1, signal, onBatch }: HeldOutOptions = {},
): Promise<Samples> {
  const texts = heldOutPrompts(taskOf(host), seed, range, count);
  const samples: Samples = { texts, prompts: [], responses: [], verdicts: [] };
  const stream = new GroupStream(host, weights, {
    texts: (first, n) => texts.slice(first, first + n),
    groupSize: 1,
    temperature,
    maxLength: Infinity,
    seed,
  });
  const ranges = Array.from({ length: Math.ceil(count / BATCH) }, (_, i) => ({
    first: i * BATCH,
    count: Math.min(BATCH, count - i * BATCH),
  }));
  stream.announce(ranges);
  for (const range of ranges) {
    const batch = await stream.take(range, signal);
    samples.prompts.push(...batch.prompts);
    samples.responses.push(...batch.responses);
    samples.verdicts.push(...batch.verdicts);
    onBatch?.(samples.responses.length);
  }
  return samples;
}

/** Wilson score interval of a proportion, 95 %. */
export function wilson(correct: number, n: number): [number, number] {
  const z = 1.959964;
  const p = correct / n;
  const middle = p + (z * z) / (2 * n);
  const half = z * Math.sqrt((p * (1 - p)) / n + (z * z) / (4 * n * n));
  const scale = 1 + (z * z) / n;
  return [(middle - half) / scale, (middle + half) / scale];
}

export function accuracyOf({ responses, verdicts }: Samples): Accuracy {
  const n = responses.length;
  const sum = <T>(rows: readonly T[], of: (row: T) => number) =>
    rows.reduce((total, row) => total + of(row), 0);
  const correct = sum(verdicts, ({ reward }) => reward);
  const steps = sum(verdicts, ({ validSteps }) => validSteps);
  const tokens = sum(responses, (response) => response.tokens.length);
  return {
    prompts: n,
    correct,
    accuracy: correct / n,
    interval: wilson(correct, n),
    validSteps: steps / n,
    meanLength: tokens / n,
  };
}
