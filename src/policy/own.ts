/**
 * Checkpoints of the person's own, beside the shipped ones: they have an entry in the manifest and a file
 * in the source like any other, so that nothing else needs to know.
 *
 * Contract: a file is hostile until `add` has read it and found the tensors of the policy in it; ids are
 * `own-NAME-HASH`, so the same file is the same checkpoint, and no shipped one is ever replaced. They
 * live as long as this object does.
 */
import { fetchCheckpoint, FetchError, type FileSource, sha256Hex } from './fetch';
import type { CheckpointInfo, PolicyManifest } from './manifest';
import { readSafetensors } from './safetensors';
import { assertSameShapes } from './weights';
import { message } from '../message';

/** Larger than any policy of the lab; keeps a wrong file from filling the tab's memory. */
export const MAX_CHECKPOINT_BYTES = 64e6;

const slug = (name: string) =>
  name
    .toLowerCase()
    .replace(/\.safetensors$/, '')
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 40);

export class OwnCheckpoints {
  private readonly files = new Map<string, Uint8Array<ArrayBuffer>>();
  private readonly infos = new Map<string, CheckpointInfo[]>();

  constructor(private readonly shipped: FileSource) {}

  /** Own files first, then the shipped ones. */
  readonly source: FileSource = async (path, onBytes, signal) => {
    const own = this.files.get(path);
    return own ? Uint8Array.from(own) : this.shipped(path, onBytes, signal);
  };

  /** The manifests with the own checkpoints in them. */
  extend(manifests: readonly PolicyManifest[]): PolicyManifest[] {
    return manifests.map((manifest) => ({
      ...manifest,
      checkpoints: [...manifest.checkpoints, ...(this.infos.get(manifest.name) ?? [])],
    }));
  }

  /**
   * @param name of the file, for its id and for sentences
   * @throws SafetensorsError, FetchError with a sentence where the file cannot be one of this policy
   */
  async add(manifest: PolicyManifest, name: string, file: Blob): Promise<CheckpointInfo> {
    if (file.size > MAX_CHECKPOINT_BYTES) {
      throw new FetchError(
        `${name} has ${(file.size / 1e6).toFixed(0)} MB; a checkpoint of this lab has at ` +
          `most ${MAX_CHECKPOINT_BYTES / 1e6} MB.`,
      );
    }
    const bytes = new Uint8Array(await file.arrayBuffer());
    const { weights, metadata } = readSafetensors(bytes, name);
    const like = manifest.checkpoints[0];
    if (like) {
      const shipped = await fetchCheckpoint(this.shipped, manifest, like.id);
      try {
        assertSameShapes(shipped, weights);
      } catch (cause) {
        const why = message(cause);
        throw new FetchError(`${name} is no checkpoint of "${manifest.name}": ${why}`, { cause });
      }
    }
    const hash = await sha256Hex(bytes);
    const id = `own-${slug(name)}-${hash.slice(0, 8)}`.replace('--', '-');
    const step = Number(metadata.get('step'));
    const info: CheckpointInfo = {
      id,
      file: `checkpoints/${id}.safetensors`,
      series: 'own',
      step: Number.isSafeInteger(step) && step >= 0 ? step : 0,
      loss: null,
      accuracy: null,
      accuracyInterval: null,
      accuracyPrompts: null,
      bytes: bytes.byteLength,
      sha256: hash,
    };
    this.files.set(`${manifest.name}/${info.file}`, bytes);
    const known = this.infos.get(manifest.name) ?? [];
    this.infos.set(manifest.name, [...known.filter((other) => other.id !== id), info]);
    return info;
  }
}
