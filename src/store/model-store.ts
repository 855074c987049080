/**
 * Files of foreign models in IndexedDB, in the pieces in which they came. Contract: that of `FileKeep`; a record that does
 * not pass its schema (another version of the lab wrote it) is taken for absent.
 */
import { openDB, type IDBPDatabase } from 'idb';
import * as v from 'valibot';
import { DTYPES, modelRefSchema } from '../policy/foreign/repository';
import type { FileKeep, KeptFile, KeptRepository } from '../policy/hub/keep';
import { StoreUnavailable } from './kept-run';
import { answered, safely } from './trouble';

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const sha256 = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));
const fileSchema = v.object({
  ref: modelRefSchema,
  path: v.string(),
  bytes: count,
  pieces: count,
  etag: v.nullable(v.string()),
  state: v.picklist(['partial', 'whole', 'held']),
  sha256: v.nullable(sha256),
  at: v.number(),
});
const repositorySchema = v.object({
  ref: modelRefSchema,
  at: v.number(),
  seen: v.record(v.string(), v.object({ sha256, at: v.number() })),
  repository: v.object({
    ref: modelRefSchema,
    revision: v.nullable(v.string()),
    files: v.array(v.object({ path: v.string(), bytes: count, sha256: v.nullable(sha256) })),
    graphs: v.array(
      v.object({
        dtype: v.picklist(DTYPES),
        file: v.string(),
        external: v.array(v.string()),
        bytes: count,
      }),
    ),
    licence: v.nullable(v.string()),
    card: v.nullable(v.string()),
  }),
});

const known = <T>(schema: v.GenericSchema<unknown, T>, record: unknown): T[] => {
  const parsed = v.safeParse(schema, record);
  return parsed.success ? [parsed.output] : [];
};

export class ModelFileStore implements FileKeep {
  private constructor(private readonly db: IDBPDatabase) {}

  /** @throws StoreUnavailable where there is no IndexedDB, none that may be used, or none that answers */
  static open(name = 'gspo-lab-models'): Promise<ModelFileStore> {
    return safely(async () => {
      if (typeof indexedDB === 'undefined') throw new StoreUnavailable('It has no IndexedDB.');
      const opening = openDB(name, 1, {
        upgrade(fresh) {
          fresh.createObjectStore('repositories', { keyPath: 'ref' });
          fresh.createObjectStore('files', { keyPath: ['ref', 'path'] });
          // keys are [ref, path, number]
          fresh.createObjectStore('pieces');
        },
        blocking: (_from, _to, event) => (event.target as IDBDatabase).close(),
      });
      return new ModelFileStore(await answered(opening));
    });
  }

  repositories(): Promise<KeptRepository[]> {
    return safely(async () =>
      (await this.db.getAll('repositories')).flatMap((record) => known(repositorySchema, record)),
    );
  }

  files(): Promise<KeptFile[]> {
    return safely(async () =>
      (await this.db.getAll('files')).flatMap((record) => known(fileSchema, record)),
    );
  }

  repository(ref: string): Promise<KeptRepository | undefined> {
    return safely(async () => known(repositorySchema, await this.db.get('repositories', ref))[0]);
  }

  file(ref: string, path: string): Promise<KeptFile | undefined> {
    return safely(async () => known(fileSchema, await this.db.get('files', [ref, path]))[0]);
  }

  putRepository(kept: KeptRepository): Promise<void> {
    return safely(async () => {
      await this.db.put('repositories', kept);
    });
  }

  putFile(file: KeptFile): Promise<void> {
    return safely(async () => {
      await this.db.put('files', file);
    });
  }

  append(file: KeptFile, piece: Uint8Array<ArrayBuffer>): Promise<void> {
    return safely(async () => {
      const tx = this.db.transaction(['files', 'pieces'], 'readwrite');
      await Promise.all([
        tx.objectStore('pieces').put(piece, [file.ref, file.path, file.pieces - 1]),
        tx.objectStore('files').put(file),
        tx.done,
      ]);
    });
  }

  piece(file: KeptFile, index: number): Promise<Uint8Array<ArrayBuffer>> {
    return safely(async () => {
      const piece: unknown = await this.db.get('pieces', [file.ref, file.path, index]);
      if (piece instanceof Uint8Array && piece.buffer instanceof ArrayBuffer) {
        return piece as Uint8Array<ArrayBuffer>;
      }
      throw new StoreUnavailable(`A part of ${file.path} is not there any more.`);
    });
  }

  removeFile({ ref, path }: Pick<KeptFile, 'ref' | 'path'>): Promise<void> {
    return safely(async () => {
      const tx = this.db.transaction(['files', 'pieces'], 'readwrite');
      await Promise.all([
        tx.objectStore('files').delete([ref, path]),
        tx.objectStore('pieces').delete(IDBKeyRange.bound([ref, path, 0], [ref, path, Infinity])),
        tx.done,
      ]);
    });
  }

  clear(): Promise<void> {
    return safely(async () => {
      const stores = ['repositories', 'files', 'pieces'];
      const tx = this.db.transaction(stores, 'readwrite');
      await Promise.all([...stores.map((store) => tx.objectStore(store).clear()), tx.done]);
    });
  }

  close(): void {
    this.db.close();
  }
}
