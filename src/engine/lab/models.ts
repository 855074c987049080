/**
 * Models of other people's: what an engine answers about them, and those that are open. Contract: nothing is fetched but by
 * `model-get`, which a person's button sends; everything else works on what is here, and says what is missing. Opened
 * models belong to one backend and are closed with it.
 */
import { FetchError } from '../../policy/fetch';
import type { ForeignModel, Place } from '../../policy/foreign/model';
import type { ModelReport } from '../../policy/foreign/report';
import {
  partsOf,
  type Dtype,
  type ModelRef,
  type ModelStore,
} from '../../policy/foreign/repository';
import { loadRuntime, type OrtAssets, type Runtime } from '../../policy/runtime';
import type { Stamp } from '../../export/stamp';
import type { ModelsSource } from '../../settings/run';
import type { Backend } from '../backend';
import { join } from '../shared-work';
import { modelHashes } from '../stamp';
import type { PolicyFiles } from './fingerprint';
import type { LoadHooks } from './policies';
import type { Asked, LabCalls, ModelEvent } from './protocol';

export type ModelRequest = Asked<
  | 'model-list'
  | 'model-folder'
  | 'model-checkpoint'
  | 'model-get'
  | 'model-open'
  | 'models-kept'
  | 'model-forget'
>;

type ModelReply = LabCalls[ModelRequest['type']]['reply'];

export interface ModelPair {
  old: ForeignModel;
  theta: ForeignModel;
}

type Which = { ref: ModelRef; dtype: Dtype };

/** @property insist a GPU was asked for by name: it is not replaced in silence */
interface ModelHooks extends LoadHooks {
  insist: boolean;
}

interface Opened {
  model: Promise<ForeignModel>;
  /** of whoever opened it */
  signal: AbortSignal | undefined;
  /** false: WebAssembly was asked for */
  gpu: boolean;
}

/** As many as a comparison needs: others are closed before another is opened. */
const MOST_OPEN = 2;

/** Bytes of weights from which on a step of many rows takes seconds on WebAssembly, and how many rows it then has. */
const LARGE = 20e6;
const FEW = 8;
const USUAL = 32;

const keyOf = ({ ref, dtype }: Which) => `${dtype} ${ref}`;

export class ForeignModels {
  private readonly opened = new Map<string, Opened>();
  /** of files that have been replaced; a run may still be in the middle of a batch with them */
  private outdated: Opened[] = [];
  private wasm: Promise<Runtime> | undefined;

  constructor(
    private readonly store: ModelStore | undefined,
    private readonly assets: OrtAssets,
    private readonly emit: (event: ModelEvent) => void,
  ) {}

  /** @param backend opened when it is needed */
  async answer(
    request: ModelRequest,
    backend: (choice: Asked<'model-open'>['backend']) => Promise<Backend>,
    signal: AbortSignal,
  ): Promise<ModelReply> {
    const store = this.require();
    switch (request.type) {
      case 'model-list':
        return store.list(request.text, signal);
      case 'model-folder': {
        const listed = await store.open(request.name, request.files);
        // Under the same name there may be other files now.
        this.outdate(listed.repository.ref);
        return listed;
      }
      case 'model-checkpoint': {
        const added = await store.addCheckpoint(request.ref, request.file);
        this.outdate(request.ref);
        return added;
      }
      case 'model-get': {
        const { ref, dtype, expected, accept } = request;
        const onProgress = (loaded: ModelEvent['loaded']) =>
          this.emit({ type: 'model-progress', ref, dtype, loaded });
        const listed = await store.get(ref, dtype, { expected, accept, onProgress, signal });
        if (accept === true) this.outdate(listed.repository.ref);
        return listed;
      }
      case 'model-open': {
        const { ref, dtype } = request;
        const onLoad = (loaded: ModelEvent['loaded']) =>
          this.emit({ type: 'model-progress', ref, dtype, loaded });
        const model = await this.open(await backend(request.backend), request, {
          onLoad,
          signal,
          insist: request.backend === 'webgpu',
        });
        return model.report;
      }
      case 'models-kept':
        return store.kept();
      case 'model-forget': {
        const { ref } = request;
        await (ref === null ? store.clear() : store.forget(ref));
        return store.kept();
      }
      default:
        return request satisfies never;
    }
  }

  /** Both on one backend: where one of them cannot be on the GPU, the other is not there either. */
  async pair(backend: Backend, source: ModelsSource, hooks: ModelHooks): Promise<ModelPair> {
    const which = {
      old: { ref: source.old, dtype: source.oldDtype },
      theta: { ref: source.new, dtype: source.newDtype },
    };
    const keep = new Set([keyOf(which.old), keyOf(which.theta)]);
    const gpu = backend.info.policy === 'webgpu';
    const old = await this.open(backend, which.old, hooks, gpu, keep);
    const onGpu = old.report.provider === 'webgpu';
    const theta = await this.open(backend, which.theta, hooks, onGpu, keep);
    if (!onGpu || theta.report.provider === 'webgpu') return { old, theta };
    const why = theta.report.refusedGpu;
    const beside = await this.open(backend, which.old, hooks, false, keep, why);
    return { old: beside, theta };
  }

