/**
 * A foreign model through the lab's engine against Transformers.js, in one page, on the same files, on the same
 * provider: scoring responses (forward and log-softmax there) and sampling (`generate`). Contract: the two take turns
 * on the same random ids; tokens per second of responses.
 */
import { AutoModelForCausalLM, env, Tensor } from '@huggingface/transformers';
import { SITE_ASSETS } from '../src/engine/assets';
import { openDevice } from '../src/gpu/device';
import { createGpuKernels } from '../src/gpu/kernels';
import { Random, STREAM } from '../src/math/philox';
import { ForeignModel } from '../src/policy/foreign/model';
import type { ModelFiles } from '../src/policy/foreign/repository';
import { loadRuntime, ORT_THREADS, type Provider } from '../src/policy/runtime';
import { sampleSequences } from '../src/policy/sample';
import { scoreSequences, type ScoredSequence } from '../src/policy/score';
import { contest, logProbOf, type Contest } from './peers';

export interface ForeignOptions {
  provider: Provider;
  rounds: number;
  /** of the model, below `.cache/bench-models/` */
  name: string;
  /** rows */
  batch: number;
  /** tokens of each */
  prompt: number;
  response: number;
}

const MODELS = '/.cache/bench-models/';
const GRAPH = 'onnx/model_q4.onnx';

async function filesOf(name: string): Promise<ModelFiles> {
  const get = async (path: string) => {
    const answer = await fetch(`${MODELS}${name}/${path}`);
    if (!answer.ok) throw new Error(`${path}: HTTP status ${answer.status}`);
    return answer;
  };
  const json = async (path: string) => (await get(path)).json() as Promise<unknown>;
  const onnx = new Uint8Array(await (await get(GRAPH)).arrayBuffer());
  return {
    repository: {
      ref: `folder:${name}`,
      revision: null,
      files: [{ path: GRAPH, bytes: onnx.length, sha256: null }],
      graphs: [{ dtype: 'q4', file: GRAPH, external: [], bytes: onnx.length }],
      licence: null,
      card: null,
    },
    dtype: 'q4',
    config: await json('config.json'),
    tokenizer: await json('tokenizer.json'),
    tokenizerConfig: await json('tokenizer_config.json'),
    generationConfig: await json('generation_config.json'),
    chatTemplate: null,
    onnx,
    external: new Map(),
    sha256: {},
  };
}

async function openOurs({ provider, name }: ForeignOptions): Promise<ForeignModel> {
  const wasm = () => loadRuntime('wasm', { assets: SITE_ASSETS });
  const files = await filesOf(name);
  if (provider === 'wasm') return ForeignModel.open(files, { gpu: null, wasm });
  const { device } = await openDevice();
  const runtime = await loadRuntime(provider, { assets: SITE_ASSETS, device });
  const gpu = { runtime, kernels: createGpuKernels(device) };
  return ForeignModel.open(files, { gpu, wasm, insist: true });
}

async function openTheirs({ provider, name }: ForeignOptions) {
  env.allowRemoteModels = false;
  env.allowLocalModels = true;
  env.localModelPath = MODELS;
  const { wasm } = env.backends.onnx;
  if (!wasm) throw new Error('Transformers.js has no onnxruntime here');
  wasm.wasmPaths = SITE_ASSETS.asyncify;
  wasm.numThreads = ORT_THREADS;
  return AutoModelForCausalLM.from_pretrained(name, { dtype: 'q4', device: provider });
}

export async function benchForeign(options: ForeignOptions): Promise<Contest[]> {
  const { rounds, batch, prompt, response } = options;
  const ours = await openOurs(options);
  const theirs = await openTheirs(options);
  const { session, kernels, padToken, maxPositions } = ours;
  const random = new Random(1, STREAM.synthetic);
  const draw = (length: number) =>
    Array.from({ length }, () => 1 + random.integer(ours.report.vocabulary - 1));
  const sequences: ScoredSequence[] = Array.from({ length: batch }, () => ({
    prompt: draw(prompt),
    response: draw(response),
  }));
  const ids = (rows: readonly (readonly number[])[]) =>
    new Tensor('int64', BigInt64Array.from(rows.flat(), BigInt), [rows.length, rows[0].length]);
  const inputsOf = (rows: readonly (readonly number[])[]) => ({
    input_ids: ids(rows),
    attention_mask: ids(rows.map((row) => row.map(() => 1))),
  });
  const whole = sequences.map((one) => [...one.prompt, ...one.response]);
  const prompts = sequences.map((one) => one.prompt);
  const tokens = batch * response;
  const nothing = { feeds: {}, dispose: () => undefined };

  const scoring = await contest(
    'scoring responses',
    rounds,
    tokens,
    async () => {
      await scoreSequences(session, nothing, kernels, sequences, padToken);
      return tokens;
    },
    async () => {
      const inputs = inputsOf(whole);
      const { logits } = (await theirs(inputs)) as { logits: Tensor };
      const spans = whole.map(({ length: end }) => ({ begin: prompt, end }));
      logProbOf(logits, inputs.input_ids.data as BigInt64Array, spans);
      return tokens;
    },
  );
  // No token ends a response, so that both sample as many.
  const never = -1;
  const sampling = await contest(
    `sampling at batch ${batch}`,
    rounds,
    tokens,
    async (round) => {
      const { sequences: sampled } = await sampleSequences(session, nothing, {
        prompts,
        firstSequence: 0,
        temperature: 1,
        maxLength: response,
        maxPositions,
        seed: round + 2,
        endToken: never,
        padToken,
      });
      return sampled.reduce((sum, one) => sum + one.tokens.length, 0);
    },
    async () => {
      const generated = (await theirs.generate({
        ...inputsOf(prompts),
        do_sample: true,
        temperature: 1,
        top_k: 0,
        min_new_tokens: response,
        max_new_tokens: response,
      } as never)) as unknown as Tensor;
      return batch * (generated.dims[1] - prompt);
    },
  );
  return [scoring, sampling];
}
