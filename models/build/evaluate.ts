/**
 * Measures checkpoints: accuracy on held-out prompts at temperature 1, and how far pairs are apart.
 * Runs in Node on the wasm provider, through the same sampling and scoring code as the lab.
 */
import { cpuKernels } from '../../src/math/cpu-kernels';
import type { PolicyHost } from '../../src/policy/host';
import { sampleSequences, type SampledSequence } from '../../src/policy/sample';
import { scoreSequences } from '../../src/policy/score';
import type { ResidentWeights } from '../../src/policy/session';
import { heldOutPrompt, verify, type PromptRange } from '../../src/tasks/arithmetic';

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

/** One response at temperature 1 to each of `count` held-out prompts. */
export async function sampleHeldOut(
  host: PolicyHost,
  weights: ResidentWeights,
  count: number,
  seed: number,
  range: PromptRange,
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
        temperature: 1,
        maxLength: maxPositions - Math.max(...batch.map(({ length }) => length)),
        seed,
        endToken,
        padToken,
      })),
    );
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

/** Token log-probs of given responses under given weights. */
export async function logProbs(
  host: PolicyHost,
  weights: ResidentWeights,
  { prompts, responses }: Samples,
): Promise<ArrayLike<number>> {
  const sequences = responses.map(({ tokens }, i) => ({
    prompt: prompts[i] as number[],
    response: tokens,
  }));
  const { padToken } = host.files;
  return (await scoreSequences(host.session, weights, cpuKernels, sequences, padToken)).logp;
}

/** Mean and standard deviation of new - old. */
export function logRatioSpread(old: ArrayLike<number>, next: ArrayLike<number>): [number, number] {
  const n = old.length;
  let sum = 0;
  for (let i = 0; i < n; i++) sum += (next[i] as number) - (old[i] as number);
  const mean = sum / n;
  let squares = 0;
  for (let i = 0; i < n; i++) squares += ((next[i] as number) - (old[i] as number) - mean) ** 2;
  return [mean, Math.sqrt(squares / (n - 1))];
}
