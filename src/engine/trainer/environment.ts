/**
 * Where training happens: backend, session and differentiable graph of one policy. Contract: one environment at
 * a time, kept while policy and backend stay the same; another choice, a failure, or the loss of the GPU
 * closes it, so that trying again tries again.
 */
import type { Stamp } from '../../export/stamp';
import type { TrainingSettings } from '../../settings/training';
import { fetchCatalogue, findPolicy, type FileSource } from '../../policy/fetch';
import { PolicyHost } from '../../policy/host';
import type { OrtAssets } from '../../policy/runtime';
import { startJax } from '../../training/jax';
import { differentiable, replaying, type DifferentiablePolicy } from '../../training/policy';
import type { TrainingContext } from '../../training/racer';
import { openBackend, type Backend } from '../backend';
import { factsOf, raceHashes } from '../stamp';

export interface Environment {
  backend: Backend;
  context: TrainingContext;
  /** of the differentiable graphs */
  dispose(): void;
}

export class Environments {
  private opened: { key: string; environment: Promise<Environment> } | undefined;

  constructor(
    private readonly assets: OrtAssets,
    private readonly files: FileSource,
  ) {}

  open(settings: TrainingSettings): Promise<Environment> {
    const key = `${settings.backend} ${settings.policy}`;
    if (this.opened?.key === key) return this.opened.environment;
    const before = this.opened?.environment;
    const environment = (async () => {
      await close(before);
      return this.build(settings);
    })();
    const opened = { key, environment };
    this.opened = opened;
    const forget = () => {
      if (this.opened === opened) this.opened = undefined;
    };
    environment.then(({ backend }) => void backend.lost.then(forget), forget);
    return environment;
  }

  async dispose(): Promise<void> {
    const { opened } = this;
    this.opened = undefined;
    await close(opened?.environment);
  }

  private async build({ backend: choice, policy: name }: TrainingSettings): Promise<Environment> {
    const manifest = findPolicy(await fetchCatalogue(this.files), name);
    const open = async (on: Backend) => PolicyHost.open(await on.runtime(), this.files, manifest);
    let backend = await openBackend(choice, this.assets);
    let host = await open(backend);
    const chosen = await backend.prove(host);
    if (chosen !== backend) {
      await host.dispose();
      backend.dispose();
      backend = chosen;
      host = await open(backend);
    }
    await startJax(backend.info.policy);
    const policy = differentiable(host.files);
    let replayed: DifferentiablePolicy | null | undefined;
    return {
      backend,
      context: {
        host,
        kernels: backend.kernels,
        policy,
        replaying: () => (replayed ??= replaying(host.files)),
      },
      dispose: () => {
        policy.dispose();
        replayed?.dispose();
      },
    };
  }
}

async function close(environment: Promise<Environment> | undefined): Promise<void> {
  const open = await environment?.catch(() => undefined);
  if (!open) return;
  open.dispose();
  await open.context.host.dispose();
  open.backend.dispose();
}

/** Who made a step's rollouts: the start and the graph; pi_old and pi_theta themselves have no file. */
export function trainingStamp(
  app: string,
  settings: TrainingSettings,
  { context, backend }: Environment,
  link: string | null,
): Omit<Stamp, 'source'> {
  return {
    app,
    exportedAt: new Date().toISOString(),
    link,
    seed: settings.seed,
    settings: null,
    policies: raceHashes(settings, [context.host.manifest]),
    backend: factsOf(backend.info),
  };
}
