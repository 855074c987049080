/**
 * Where training happens: backend, session and differentiable graph of one policy. Contract: one room at
 * a time, kept while policy and backend stay the same; another choice, a failure, or the loss of the GPU
 * closes it, so that trying again tries again.
 */
import type { Stamp } from '../../export/stamp';
import type { TrainingSettings } from '../../settings/training';
import { fetchCatalogue, findPolicy, type FileSource } from '../../policy/fetch';
import { PolicyHost } from '../../policy/host';
import type { OrtAssets } from '../../policy/runtime';
import { startJax } from '../../training/jax';
import { differentiable } from '../../training/policy';
import type { TrainingContext } from '../../training/racer';
import { openBackend, type Backend } from '../backend';
import { factsOf, raceHashes } from '../stamp';

export interface Room {
  backend: Backend;
  context: TrainingContext;
}

export class TrainingRooms {
  private opened: { key: string; room: Promise<Room> } | undefined;

  constructor(
    private readonly assets: OrtAssets,
    private readonly files: FileSource,
  ) {}

  open(settings: TrainingSettings): Promise<Room> {
    const key = `${settings.backend} ${settings.policy}`;
    if (this.opened?.key === key) return this.opened.room;
    const before = this.opened?.room;
    const room = (async () => {
      await close(before);
      return this.build(settings);
    })();
    const opened = { key, room };
    this.opened = opened;
    const forget = () => {
      if (this.opened === opened) this.opened = undefined;
    };
    room.then(({ backend }) => void backend.lost.then(forget), forget);
    return room;
  }

  async dispose(): Promise<void> {
    const { opened } = this;
    this.opened = undefined;
    await close(opened?.room);
  }

  private async build({ backend: choice, policy: name }: TrainingSettings): Promise<Room> {
    const backend = await openBackend(choice, this.assets);
    const device = backend.info.policy;
    await startJax(device);
    const manifest = findPolicy(await fetchCatalogue(this.files), name);
    const host = await PolicyHost.open(await backend.runtime(), this.files, manifest);
    const policy = differentiable(host.files);
    return { backend, context: { host, kernels: backend.kernels, policy } };
  }
}

async function close(room: Promise<Room> | undefined): Promise<void> {
  const open = await room?.catch(() => undefined);
  if (!open) return;
  open.context.policy.dispose();
  await open.context.host.dispose();
  open.backend.dispose();
}

/** Who made a step's rollouts: the start and the graph; pi_old and pi_theta themselves have no file. */
export function trainingStamp(
  app: string,
  settings: TrainingSettings,
  { context, backend }: Room,
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
