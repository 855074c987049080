/**
 * Ours against Transformers.js, in one page, on the same ONNX file, on the same provider:
 * scoring a policy pair, and sampling at batch 32. Contract: the two take turns, round by round, on the
 * same responses and prompts; what is told are tokens per second and the ratio pair by pair.
 */
import { AutoModelForCausalLM, AutoTokenizer, env, type Tensor } from '@huggingface/transformers';
import { SITE_ASSETS } from '../src/engine/assets';
import { openDevice } from '../src/gpu/device';
import { createGpuKernels } from '../src/gpu/kernels';
import { cpuKernels } from '../src/math/cpu-kernels';
import { fetchCatalogue, siteFiles } from '../src/policy/fetch';
import { PolicyHost } from '../src/policy/host';
import { loadRuntime, ORT_THREADS, type Provider, type Runtime } from '../src/policy/runtime';
import { sampleSequences } from '../src/policy/sample';
import { scoreSequences, type ScoredSequence, type ScoringKernels } from '../src/policy/score';
import { arithmetic } from '../src/tasks/arithmetic';
import { heldOutPrompts } from '../src/tasks/task';

const NAME = 'arithmetic-dense';

export interface PeerOptions {
  provider: Provider;
  rounds: number;
  batch: number;
  /** responses to each prompt of a run */
  group: number;
  maxLength: number;
  minOperators: number;
  maxOperators: number;
}

export interface Contest {
  what: string;
  tokens: number;
  /** tokens per second, one entry per round */
  ours: number[];
  theirs: number[];
}

interface Bench {
  host: PolicyHost;
  kernels: ScoringKernels;
  adapter: string;
}

async function openOurs({ provider }: PeerOptions): Promise<Bench> {
  let runtime: Runtime;
  let kernels: ScoringKernels = cpuKernels;
  let adapter = 'none';
  if (provider === 'webgpu') {
    const { device, name } = await openDevice();
    adapter = name;
    kernels = createGpuKernels(device);
    runtime = await loadRuntime(provider, { assets: SITE_ASSETS, device });
  } else {
    runtime = await loadRuntime(provider, { assets: SITE_ASSETS });
  }
  const files = siteFiles(new URL('/models/', location.href).href);
  const manifest = (await fetchCatalogue(files)).find(({ name }) => name === NAME);
  if (!manifest) throw new Error(`models/index.json does not list ${NAME}`);
  return { host: await PolicyHost.open(runtime, files, manifest), kernels, adapter };
}

async function openTheirs({ provider }: PeerOptions) {
  env.allowRemoteModels = false;
  env.allowLocalModels = true;
  env.localModelPath = '/models/';
  const { wasm } = env.backends.onnx;
  if (!wasm) throw new Error('Transformers.js has no onnxruntime here');
  wasm.wasmPaths = SITE_ASSETS.asyncify;
  wasm.numThreads = ORT_THREADS;
  const tokenizer = await AutoTokenizer.from_pretrained(NAME);
  const model = await AutoModelForCausalLM.from_pretrained(NAME, {
    dtype: 'fp32',
    device: provider,
  });
  return { tokenizer, model };
}

type Theirs = Awaited<ReturnType<typeof openTheirs>>;

/** Their forward pass, then log-softmax and gather in float64 on the CPU. */
async function scoreWithTheirs(
  { tokenizer, model }: Theirs,
  texts: readonly string[],
  promptLengths: readonly number[],
): Promise<number> {
  const inputs = tokenizer([...texts], { padding: true });
  const { logits } = (await model(inputs)) as { logits: Tensor };
  const spans = texts.map(({ length: end }, b) => ({ begin: promptLengths[b], end }));
  return logProbOf(logits, inputs.input_ids.data as BigInt64Array, spans);
}

/**
 * Log-probs of the responses of rows padded on the left, added up; consumes the logits.
 * @param spans tokens of each row, counted without its padding: response from `begin` up to `end`
 */
export function logProbOf(
  logits: Tensor,
  ids: BigInt64Array,
  spans: readonly { begin: number; end: number }[],
): number {
  const [batch, length, vocabulary] = logits.dims as [number, number, number];
  const data = logits.data as Float32Array;
  let sum = 0;
  for (let b = 0; b < batch; b++) {
    const { begin, end } = spans[b];
    const pad = length - end;
    for (let t = begin; t < end; t++) {
      const at = (b * length + pad + t - 1) * vocabulary;
      let most = -Infinity;
      for (let v = 0; v < vocabulary; v++) most = Math.max(most, data[at + v]);
      let total = 0;
      for (let v = 0; v < vocabulary; v++) total += Math.exp(data[at + v] - most);
      const target = Number(ids[b * length + pad + t]);
      sum += data[at + target] - most - Math.log(total);
    }
  }
  logits.dispose();
  return sum;
}

