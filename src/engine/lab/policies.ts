/**
 * The policies that an engine knows: what the site ships, the person's own checkpoints beside it, and those
 * that are open for work. Contract: what failed to be fetched or opened is not remembered, so that trying
 * again tries again; opened policies belong to one backend and are closed with it.
 */
import type { Claim } from '../../experiments/experiment';
import { seriesClaims } from '../../experiments/race';
import { fetchCatalogue, findPolicy, type FileSource } from '../../policy/fetch';
import { PolicyHost } from '../../policy/host';
import type { PolicyManifest } from '../../policy/manifest';
import { OwnCheckpoints } from '../../policy/own';
import type { SourceHooks } from '../../rollouts/rollouts';
import type { Backend } from '../backend';
import { join, type SharedWork } from '../shared-work';
import { fetchSeries, shippedSeries } from '../../training/series';

export type LoadHooks = Pick<SourceHooks, 'onLoad' | 'signal'>;

export class Policies {
  private readonly own: OwnCheckpoints;
  private readonly hosts = new Map<string, SharedWork<PolicyHost>>();
  private catalogue: Promise<PolicyManifest[]> | undefined;

  constructor(private readonly files: FileSource) {
    this.own = new OwnCheckpoints(files);
  }

  /** A policy's files, a person's own checkpoints among them. */
  get source(): FileSource {
    return this.own.source;
  }

  /** @throws FetchError where the site does not say what it ships */
  async list(): Promise<PolicyManifest[]> {
    const catalogue = (this.catalogue ??= fetchCatalogue(this.files));
    catalogue.catch(() => (this.catalogue = undefined));
    return this.own.extend(await catalogue);
  }

  /** The same; nothing where that cannot be known, as without a network. */
  known(): Promise<PolicyManifest[]> {
    return this.list().catch(() => []);
  }

  /** @returns the checkpoint's id, and the policies with it among them */
  async adopt(
    policy: string,
    name: string,
    file: Blob,
  ): Promise<{ id: string; policies: PolicyManifest[] }> {
    const { id } = await this.own.add(findPolicy(await this.list(), policy), name, file);
    const policies = await this.list();
    (await this.hosts.get(policy)?.result)?.relist(findPolicy(policies, policy));
    return { id, policies };
  }

  /** Claims on the races that ship with a policy, from their recorded curves. */
  async seriesClaims(policy: string): Promise<Claim[]> {
    const manifest = findPolicy(await this.list(), policy);
    const curves = await Promise.all(
      (manifest.races ?? []).map(({ file }) => fetchSeries(this.files, policy, file)),
    );
    return seriesClaims(shippedSeries(manifest, curves));
  }

  open(backend: Backend, name: string, hooks: LoadHooks): Promise<PolicyHost> {
    const known = this.hosts.get(name);
    if (known) return join(known, hooks.signal, () => this.open(backend, name, hooks));
    const opening = (async () => {
      const manifest = findPolicy(await this.list(), name);
      hooks.onLoad({ bytes: 0, total: null, what: 'onnxruntime' });
      const runtime = await backend.runtime();
      return PolicyHost.open(runtime, this.own.source, manifest, hooks.onLoad, hooks.signal);
    })();
    const work = { result: opening, signal: hooks.signal };
    this.hosts.set(name, work);
    opening.catch(() => this.hosts.get(name) === work && this.hosts.delete(name));
    return opening;
  }

  /** Forgets what is open, without touching a GPU that is gone. */
  forget(): void {
    this.hosts.clear();
  }

  async close(): Promise<void> {
    const hosts = [...this.hosts.values()];
    this.forget();
    for (const { result } of hosts)
      await result.then((open) => open.dispose()).catch(() => undefined);
  }
}
