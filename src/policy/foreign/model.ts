/**
 * A foreign model ready to work: its tokenizer, one session, and what running it has shown. Contract: it is run on the
 * backend that was asked for only where that agrees with WebAssembly; what is refused is a sentence; whoever opens one
 * disposes it.
 */
import { cpuKernels } from '../../math/cpu-kernels';
import { message } from '../../message';
import { FetchError, type FetchProgress } from '../fetch';
import { decode, GraphError } from '../graph/proto';
import type { Runtime } from '../runtime';
import type { ScoringKernels } from '../score';
import { PolicySession } from '../session';
import { readConfig, type ForeignConfig } from './config';
import { prepareGraph, type PreparedGraph } from './graph';
import { planMemory, type MemoryPlan } from './memory';
import { probe, probeRows, type Probed } from './probe';
import { unpackBlocks } from './unpack';
import type { ModelReport } from './report';
import { graphIn, type ModelFiles } from './repository';
import { ForeignTokenizer } from './tokenizer';

/**
 * Bytes that matrices of few bits may have as float32 on WebAssembly: smaller ones are decoded in a loop, larger ones leave no
 * room for two models.
 */
const UNPACKED = { least: 64e6, most: 1e9 };

/** Where the config says nothing. */
const USUAL_POSITIONS = 2048;

export interface Place {
  runtime: Runtime;
  kernels: ScoringKernels;
}

export interface OpenOptions {
  /** the GPU; null: none is wanted */
  gpu: Place | null;
  wasm(): Promise<Runtime>;
  /** a GPU that was asked for by name is refused with a sentence instead of being replaced */
  insist?: boolean;
  onProgress?: FetchProgress | undefined;
  signal?: AbortSignal | undefined;
  /** bytes that other models there have */
  beside?: number;
  /** bytes from which on matrices of few bits are unpacked for WebAssembly; tests have small ones */
  unpackFrom?: number;
}

export class ForeignModel {
  private constructor(
    readonly report: ModelReport,
    readonly tokenizer: ForeignTokenizer,
    readonly session: PolicySession,
    readonly kernels: ScoringKernels,
    /** the first is for samplers that know one */
    readonly ends: readonly [number, ...number[]],
    readonly padToken: number,
    readonly maxPositions: number,
  ) {}

  /** @throws FetchError, GraphError, or an Error with a sentence */
  static async open(files: ModelFiles, options: OpenOptions): Promise<ForeignModel> {
    const { gpu, onProgress, signal } = options;
    const say = (what: string) => {
      signal?.throwIfAborted();
      onProgress?.({ bytes: 0, total: null, what });
    };
    const config = readConfig(files.config, files.generationConfig);
    say('the tokenizer');
    const tokenizer = await ForeignTokenizer.open(
      files.tokenizer,
      files.tokenizerConfig,
      files.chatTemplate,
    );
    const maxPositions = config.maxPositions ?? tokenizer.maxLength ?? USUAL_POSITIONS;
    say('the graph');
    const { checkpoint = null } = files;
    let whole: Pick<ModelFiles, 'onnx' | 'external'> = files;
    if (checkpoint !== null) {
      const { withCheckpoint } = await import('./checkpoint');
      whole = withCheckpoint(files, checkpoint.bytes, checkpoint.path);
    }
    const graph = prepareGraph(whole, config);
    const { whyNotDifferentiable } = await import('../graph/expand/differentiable');
    const noGradient = whyNoGradient(() => whyNotDifferentiable(decode(whole.onnx)));
    const ends = endsOf(config, tokenizer, graph.vocabulary);
    const padToken = [config.pad, tokenizer.pad, ends[0]].find(
      (id) => id !== null && id < graph.vocabulary,
    ) as number;
    const rows = probeRows((text) => tokenizer.encode(text), graph.vocabulary, maxPositions);
    const job = { graph, rows, padToken, maxPositions, signal, beside: options.beside ?? 0 };

    say('WebAssembly');
    const wasmPlace = { runtime: await options.wasm(), kernels: cpuKernels };
    const unpack = () => unpackedOf(whole, config, job, options.unpackFrom ?? UNPACKED.least);
    const tryHere = (graph: PreparedGraph) =>
      tried(wasmPlace, { ...job, graph }, null, () => say('running it on WebAssembly'));
    // What a GPU is only compared with takes no more memory than it must.
    let unpacked = gpu ? null : unpack();
    const here = await tryHere(unpacked ?? graph);
    let chosen: Tried = here;
    let place: Place = wasmPlace;
    let refusedGpu: string | null = null;
    if (gpu) {
      // Both at once would take the memory of two.
      await here.session.dispose();
      let there: Tried | null = null;
      try {
        there = await tried(gpu, job, here.probed.alone, () => say('running it on the GPU'));
        refusedGpu = whyNotGpu(there);
      } catch (error) {
        signal?.throwIfAborted();
        refusedGpu = `The GPU does not run this graph: ${message(error)}`;
      }
      if (refusedGpu === null && there !== null) {
        chosen = there;
        place = gpu;
      } else {
        await there?.session.dispose();
        if (options.insist) {
          throw new FetchError(`${refusedGpu} Choose “automatic” or WebAssembly as the backend.`);
        }
        unpacked = unpack();
        chosen = unpacked
          ? await tryHere(unpacked)
          : { ...here, session: await sessionOf(wasmPlace, job, here) };
      }
    }
    chosen.session.rules = chosen.probed.rules;
    const { repository, dtype, sha256 } = files;
    const { positions } = chosen.plan;
    const report: ModelReport = {
      ref: repository.ref,
      dtype,
      revision: repository.revision,
      licence: repository.licence,
      card: repository.card,
      sha256,
      graph: graphIn(repository.graphs, repository.ref, dtype)?.file ?? '',
      bytes: (unpacked ?? graph).weightBytes,
      unpacked: unpacked !== null,
      memory: chosen.plan.bytes,
      vocabulary: graph.vocabulary,
      tokens: tokenizer.size,
      positions,
      maxPositions,
      ends: ends.map((id) => tokenizer.text(id)),
      chatTemplate: tokenizer.hasTemplate,
      caches: graph.ports.caches.length,
      types: graph.types,
      contributed: graph.contributed,
      noGradient,
      provider: place.runtime.provider,
      refusedGpu,
      probe: chosen.probed.probe,
    };
    return new ForeignModel(
      report,
      tokenizer,
      chosen.session,
      place.kernels,
      ends,
      padToken,
      positions,
    );
  }

