/**
 * Prompts answered and judged, and the answers scored: the one way from a policy to data, for races and sample
 * responses, and with `group-stream.ts` for runs and held-out evaluation.
 *
 * Contract: response i is a function of (weights, prompt, seed, firstSequence + i, temperature, maxLength), so
 * the same settings give the same responses however they are cut into batches. Log-probs are those of the
 * policy itself (temperature 1, no token cut off), however it was sampled.
 */
import type { FloatArray, TokenStats } from '../math/kernels';
import type { PolicyFiles } from '../policy/fetch';
import type { PolicyHost } from '../policy/host';
import type { PolicyManifest } from '../policy/manifest';
import { sampleSequences, type Sampled, type SampledSequence } from '../policy/sample';
import type { SamplerSettings } from '../policy/sample-request';
import {
  scoreReplayed,
  scoreSequences,
  type ScoredTokens,
  type ScoringKernels,
} from '../policy/score';
import type { PolicySession, ResidentWeights } from '../policy/session';
import { findTask } from '../tasks/registry';
import type { Task, Verdict, Verifier } from '../tasks/task';
import { LOG_KEPT, REPLAYED, type Rollouts, type TokenTable } from './rollouts';

export interface GroupRequest {
  /** one text per group */
  texts: readonly string[];
  /** responses to each */
  groupSize: number;
  /** counter of the first response's random numbers */
  firstSequence: number;
  /** 0 = greedy */
  temperature: number;
  /** left out: 1, no token is cut off */
  topP?: number | undefined;
  /** response tokens; never more than the policy has positions for beside the prompt */
  maxLength: number;
  seed: number;
  signal?: AbortSignal | undefined;
  /** left out: the task's own */
  verify?: Verifier | undefined;
}

/** n = texts x groupSize responses, those to one prompt side by side. */
export interface SampledGroups {
  texts: string[];
  /** [n] index into `texts` */
  group: Uint32Array;
  /** [n] token ids */
  prompts: number[][];
  /** [n] */
  responses: SampledSequence[];
  /** [n] the responses as text */
  answers: string[];
  /** [n] */
  verdicts: Verdict[];
  /** under the policy that sampled, where its sampler says it */
  scored: ScoredTokens | null;
}

/** Who answers: a policy of the lab, or a model of someone else's. */
export interface Speaker {
  session: PolicySession;
  files: Pick<PolicyFiles, 'maxPositions' | 'endToken' | 'padToken'> & {
    alsoEnds?: readonly number[];
    tokenizer: {
      encode(text: string): number[];
      decode(tokens: Iterable<number>): string;
      /** by id, where the text of a token follows from it alone */
      vocabulary?: readonly string[];
      /** of a response's tokens, where it does not */
      textsOf?(tokens: readonly number[]): string[];
    };
  };
  /** whose task verifies, where nothing else does */
  manifest?: Pick<PolicyManifest, 'task'>;
}

export const taskOf = ({ manifest }: Pick<PolicyHost, 'manifest'>): Task => findTask(manifest.task);

function verifierOf({ manifest }: Speaker): Verifier {
  if (manifest) return findTask(manifest.task).verify;
  throw new Error('Nobody says what a right response is.');
}

export async function sampleGroups(
  host: Speaker,
  weights: ResidentWeights,
  { texts, groupSize, firstSequence, signal, verify, ...draw }: GroupRequest,
): Promise<SampledGroups> {
  const sampled = await sampleSequences(host.session, weights, {
    ...samplerSettings(host, draw),
    prompts: promptsOf(host, texts, groupSize),
    firstSequence,
    signal,
  });
  return judgedGroups(host, texts, groupSize, sampled, verify);
}

export const samplerSettings = (
  { files }: Speaker,
  draw: Pick<SamplerSettings, 'temperature' | 'topP' | 'maxLength' | 'seed'>,
): SamplerSettings => {
  const { endToken, alsoEnds, padToken, maxPositions } = files;
  return { ...draw, endToken, alsoEnds, padToken, maxPositions };
};

/** The prompt of each response, those to one text side by side. */
export function promptsOf(
  { files }: Speaker,
  texts: readonly string[],
  groupSize: number,
): number[][] {
  return texts.flatMap((text) => {
    const ids = files.tokenizer.encode(text);
    return Array.from({ length: groupSize }, () => ids);
  });
}

export function judgedGroups(
  host: Speaker,
  texts: readonly string[],
  groupSize: number,
  { sequences, scored }: Sampled,
  verify: Verifier = verifierOf(host),
): SampledGroups {
  const group = Uint32Array.from(sequences, (_, i) => Math.floor(i / groupSize));
  const answers = sequences.map(({ tokens }) => host.files.tokenizer.decode(tokens));
  return {
    texts: [...texts],
    group,
    prompts: promptsOf(host, texts, groupSize),
    responses: sequences,
    answers,
    verdicts: answers.map((answer, i) => verify(texts[group[i]], answer)),
    scored,
  };
}