  /** Responses in one batch of a run: fewer where a step takes its time, so that a page sees something of them. */
  async sequencesPerBatch({ old, oldDtype }: ModelsSource): Promise<number> {
    const report = (await this.opened.get(keyOf({ ref: old, dtype: oldDtype }))?.model)?.report;
    return report?.provider === 'wasm' && report.bytes > LARGE ? FEW : USUAL;
  }

  /** SHA-256 of the files of what is open, for stamps and kept runs. */
  async hashes({ old, oldDtype, new: theta, newDtype }: ModelsSource): Promise<Stamp['policies']> {
    const models = await Promise.all([
      this.opened.get(keyOf({ ref: old, dtype: oldDtype }))?.model,
      this.opened.get(keyOf({ ref: theta, dtype: newDtype }))?.model,
    ]);
    return modelHashes(models.flatMap((model) => model?.report ?? []));
  }

  /** Why a run that was kept cannot go on; null: its models are here. */
  async missing({ old, oldDtype, new: theta, newDtype }: ModelsSource): Promise<string | null> {
    const here =
      this.store !== undefined &&
      (await this.store.has(old, oldDtype)) &&
      (await this.store.has(theta, newDtype));
    return here ? null : `Its models (${old}, ${theta}) are not here. Load them first.`;
  }

  /** What a fingerprint says of the files; null where they are not open. */
  async files(source: ModelsSource): Promise<PolicyFiles | null> {
    const reportOf = async (which: Which) => (await this.opened.get(keyOf(which))?.model)?.report;
    const old = await reportOf({ ref: source.old, dtype: source.oldDtype });
    const theta = await reportOf({ ref: source.new, dtype: source.newDtype });
    if (old === undefined || theta === undefined) return null;
    const weightsOf = ({ ref, sha256, graph }: ModelReport) =>
      sha256[partsOf(ref).checkpoint ?? graph];
    const graph = old.sha256[old.graph];
    const [before, other] = [weightsOf(old), weightsOf(theta)];
    const config = old.sha256['config.json'];
    const tokenizer = old.sha256['tokenizer.json'];
    const all = graph !== undefined && before !== undefined && other !== undefined;
    if (!all || config === undefined || tokenizer === undefined) return null;
    return { onnx: graph, old: before, new: other, config, tokenizer };
  }

  /** Forgets what is open, without touching a GPU that is gone. */
  forget(): void {
    this.outdated = [];
    this.opened.clear();
  }

  async close(): Promise<void> {
    const all = [...this.opened.keys()];
    for (const key of all) await this.shut(key);
  }

  private async open(
    backend: Backend,
    which: Which,
    hooks: ModelHooks,
    gpu = backend.info.policy === 'webgpu',
    keep: ReadonlySet<string> = new Set([keyOf(which)]),
    /** why the GPU is not wanted, where it was */
    refused: string | null = null,
  ): Promise<ForeignModel> {
    const { onLoad, signal, insist } = hooks;
    const key = keyOf(which);
    // Between two batches nobody works with them.
    for (const { model } of this.outdated.splice(0)) {
      await model.then((one) => one.dispose()).catch(() => undefined);
    }
    const known = this.opened.get(key);
    if (known) {
      const work = { result: known.model, signal: known.signal };
      const again = () => this.open(backend, which, hooks, gpu, keep, refused);
      const model = await join(work, signal, again);
      const fits = gpu ? known.gpu : model.report.provider === 'wasm';
      if (fits) return model;
      await this.shut(key);
    }
    for (const other of [...this.opened.keys()]) {
      if (this.opened.size < MOST_OPEN) break;
      if (!keep.has(other)) await this.shut(other);
    }
    const { read } = this.require();
    const opening = (async () => {
      const files = await read(which.ref, which.dtype, onLoad, signal);
      let beside = 0;
      for (const [name, other] of this.opened) {
        if (name !== key) beside += (await other.model).report.bytes;
      }
      const place: Place | null = gpu
        ? { runtime: await backend.runtime(), kernels: backend.kernels }
        : null;
      // Nobody waits for what opens such models before there is one.
      const { ForeignModel } = await import('../../policy/foreign/model');
      const model = await ForeignModel.open(files, {
        gpu: place,
        wasm: () => this.wasmRuntime(backend),
        insist,
        onProgress: onLoad,
        signal,
        beside,
      });
      if (refused !== null) model.report.refusedGpu = `The other model is not there. ${refused}`;
      return model;
    })();
    const entry = { model: opening, signal, gpu };
    this.opened.set(key, entry);
    opening.catch(() => this.opened.get(key) === entry && this.opened.delete(key));
    return opening;
  }

  private outdate(repository: ModelRef): void {
    for (const [key, known] of this.opened) {
      if (partsOf(key.slice(key.indexOf(' ') + 1)).repository !== repository) continue;
      this.opened.delete(key);
      this.outdated.push(known);
    }
  }

  private async shut(key: string): Promise<void> {
    const known = this.opened.get(key);
    this.opened.delete(key);
    await known?.model.then((model) => model.dispose()).catch(() => undefined);
  }

  private wasmRuntime(backend: Backend): Promise<Runtime> {
    if (backend.info.policy === 'wasm') return backend.runtime();
    this.wasm ??= loadRuntime('wasm', { assets: this.assets });
    this.wasm.catch(() => (this.wasm = undefined));
    return this.wasm;
  }

  private require(): ModelStore {
    if (this.store) return this.store;
    throw new FetchError('This lab has no place for models of your own.');
  }
}