  dispose(): Promise<void> {
    return this.session.dispose();
  }
}

/** The graph with its matrices of few bits unpacked, where that pays and there is room; null: it stays as it is. */
function unpackedOf(
  whole: Pick<ModelFiles, 'onnx' | 'external'>,
  config: ForeignConfig,
  { maxPositions, beside }: Pick<Job, 'maxPositions' | 'beside'>,
  least: number,
): PreparedGraph | null {
  const files = unpackBlocks(whole, { ...UNPACKED, least });
  if (files === null) return null;
  const graph = prepareGraph(files, config);
  try {
    planMemory(graph, 'wasm', maxPositions, null, beside);
    return graph;
  } catch (error) {
    if (error instanceof FetchError) return null;
    throw error;
  }
}

/** What cannot even be read for that can still be run. */
function whyNoGradient(ask: () => string | null): string | null {
  try {
    return ask();
  } catch (error) {
    if (error instanceof GraphError) return `No gradient can be taken: ${error.message}`;
    throw error;
  }
}

function endsOf(
  config: ForeignConfig,
  tokenizer: ForeignTokenizer,
  vocabulary: number,
): [number, ...number[]] {
  const named =
    config.ends.length > 0 ? config.ends : tokenizer.end === null ? [] : [tokenizer.end];
  const [first, ...others] = named.filter((id) => id < vocabulary);
  if (first !== undefined) return [first, ...others];
  throw new FetchError(
    named.length > 0
      ? `config.json: eos_token_id is ${named.join(', ')}, but the graph knows ${vocabulary} tokens.`
      : 'config.json, generation_config.json and tokenizer_config.json name no token that ends a text (eos_token_id).',
  );
}

interface Job {
  graph: PreparedGraph;
  rows: [number[], number[]];
  padToken: number;
  maxPositions: number;
  signal: AbortSignal | undefined;
  beside: number;
}

interface Tried {
  session: PolicySession;
  probed: Probed;
  plan: MemoryPlan;
  /** without the gathering of rows, which did not work */
  plain: boolean;
}

async function sessionOf(
  { runtime }: Place,
  { graph }: Job,
  { plan, plain }: Pick<Tried, 'plan' | 'plain'>,
): Promise<PolicySession> {
  let session: PolicySession;
  try {
    session = await PolicySession.createWhole(runtime, plain ? graph.plain() : graph);
  } catch (cause) {
    throw new GraphError(`onnxruntime does not take this graph: ${message(cause).slice(0, 400)}`, {
      cause,
    });
  }
  session.rules = { ...session.rules, logitBytes: plan.logitBytes, cacheBytes: plan.cacheBytes };
  return session;
}

/** The graph on one backend, and what it did there; with logits of chosen rows first, of all rows where that fails. */
async function tried(
  place: Place,
  job: Job,
  wasm: ArrayLike<number>[] | null,
  say: () => void,
): Promise<Tried> {
  const { graph, rows, padToken, maxPositions, signal, beside } = job;
  const { provider, device } = place.runtime;
  const plan = planMemory(graph, provider, maxPositions, device?.limits ?? null, beside);
  say();
  const attempt = async (plain: boolean): Promise<Tried> => {
    const session = await sessionOf(place, job, { plan, plain });
    try {
      const side = { session, kernels: place.kernels };
      const probed = await probe(side, rows, padToken, graph.arithmetic, wasm, signal);
      return { session, probed, plan, plain };
    } catch (error) {
      await session.dispose();
      throw error;
    }
  };
  if (graph.rows === null) return attempt(true);
  try {
    return await attempt(false);
  } catch {
    signal?.throwIfAborted();
    return attempt(true);
  }
}

function whyNotGpu({ probed: { probe: found, rules } }: Tried): string | null {
  const { wasm, margin, forms } = found;
  if (wasm && !wasm.agrees) {
    return (
      `The GPU’s log-probs differ from WebAssembly’s by up to ${wasm.logp.toPrecision(2)} nats, where this arithmetic ` +
      `explains ${margin}. It is not used for this model.`
    );
  }
  if (rules.cached) return null;
  const cached = forms.find(({ form }) => form === 'cached');
  const why =
    cached?.problem ?? (cached ? `off by ${cached.logp.toPrecision(2)} nats` : 'it has no cache');
  return `Decoding behind a cache does not work on the GPU with this graph (${why}), and without one it is too slow there.`;
}
