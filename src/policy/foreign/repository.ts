/**
 * What a model of someone else's looks like before it is loaded: where it is, which files it has, and the files
 * that the engine needs of it. The border between who brings files (`policy/hub`) and who runs them.
 *
 * Contract: a reference names a model and fetches nothing. Whatever holds files is hostile until it has passed
 * the schemas here.
 */
import type { Dtype, ModelRef } from '../../model-ref';
import type { FetchProgress } from '../fetch';

export {
  DTYPES,
  modelRefSchema,
  graphIn,
  partsOf,
  repositoryPathSchema,
  type Dtype,
  type ModelRef,
} from '../../model-ref';

export interface RepositoryFile {
  path: string;
  bytes: number;
  /** hex; null: the place does not say, it is known once the file has been read */
  sha256: string | null;
}

/** One graph that can be loaded. */
export interface ModelGraph {
  dtype: Dtype;
  file: string;
  /** paths of the files that hold its weights, where those are not in it */
  external: string[];
  /** all of them together */
  bytes: number;
}

export interface Repository {
  ref: ModelRef;
  /** the commit; null where the place has none */
  revision: string | null;
  files: RepositoryFile[];
  graphs: ModelGraph[];
  licence: string | null;
  /** address of the model card */
  card: string | null;
}

/** What the engine needs of one model, in memory. JSON is parsed, not yet validated. */
export interface ModelFiles {
  repository: Repository;
  dtype: Dtype;
  config: unknown;
  tokenizer: unknown;
  tokenizerConfig: unknown;
  /** null: the repository has none */
  generationConfig: unknown;
  /** `chat_template.jinja`; null: there is none, or it stands in `tokenizerConfig` */
  chatTemplate: string | null;
  onnx: Uint8Array<ArrayBuffer>;
  /** by the path that the graph names, relative to the graph's folder */
  external: Map<string, Uint8Array<ArrayBuffer>>;
  /** whose weights stand in the place of the graph's; null: the graph keeps its own */
  checkpoint?: { path: string; bytes: Uint8Array<ArrayBuffer> } | null;
  /** of each file that was read, by its path in the repository, hex */
  sha256: Record<string, string>;
}

/**
 * Reads one model. Rejects with a FetchError, a sentence for a person. Nothing is fetched that was not agreed to.
 */
export type ReadModel = (
  ref: ModelRef,
  dtype: Dtype,
  onProgress?: FetchProgress,
  signal?: AbortSignal,
) => Promise<ModelFiles>;

/** What is here of a file: some of it, all of it but not agreed to, or all of it. */
export interface HereFile {
  bytes: number;
  state: 'partial' | 'held' | 'whole';
  sha256: string | null;
}

/** What a person is shown of a model before and after it is fetched. */
export interface ListedModel {
  repository: Repository;
  /** by path */
  here: Record<string, HereFile>;
  /** what else should be known, a sentence each */
  notes: string[];
}

/** One model in the list of what is kept. */
export interface KeptModel {
  ref: ModelRef;
  name: string;
  bytes: number;
  /** ms since 1970, of the latest file */
  at: number;
  /** arithmetics whose first graph is whole */
  dtypes: Dtype[];
  /** paths of graphs that are whole, with their data */
  graphs: string[];
  /** paths of checkpoints that are whole */
  checkpoints: string[];
}

export interface KeptModels {
  models: KeptModel[];
  /** why they last only as long as the page; null: they last */
  passing: string | null;
}

/** A file as a browser's picker, a drop or a disk gives it. */
export interface FolderFile {
  /** with the folders above it, as far as they are known */
  path: string;
  blob: Blob;
}

export interface GetOptions {
  /** SHA-256 by path, or how it begins, as a link has them */
  expected?: Readonly<Record<string, string>> | undefined;
  /** files that are other ones than expected or seen before are used all the same */
  accept?: boolean | undefined;
  onProgress?: FetchProgress | undefined;
  signal?: AbortSignal | undefined;
}

/** A model with one more checkpoint. */
export interface AddedCheckpoint {
  listed: ListedModel;
  /** how a reference names it */
  path: string;
}

/** Where models come from (`policy/hub`). `get` fetches what a person agreed to; `read` takes what is here. */
export interface ModelStore {
  list(text: string, signal?: AbortSignal): Promise<ListedModel>;
  open(name: string, files: readonly FolderFile[]): Promise<ListedModel>;
  /** a checkpoint of one's own beside a listed model, as long as the tab lives */
  addCheckpoint(ref: ModelRef, file: FolderFile): Promise<AddedCheckpoint>;
  has(ref: ModelRef, dtype: Dtype): Promise<boolean>;
  get(ref: ModelRef, dtype: Dtype, options?: GetOptions): Promise<ListedModel>;
  readonly read: ReadModel;
  kept(): Promise<KeptModels>;
  forget(ref: ModelRef): Promise<void>;
  clear(): Promise<void>;
}