/** What the policy that sampled says of the responses' tokens: known from sampling, or scored. */
export async function scoreOwn(
  host: Speaker,
  weights: ResidentWeights,
  kernels: ScoringKernels,
  groups: SampledGroups,
  signal?: AbortSignal,
): Promise<ScoredTokens> {
  return groups.scored ?? scoreGroups(host, weights, kernels, groups, signal);
}

/** Log-probs, entropies and collision probabilities of the responses' tokens, end to end. */
export function scoreGroups(
  host: Speaker,
  weights: ResidentWeights,
  kernels: ScoringKernels,
  { prompts, responses }: Pick<SampledGroups, 'prompts' | 'responses'>,
  signal?: AbortSignal,
): Promise<ScoredTokens> {
  const sequences = responses.map(({ tokens }, i) => ({
    prompt: prompts[i],
    response: tokens,
  }));
  return scoreSequences(host.session, weights, kernels, sequences, host.files.padToken, signal);
}

/** Log-probs of the responses' tokens under theta on old's routes; null where there are no experts. */
export function scoreReplay(
  host: Speaker,
  pair: { old: ResidentWeights; theta: ResidentWeights },
  kernels: ScoringKernels,
  { prompts, responses }: Pick<SampledGroups, 'prompts' | 'responses'>,
  signal?: AbortSignal,
): Promise<FloatArray | null> {
  const sequences = responses.map(({ tokens }, i) => ({ prompt: prompts[i], response: tokens }));
  return scoreReplayed(host.session, pair, kernels, sequences, host.files.padToken, signal);
}

/** [n + 1] where each response's tokens begin. */
export function offsetsOf({ responses }: Pick<SampledGroups, 'responses'>): Uint32Array {
  const offsets = new Uint32Array(responses.length + 1);
  responses.forEach(({ tokens }, i) => {
    offsets[i + 1] = offsets[i] + tokens.length;
  });
  return offsets;
}

/**
 * The log-probs that the sampler drew by where top-p cut tokens off, and what it kept; null where it did not.
 * @param drawn what the policy that sampled says of the tokens, none cut off
 */
export function withKept(
  rollouts: Rollouts,
  { responses }: Pick<SampledGroups, 'responses'>,
  drawn: TokenStats,
): Rollouts | null {
  if (responses.some(({ logKept }) => !logKept)) return null;
  const values = Float32Array.from(responses.flatMap(({ logKept = [] }) => logKept));
  return {
    ...rollouts,
    logpSampler: Float64Array.from(drawn.logp, (x, t) => x - values[t]),
    tables: { ...rollouts.tables, [LOG_KEPT]: { width: 1, values } },
  };
}

export const rewardsOf = ({ verdicts }: Pick<SampledGroups, 'verdicts'>): Float64Array =>
  Float64Array.from(verdicts, ({ reward }) => reward);

/**
 * What every experiment reads.
 * @param old of the policy that sampled @param theta of the one compared
 * @param replayed log-probs under theta on old's routes
 */
export function rolloutsOf(
  host: Speaker,
  groups: Omit<SampledGroups, 'scored'>,
  {
    old,
    theta,
    replayed = null,
  }: { old: ScoredTokens; theta: ScoredTokens; replayed?: FloatArray | null },
  advantage: Float64Array,
): Rollouts {
  const { responses, group, texts } = groups;
  const tables = {
    ...named(old, 'old'),
    ...named(theta, 'new'),
    ...(replayed ? { [REPLAYED]: { width: 1, values: replayed } } : {}),
  };
  const { vocabulary, textsOf } = host.files.tokenizer;
  return {
    offsets: offsetsOf(groups),
    tokenIds: Int32Array.from(responses.flatMap(({ tokens }) => tokens)),
    ...columns(old, theta),
    group,
    reward: rewardsOf(groups),
    advantage,
    finished: Uint8Array.from(responses, ({ finished }) => (finished ? 1 : 0)),
    prompts: texts,
    ...(vocabulary ? { vocabulary } : {}),
    ...(textsOf ? { tokenTexts: responses.flatMap(({ tokens }) => textsOf(tokens)) } : {}),
    ...(Object.keys(tables).length > 0 ? { tables } : {}),
  };
}

const columns = (old: TokenStats, theta: TokenStats) => ({
  logpOld: old.logp,
  logpNew: theta.logp,
  entropyOld: old.entropy,
  entropyNew: theta.entropy,
  collisionOld: old.collision,
  collisionNew: theta.collision,
});

/** The graph's own outputs per token: `router.old` is what `router` was under pi_old. */
function named({ extras }: ScoredTokens, policy: 'old' | 'new'): Record<string, TokenTable> {
  return Object.fromEntries(
    Object.entries(extras).map(([name, table]) => [`${name}.${policy}`, table]),
  );
}
