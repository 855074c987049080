/**
 * A thread's worth of sampling and scoring on WebAssembly: makes the batches that it is asked for, in the order of
 * the calls, with the policy's files from the engine. Contract: a batch is what `policiesSource` gives for it; a
 * call that is cancelled leaves what was begun of it, and may be made again.
 */
import { cpuKernels } from '../../math/cpu-kernels';
import { FetchError, type FetchProgress, type FileSource } from '../../policy/fetch';
import { PolicyHost } from '../../policy/host';
import type { PolicyManifest } from '../../policy/manifest';
import { compiled, loadRuntime, type OrtAssets, type Runtime } from '../../policy/runtime';
import { policiesSource, type PoliciesRolloutSource } from '../../rollouts/policies';
import { Answers } from '../rpc/channel';
import type { BatchAsk, FileOrder, SamplerCalls, SamplerMessage, SamplerRequest } from './protocol';

export interface SamplerOptions {
  assets: OrtAssets;
  emit(message: SamplerMessage): void;
}

interface AwaitedFile {
  resolve(bytes: Uint8Array<ArrayBuffer>): void;
  reject(error: Error): void;
}

const keyOf = ({ source, cut }: BatchAsk) => JSON.stringify([source, cut]);

export class Sampler {
  private readonly answers: Answers<SamplerCalls>;
  private readonly wanted = new Map<string, AwaitedFile[]>();
  private runtime: Promise<Runtime> | undefined;
  private host: { name: string; opening: Promise<PolicyHost> } | undefined;
  private source: { key: string; batches: PoliciesRolloutSource } | undefined;
  /** indices that were asked for and are not answered, in the order of the calls */
  private readonly asked: number[] = [];
  /** one batch after the other */
  private turn: Promise<unknown> = Promise.resolve();

  constructor(private readonly options: SamplerOptions) {
    this.answers = new Answers(options.emit);
  }

  async handle(request: SamplerRequest): Promise<void> {
    switch (request.type) {
      case 'cancel':
        return this.answers.cancel(request.requestId);
      case 'file':
        return this.receive(request);
      case 'hello':
        return this.answers.give(request, () => {
          this.start();
          return null;
        });
      case 'batch':
        return this.answers.give(request, (signal) => this.batch(request, signal));
      default:
        return request satisfies never;
    }
  }

  async dispose(): Promise<void> {
    await (await this.host?.opening.catch(() => undefined))?.dispose();
  }

  private async batch(ask: BatchAsk, signal: AbortSignal): Promise<SamplerCalls['batch']['reply']> {
    const { index } = ask;
    const before = this.turn;
    this.asked.push(index);
    if (this.source?.key === keyOf(ask)) this.source.batches.announce(this.asked);
    const made = (async () => {
      await before.catch(() => undefined);
      try {
        signal.throwIfAborted();
        const source = this.sourceOf(ask);
        source.announce(this.asked);
        const rollouts = await source.batch(index, {
          signal,
          onPhase: (phase) => {
            if (phase !== 'loading') this.options.emit({ type: 'phase', index, phase });
          },
          onLoad: (loaded) => this.options.emit({ type: 'loading', loaded }),
        });
        return { rollouts };
      } finally {
        this.asked.splice(this.asked.indexOf(index), 1);
      }
    })();
    this.turn = made;
    return made;
  }

  private sourceOf(ask: BatchAsk): PoliciesRolloutSource {
    const { manifest, source, cut } = ask;
    const key = keyOf(ask);
    if (this.source?.key !== key) {
      const batches = policiesSource(source, {
        cut,
        open: async () => ({ host: await this.open(manifest), kernels: cpuKernels }),
      });
      this.source = { key, batches };
    }
    return this.source.batches;
  }

  /** onnxruntime is fetched and compiled before anybody knows for which policy. */
  private start(): Promise<Runtime> {
    this.runtime ??= loadRuntime('wasm', { assets: this.options.assets }).then(compiled);
    // What failed is tried again by the next call, and told there.
    this.runtime.catch(() => (this.runtime = undefined));
    return this.runtime;
  }

  private async open(manifest: PolicyManifest): Promise<PolicyHost> {
    const { name } = manifest;
    if (this.host?.name !== name) {
      const before = this.host?.opening;
      const opening = this.start().then((runtime) => {
        // Files report as they come to the engine; here it is what is done with them.
        const say: FetchProgress = (loaded) => this.options.emit({ type: 'loading', loaded });
        return PolicyHost.open(runtime, this.files, manifest, say);
      });
      this.host = { name, opening };
      // What failed is tried again by the next call.
      opening.catch(() => (this.host = undefined));
      void before?.then((host) => host.dispose()).catch(() => undefined);
    }
    const host = await this.host.opening;
    host.relist(manifest);
    return host;
  }

  private readonly files: FileSource = (path) =>
    new Promise((resolve, reject) => {
      const waiting = this.wanted.get(path) ?? [];
      this.wanted.set(path, [...waiting, { resolve, reject }]);
      if (waiting.length === 0) this.options.emit({ type: 'want', path });
    });

  private receive(file: FileOrder): void {
    const waiting = this.wanted.get(file.path) ?? [];
    this.wanted.delete(file.path);
    for (const { resolve, reject } of waiting) {
      if ('bytes' in file) resolve(file.bytes);
      else reject(new FetchError(file.message));
    }
  }
}
