/**
 * Held-out accuracy: one response at the given temperature to each of the first prompts of a seed.
 * Contract: a function of (weights, seed, count, range), through the lab's own sampling code.
 */
import type { PolicyHost } from '../policy/host';
import { sampleSequences, type SampledSequence } from '../policy/sample';
import type { ResidentWeights } from '../policy/session';
import { heldOutPrompt, verify, type PromptRange } from '../tasks/arithmetic';

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

export interface Samples {
  prompts: number[][];
  texts: string[];
  responses: SampledSequence[];
}

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
  const { tokenizer, endToken, padToken, maxPositions } = host.files;
  const texts = Array.from({ length: count }, (_, i) => heldOutPrompt(seed, i, range));
  const prompts = texts.map((text) => tokenizer.encode(text));
  const responses: SampledSequence[] = [];
  for (let at = 0; at < count; at += BATCH) {
    const batch = prompts.slice(at, at + BATCH);
    responses.push(
      ...(await sampleSequences(host.session, weights, {
        prompts: batch,
        firstSequence: at,
        temperature,
        maxLength: maxPositions - Math.max(...batch.map(({ length }) => length)),
        seed,
        endToken,
        padToken,
        ...(signal ? { signal } : {}),
      })),
    );
    onBatch?.(responses.length);
  }
  return { prompts, texts, responses };
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

export function judge(host: PolicyHost, { texts, responses }: Samples): Accuracy {
  const n = texts.length;
  let correct = 0;
  let steps = 0;
  let tokens = 0;
  responses.forEach((response, i) => {
    const verdict = verify(texts[i] as string, host.files.tokenizer.decode(response.tokens));
    correct += verdict.reward;
    steps += verdict.validSteps;
    tokens += response.tokens.length;
  });
  return {
    prompts: n,
    correct,
    accuracy: correct / n,
    interval: wilson(correct, n),
    validSteps: steps / n,
    meanLength: tokens / n,
  };
}
