/**
 * A policy ready to work: one session, the checkpoints fetched so far, and the two sets of weights in
 * use. Contract: one host per policy and runtime; `pair` may be called again and again, the previous
 * pair's buffers are freed only once the new pair is in place.
 */
import {
  fetchCheckpoint,
  fetchPolicy,
  findCheckpoint,
  type FetchProgress,
  type FileSource,
  type PolicyFiles,
} from './fetch';
import type { Weights } from './graph/lift';
import type { PolicyManifest } from './manifest';
import type { Runtime } from './runtime';
import { PolicySession, type ResidentWeights } from './session';
import type { Arithmetic } from '../math/arithmetic';
import { assertSameShapes, interpolateWeights, weightsIn } from './weights';

export interface PolicyPair {
  old: ResidentWeights;
  /** `old` itself where the two are the same weights */
  theta: ResidentWeights;
  /** the old policy as the engine has it that samples: `old` itself where that computes in float32 */
  sampler: ResidentWeights;
}

export class PolicyHost {
  private readonly checkpoints = new Map<string, Weights>();
  private current: { key: string; pair: PolicyPair } | undefined;

  private constructor(
    private listed: PolicyManifest,
    readonly files: PolicyFiles,
    readonly session: PolicySession,
    private readonly source: FileSource,
  ) {}

  static async open(
    runtime: Runtime,
    source: FileSource,
    manifest: PolicyManifest,
    onProgress?: FetchProgress,
    signal?: AbortSignal,
  ): Promise<PolicyHost> {
    const files = await fetchPolicy(source, manifest, onProgress, signal);
    onProgress?.({ bytes: 0, total: null, what: 'starting onnxruntime' });
    const session = await PolicySession.create(runtime, files.onnx, files.portNames);
    return new PolicyHost(manifest, files, session, source);
  }

  get manifest(): PolicyManifest {
    return this.listed;
  }

  /** The manifest has new checkpoints in it. */
  relist(manifest: PolicyManifest): void {
    this.listed = manifest;
  }

  async checkpoint(id: string, onProgress?: FetchProgress, signal?: AbortSignal): Promise<Weights> {
    const known = this.checkpoints.get(id);
    if (known) return known;
    const { file } = findCheckpoint(this.manifest, id);
    const weights =
      file === this.manifest.onnx.file
        ? this.session.fileWeights
        : await fetchCheckpoint(this.source, this.manifest, id, onProgress, signal);
    assertSameShapes(this.session.fileWeights, weights);
    this.checkpoints.set(id, weights);
    return weights;
  }

  /**
   * pi_old = checkpoint `oldId`; pi_theta = theta_old + alpha (theta_new - theta_old).
   * @param arithmetic of the engine that samples
   */
  async pair(
    oldId: string,
    newId: string,
    alpha: number,
    onProgress?: FetchProgress,
    signal?: AbortSignal,
    arithmetic: Arithmetic = 'fp32',
  ): Promise<PolicyPair> {
    const key = JSON.stringify([oldId, newId, alpha, arithmetic]);
    if (this.current?.key === key) return this.current.pair;
    const old = await this.checkpoint(oldId, onProgress, signal);
    const next = await this.checkpoint(newId, onProgress, signal);
    const mixed = interpolateWeights(old, next, alpha);
    const resident = this.session.upload(old);
    const theta = mixed === old ? resident : this.session.upload(mixed);
    const sampler =
      arithmetic === 'fp32' ? resident : this.session.upload(weightsIn(arithmetic, old));
    const pair: PolicyPair = { old: resident, theta, sampler };
    this.releasePair();
    this.current = { key, pair };
    return pair;
  }

  async dispose(): Promise<void> {
    this.releasePair();
    await this.session.dispose();
  }

  private releasePair(): void {
    this.current?.pair.old.dispose();
    this.current?.pair.theta.dispose();
    this.current?.pair.sampler.dispose();
    this.current = undefined;
  }
}
