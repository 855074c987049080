/**
 * Where fetched files are kept, and the keep that lasts as long as the page. Contract of every keep: pieces of a file and
 * the record of how many there are change together; what was kept stays readable when there is no room for more.
 */
import type { HereFile, ModelRef, Repository } from '../foreign/repository';

export interface KeptFile {
  ref: ModelRef;
  path: string;
  /** that are here */
  bytes: number;
  /** how many pieces they came in */
  pieces: number;
  etag: string | null;
  /** partial: more is to come; held: another file than before, not to be used until a person says so */
  state: HereFile['state'];
  /** null while partial */
  sha256: string | null;
  /** ms since 1970 */
  at: number;
}

/** What is known of a repository, with and without its files. */
export interface KeptRepository {
  ref: ModelRef;
  repository: Repository;
  at: number;
  /** by path: what a person has had of it; outlives the files */
  seen: Record<string, { sha256: string; at: number }>;
}

export interface FileKeep {
  repositories(): Promise<KeptRepository[]>;
  files(): Promise<KeptFile[]>;
  repository(ref: ModelRef): Promise<KeptRepository | undefined>;
  file(ref: ModelRef, path: string): Promise<KeptFile | undefined>;
  putRepository(kept: KeptRepository): Promise<void>;
  putFile(file: KeptFile): Promise<void>;
  /** @param file as it is with this piece, its last */
  append(file: KeptFile, piece: Uint8Array<ArrayBuffer>): Promise<void>;
  piece(file: KeptFile, index: number): Promise<Uint8Array<ArrayBuffer>>;
  removeFile(file: Pick<KeptFile, 'ref' | 'path'>): Promise<void>;
  /** everything, hashes of earlier visits too */
  clear(): Promise<void>;
}

const key = ({ ref, path }: Pick<KeptFile, 'ref' | 'path'>): string => `${ref}\n${path}`;

export class MemoryKeep implements FileKeep {
  private readonly records = new Map<ModelRef, KeptRepository>();
  private readonly entries = new Map<string, KeptFile>();
  private readonly data = new Map<string, Uint8Array<ArrayBuffer>[]>();

  repositories() {
    return Promise.resolve([...this.records.values()]);
  }
  files() {
    return Promise.resolve([...this.entries.values()]);
  }
  repository(ref: ModelRef) {
    return Promise.resolve(this.records.get(ref));
  }
  file(ref: ModelRef, path: string) {
    return Promise.resolve(this.entries.get(key({ ref, path })));
  }
  putRepository(kept: KeptRepository) {
    this.records.set(kept.ref, kept);
    return Promise.resolve();
  }
  putFile(file: KeptFile) {
    this.entries.set(key(file), file);
    return Promise.resolve();
  }
  append(file: KeptFile, piece: Uint8Array<ArrayBuffer>) {
    const pieces = this.data.get(key(file)) ?? [];
    pieces[file.pieces - 1] = piece;
    this.data.set(key(file), pieces);
    return this.putFile(file);
  }
  piece(file: KeptFile, index: number) {
    const piece = this.data.get(key(file))?.[index];
    return piece === undefined
      ? Promise.reject(new Error(`Piece ${index} of ${file.path} is not here.`))
      : Promise.resolve(piece);
  }
  removeFile(file: Pick<KeptFile, 'ref' | 'path'>) {
    this.entries.delete(key(file));
    this.data.delete(key(file));
    return Promise.resolve();
  }
  clear() {
    for (const map of [this.records, this.entries, this.data]) map.clear();
    return Promise.resolve();
  }
}