async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1000;
}

/** One after the other, round by round. */
export async function contest(
  what: string,
  rounds: number,
  tokens: number,
  ours: (round: number) => Promise<number>,
  theirs: (round: number) => Promise<number>,
): Promise<Contest> {
  const result: Contest = { what, tokens, ours: [], theirs: [] };
  // Round -1 warms both up: compiling shaders and allocating is not what is measured.
  for (let round = -1; round < rounds; round++) {
    let ourTokens = 0;
    const ourSeconds = await secondsOf(async () => (ourTokens = await ours(round)));
    let theirTokens = 0;
    const theirSeconds = await secondsOf(async () => (theirTokens = await theirs(round)));
    if (round < 0) continue;
    result.ours.push(ourTokens / ourSeconds);
    result.theirs.push(theirTokens / theirSeconds);
  }
  return result;
}

export async function benchPeers(
  options: PeerOptions,
): Promise<{ adapter: string; contests: Contest[] }> {
  const { host, kernels, adapter } = await openOurs(options);
  const theirs = await openTheirs(options);
  const { tokenizer, endToken, padToken, maxPositions } = host.files;
  const { old, new: next } = host.manifest.defaultPair;
  const pair = await host.pair(old, next, 1);
  const texts = heldOutPrompts(arithmetic, 5, options, options.batch);
  const prompts = texts.map((text) => tokenizer.encode(text));
  const longest = Math.max(...prompts.map(({ length }) => length));
  const maxLength = Math.min(options.maxLength, maxPositions - longest);
  const sample = async (seed: number, asked = prompts) => {
    const { sequences } = await sampleSequences(host.session, pair.old, {
      prompts: asked,
      firstSequence: 0,
      temperature: 1,
      maxLength,
      maxPositions,
      seed,
      endToken,
      padToken,
    });
    return sequences;
  };

  const responses = await sample(1);
  const sequences: ScoredSequence[] = responses.map(({ tokens }, i) => ({
    prompt: prompts[i],
    response: tokens,
  }));
  const tokens = responses.reduce((sum, r) => sum + r.tokens.length, 0);
  const full = responses.map((r, i) => `${texts[i]}${tokenizer.decode(r.tokens)}`);
  const scoring = await contest(
    'scoring a policy pair',
    options.rounds,
    tokens,
    async () => {
      await scoreSequences(host.session, pair.old, kernels, sequences, padToken);
      await scoreSequences(host.session, pair.theta, kernels, sequences, padToken);
      return tokens;
    },
    async () => {
      // One session holds one set of weights there; the second pass stands for the second policy.
      const lengths = prompts.map(({ length }) => length);
      await scoreWithTheirs(theirs, full, lengths);
      await scoreWithTheirs(theirs, full, lengths);
      return tokens;
    },
  );

  const theySample = async () => {
    const inputs = theirs.tokenizer(texts, { padding: true });
    const width = inputs.input_ids.dims[1];
    const generated = (await theirs.model.generate({
      ...inputs,
      do_sample: true,
      temperature: 1,
      top_k: 0,
      max_new_tokens: maxLength,
    })) as Tensor;
    let count = 0;
    for (const row of generated.tolist() as bigint[][]) {
      const response = row.slice(width).map(Number);
      const end = response.indexOf(endToken);
      count += end < 0 ? response.length : end + 1;
    }
    return count;
  };
  const tokensOf = (sampled: readonly { tokens: number[] }[]) =>
    sampled.reduce((sum, r) => sum + r.tokens.length, 0);
  const once = await contest(
    `sampling ${options.batch} responses`,
    options.rounds,
    tokens,
    async (round) => tokensOf(await sample(100 + round)),
    theySample,
  );
  // As a run does: rows that have ended take the next prompts. Their batch waits for its longest response.
  const { group } = options;
  const grouped = prompts.flatMap((prompt) => Array<number[]>(group).fill(prompt));
  const run = await contest(
    `sampling ${group * options.batch} responses, ${group} to each prompt; theirs in batches of ${options.batch}`,
    options.rounds,
    group * tokens,
    async (round) => tokensOf(await sample(200 + round, grouped)),
    async () => {
      let count = 0;
      for (let i = 0; i < group; i++) count += await theySample();
      return count;
    },
  );
  return { adapter, contests: [scoring, once, run] };
}
