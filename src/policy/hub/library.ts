/**
 * The foreign models that the lab can use: repositories of a hub or a server, whose files it fetches when it is told to
 * and keeps, and folders of the person's own. Contract:
 * - `list` makes small requests, `get` fetches what it names, nothing else ever fetches;
 * - `read` takes only what is here, whole and agreed to;
 * - a file's SHA-256 is compared with what the hub lists, what a link says and what an earlier visit had; another one is
 *   refused with both in the sentence, and used only after `accept`;
 * - a failure leaves everything that was here as it was.
 */
import * as v from 'valibot';
import { FetchError, sha256Hex } from '../fetch';
import {
  graphIn,
  partsOf,
  repositoryPathSchema,
  type AddedCheckpoint,
  type Dtype,
  type FolderFile,
  type GetOptions,
  type HereFile,
  type KeptModel,
  type KeptModels,
  type ListedModel,
  type ModelFiles,
  type ModelGraph,
  type ModelRef,
  type ModelStore,
  type ReadModel,
  type Repository,
  type RepositoryFile,
} from '../foreign/repository';
import { fileAddress, nameOf, readPlace } from './address';
import { download } from './download';
import { openFolder, type Folder } from './folder';
import { filesOf } from './graphs';
import { MemoryKeep, type FileKeep, type KeptFile } from './keep';
import { listRepository, MAX_DESCRIPTION, MAX_MODEL } from './listing';
import { ConnectionError, type Fetch } from './request';
import { message } from '../../message';

interface LibraryOptions {
  /** where files are kept; rejects where nothing can be */
  keep?: (() => Promise<FileKeep>) | undefined;
  fetcher?: Fetch;
  /** of `download` */
  pauses?: readonly number[];
}

export class ModelLibrary implements ModelStore {
  private readonly folders = new Map<ModelRef, Folder>();
  private readonly listed = new Map<ModelRef, Repository>();
  /** checkpoints of the person's own, by model and path */
  private readonly own = new Map<ModelRef, Map<string, Blob>>();
  private opened: Promise<{ keep: FileKeep; passing: string | null }> | undefined;
  private readonly fetcher: Fetch;

  constructor(private readonly options: LibraryOptions = {}) {
    this.fetcher = options.fetcher ?? ((url, init) => fetch(url, init));
  }

  /**
   * What the place holds, by a few small requests; a model that is kept at a commit needs none.
   * @param text as a person wrote it, or a ref
   */
  async list(named: string, signal?: AbortSignal): Promise<ListedModel> {
    const text = partsOf(named.trim()).repository;
    const place = readPlace(text);
    if (place.kind === 'folder') return this.folder(place.name);
    const keep = await this.keep();
    const kept = await keep.repository(text);
    // A commit never changes.
    if (kept !== undefined && kept.repository.revision !== null && isPinned(kept.repository)) {
      return this.show(kept.repository);
    }
    try {
      const { repository } = await listRepository(place, this.fetcher, signal);
      this.listed.set(repository.ref, repository);
      return await this.show(repository, await this.changesOf(repository));
    } catch (error) {
      signal?.throwIfAborted();
      const known = kept ?? (await keep.repositories()).find(({ ref }) => samePlace(ref, text));
      if (!(error instanceof ConnectionError) || known === undefined) throw error;
      return this.show(known.repository, [`${error.message} What is kept of it is used.`]);
    }
  }

  /** @throws FetchError where the folder holds no model */
  open(name: string, files: readonly FolderFile[]): Promise<ListedModel> {
    const folder = openFolder(name, files);
    this.folders.set(folder.repository.ref, folder);
    return this.show(folder.repository);
  }

  /**
   * Under the same name it takes the place of the one before.
   * @throws FetchError where it is no checkpoint, or the model is not listed
   */
  async addCheckpoint(ref: ModelRef, { path: given, blob }: FolderFile): Promise<AddedCheckpoint> {
    const repository = await this.require(ref);
    const path = ownPath(given);
    if (path === null) {
      throw new FetchError(
        `${given} is no checkpoint: a file of weights whose name ends in .safetensors is wanted, or a whole folder.`,
      );
    }
    if (blob.size > MAX_MODEL) {
      throw new FetchError(
        `${given} has ${(blob.size / 1e9).toPrecision(3)} GB; at most ${(MAX_MODEL / 1e9).toPrecision(3)} GB can be used in a tab.`,
      );
    }
    const own = this.own.get(ref) ?? new Map<string, Blob>();
    this.own.set(ref, own.set(path, blob));
    return { listed: await this.show(repository), path };
  }

  /** Whether everything that a run needs of it is here. */
  async has(named: ModelRef, dtype: Dtype): Promise<boolean> {
    const { repository: ref, checkpoint } = partsOf(named);
    const repository = await this.find(ref);
    const graph = graphIn(repository?.graphs ?? [], named, dtype);
    if (repository === undefined || graph === undefined) return false;
    if (checkpoint !== null && !isIn(this.withOwn(repository), checkpoint)) return false;
    if (this.folders.has(ref)) return true;
    const keep = await this.keep();
    const files = filesOf(repository.files, graph, checkpoint);
    const states = await Promise.all(files.map(({ path }) => keep.file(ref, path)));
    return states.every((file) => file?.state === 'whole');
  }

  /**
   * Fetches what is missing of a listed model. Cut or paused, it goes on from there when it is called again.
   * @throws FetchError with a sentence
   */
  async get(named: ModelRef, dtype: Dtype, options: GetOptions = {}): Promise<ListedModel> {
    const { repository: ref, checkpoint } = partsOf(named);
    const repository = await this.require(ref);
    const graph = graphOf(repository, named, dtype);
    demandCheckpoint(this.withOwn(repository), checkpoint);
    const place = readPlace(ref);
    if (place.kind === 'folder') return this.show(repository);
    if (graph.bytes > MAX_MODEL) throw tooLarge(repository, graph);
    const { onProgress, signal } = options;
    const keep = await this.keep();
    const seen = (await keep.repository(ref))?.seen ?? {};
    await keep.putRepository({ ref, repository, at: Date.now(), seen });
    const wanted = filesOf(repository.files, graph, checkpoint);
    const known = wanted.every(({ bytes }) => bytes > 0);
    const total = known ? wanted.reduce((sum, { bytes }) => sum + bytes, 0) : null;
    let done = 0;
    for (const file of wanted) {
      const weights = [graph.file, ...graph.external, checkpoint].includes(file.path);
      let kept = await keep.file(ref, file.path);
      if (kept === undefined || kept.state === 'partial') {
        const sink = sinkOf(keep, ref, file.path, kept);
        await download({
          fetcher: this.fetcher,
          url: fileAddress(place, file.path),
          file,
          most: weights ? MAX_MODEL : MAX_DESCRIPTION,
          sink,
          onBytes: (bytes) =>
            onProgress?.({ bytes: done + bytes, total, what: `${nameOf(ref)}, ${file.path}` }),
          signal,
          ...(this.options.pauses ? { pauses: this.options.pauses } : {}),
        });
        kept = await this.finish(keep, ref, file);
      }
      await this.agree(keep, repository, kept, options);
      done += kept.bytes;
    }
    onProgress?.({ bytes: done, total: done, what: nameOf(ref) });
    return this.show(repository);
  }

  /** For runs: what is here, whole and agreed to. */
  readonly read: ReadModel = async (named, dtype, onProgress, signal) => {
    const { repository: ref, checkpoint } = partsOf(named);
    const repository = await this.require(ref);
    const graph = graphOf(repository, named, dtype);
    demandCheckpoint(this.withOwn(repository), checkpoint);
    const name = nameOf(ref);
    if (graph.bytes > MAX_MODEL) throw tooLarge(repository, graph);
    const sha256: Record<string, string> = {};
    const bytesOf = async (path: string): Promise<Uint8Array<ArrayBuffer> | null> => {
      signal?.throwIfAborted();
      onProgress?.({ bytes: 0, total: null, what: `${name}, ${path}` });
      const found = await this.bytes(ref, path);
      if (found === null) return null;
      sha256[path] = found.sha256;
      return found.bytes;
    };
    const text = async (path: string) => {
      if (!repository.files.some((file) => file.path === path)) return null;
      const bytes = await bytesOf(path);
      return bytes === null ? null : new TextDecoder().decode(bytes);
    };
    const json = async (path: string): Promise<unknown> => {
      const found = await text(path);
      return found === null ? null : parseJson(found, path, name);
    };
    const needed = async (path: string) => {
      const found = await bytesOf(path);
      if (found === null) throw notHere(name, path);
      return found;
    };
    const config = parseJson(
      new TextDecoder().decode(await needed('config.json')),
      'config.json',
      name,
    );
    const tokenizer = parseJson(
      new TextDecoder().decode(await needed('tokenizer.json')),
      'tokenizer.json',
      name,
    );
    const folder = graph.file.slice(0, graph.file.lastIndexOf('/') + 1);
    const external = new Map<string, Uint8Array<ArrayBuffer>>();
    for (const path of graph.external) {
      external.set(path.slice(folder.length), await needed(path));
    }
    return {
      repository: { ...repository, ref: named },
      dtype,
      config,
      tokenizer,
      tokenizerConfig: await json('tokenizer_config.json'),
      generationConfig: await json('generation_config.json'),
      chatTemplate:
        (await text('chat_template.jinja')) ?? templateOf(await json('chat_template.json')),
      onnx: await needed(graph.file),
      external,
      checkpoint:
        checkpoint === null ? null : { path: checkpoint, bytes: await needed(checkpoint) },
      sha256,
    } satisfies ModelFiles;
  };

  async kept(): Promise<KeptModels> {
    const { keep, passing } = await this.openKeep();
    const [repositories, files] = await Promise.all([keep.repositories(), keep.files()]);
    const models = repositories.flatMap(({ ref, repository }): KeptModel[] => {
      const own = files.filter((file) => file.ref === ref);
      if (own.length === 0) return [];
      const whole = new Set(own.flatMap(({ path, state }) => (state === 'whole' ? [path] : [])));
      const graphs = repository.graphs.filter((graph) =>
        filesOf(repository.files, graph).every(({ path }) => whole.has(path)),
      );
      return [
        {
          ref,
          name: nameOf(ref),
          bytes: own.reduce((sum, { bytes }) => sum + bytes, 0),
          at: Math.max(...own.map(({ at }) => at)),
          dtypes: graphs
            .filter(({ dtype, file }) => graphIn(repository.graphs, ref, dtype)?.file === file)
            .map(({ dtype }) => dtype),
          graphs: graphs.map(({ file }) => file),
          checkpoints: [...whole].filter((path) => path.endsWith('.safetensors')),
        },
      ];
    });
    return { models: models.sort((a, b) => b.at - a.at), passing };
  }

  /** Its files go; their hashes stay, for the next visit. */
  async forget(ref: ModelRef): Promise<void> {
    this.own.delete(ref);
    const keep = await this.keep();
    for (const file of await keep.files()) if (file.ref === ref) await keep.removeFile(file);
  }

  /** Everything goes, hashes too. */
  async clear(): Promise<void> {
    this.listed.clear();
    this.own.clear();
    await (await this.keep()).clear();
  }

  private async keep(): Promise<FileKeep> {
    return (await this.openKeep()).keep;
  }

  private openKeep() {
    this.opened ??= (async () => {
      if (this.options.keep === undefined) return { keep: new MemoryKeep(), passing: null };
      try {
        return { keep: await this.options.keep(), passing: null };
      } catch (error) {
        return { keep: new MemoryKeep(), passing: message(error) };
      }
    })();
    return this.opened;
  }

  private folder(name: string): Promise<ListedModel> {
    const folder = this.folders.get(`folder:${name}`);
    if (folder === undefined) throw folderGone(name);
    return this.show(folder.repository);
  }

  private async find(ref: ModelRef): Promise<Repository | undefined> {
    const known = this.folders.get(ref)?.repository ?? this.listed.get(ref);
    return known ?? (await (await this.keep()).repository(ref))?.repository;
  }

  private async require(ref: ModelRef): Promise<Repository> {
    const repository = await this.find(ref);
    if (repository !== undefined) return repository;
    const place = readPlace(ref);
    if (place.kind === 'folder') throw folderGone(place.name);
    throw new FetchError(
      `${nameOf(ref)} is not loaded. Under “Your own model”, look at what it holds and press “Load”.`,
    );
  }

  /** With the checkpoints of one's own among its files; they are kept nowhere. */
  private withOwn(repository: Repository): Repository {
    const own = this.own.get(repository.ref);
    if (own === undefined) return repository;
    const files = [...own].map(([path, { size }]) => ({ path, bytes: size, sha256: null }));
    return { ...repository, files: [...repository.files, ...files] };
  }

  private async show(repository: Repository, notes: string[] = []): Promise<ListedModel> {
    const { ref } = repository;
    const here: Record<string, HereFile> = {};
    const folder = this.folders.get(ref);
    if (folder) {
      for (const [path, { size }] of folder.blobs) {
        here[path] = { bytes: size, state: 'whole', sha256: null };
      }
    } else {
      for (const file of await (await this.keep()).files()) {
        if (file.ref !== ref) continue;
        const { path, bytes, state, sha256 } = file;
        here[path] = { bytes, state, sha256 };
      }
    }
    for (const [path, { size }] of this.own.get(ref) ?? []) {
      here[path] = { bytes: size, state: 'whole', sha256: null };
    }
    return { repository: this.withOwn(repository), here, notes };
  }

  /** Files of an earlier visit that the place now has in another size or content. */
  private async changesOf({ ref, files }: Repository): Promise<string[]> {
    const keep = await this.keep();
    const notes: string[] = [];
    for (const { path, bytes, sha256 } of files) {
      const kept = await keep.file(ref, path);
      if (kept === undefined || kept.state === 'partial') continue;
      const other =
        sha256 === null
          ? bytes > 0 && !isText(path) && bytes !== kept.bytes
          : sha256 !== kept.sha256;
      if (!other) continue;
      notes.push(
        `${path} has changed at the server since ${day(kept.at)}: it has ${bytes} bytes, the one that is kept ` +
          `${kept.bytes}. The kept one is used; remove the model from the kept ones to fetch it anew.`,
      );
    }
    return notes;
  }

  /** A file that has come whole: its hash, and whether it can be what it is called. */
  private async finish(keep: FileKeep, ref: ModelRef, file: RepositoryFile): Promise<KeptFile> {
    const partial = await keep.file(ref, file.path);
    if (partial === undefined) throw new FetchError(`${file.path} of ${nameOf(ref)} is empty.`);
    const { sha256: hashes } = await import('@noble/hashes/sha2.js');
    const hash = hashes.create();
    for (let i = 0; i < partial.pieces; i++) {
      const piece = await keep.piece(partial, i);
      if (i === 0) await this.checkHead(keep, partial, piece);
      hash.update(piece);
    }
    const hex = Array.from(hash.digest(), (byte) => byte.toString(16).padStart(2, '0')).join('');
    if (file.sha256 !== null && file.sha256 !== hex) {
      await keep.removeFile(partial);
      throw new FetchError(
        `${file.path} of ${nameOf(ref)} is not the file that its hub lists: SHA-256 ${short(hex)}, listed ` +
          `${short(file.sha256)}. It is not used.`,
      );
    }
    return { ...partial, state: 'held', sha256: hex };
  }

  private async checkHead(keep: FileKeep, file: KeptFile, piece: Uint8Array): Promise<void> {
    const head = new TextDecoder().decode(piece.subarray(0, 40));
    const wrong = head.startsWith('version https://git-lfs')
      ? 'a pointer of Git LFS to the file, not the file'
      : /^\s*<(!doctype|html)/i.test(head)
        ? 'a web page'
        : null;
    if (wrong === null) return;
    await keep.removeFile(file);
    throw new FetchError(`${file.path} of ${nameOf(file.ref)} is ${wrong}. It is not used.`);
  }

  /** Compared with a link and with an earlier visit. @throws FetchError */
  private async agree(
    keep: FileKeep,
    repository: Repository,
    file: KeptFile,
    { expected, accept }: GetOptions,
  ): Promise<void> {
    const { ref, path, sha256 } = file;
    if (sha256 === null) throw notHere(nameOf(ref), path);
    const known = await keep.repository(ref);
    const before = known?.seen[path];
    const linked = expected?.[path];
    const other =
      linked !== undefined && !sha256.startsWith(linked)
        ? `in the link ${short(linked)}`
        : file.state === 'held' && before !== undefined && before.sha256 !== sha256
          ? `on ${day(before.at)} ${short(before.sha256)}`
          : null;
    if (other !== null && accept !== true) {
      await keep.putFile({ ...file, state: 'held' });
      throw new ChangedError(
        `${path} of ${nameOf(ref)} is another file than expected: its SHA-256 is ${short(sha256)}, ${other}. ` +
          'Nothing of it is used until you say so.',
      );
    }
    const at = Date.now();
    await keep.putFile({ ...file, state: 'whole', at });
    const seen = { ...known?.seen, [path]: { sha256, at } };
    await keep.putRepository({ ref, repository, at, seen });
  }

  private async bytes(
    ref: ModelRef,
    path: string,
  ): Promise<{ bytes: Uint8Array<ArrayBuffer>; sha256: string } | null> {
    const folder = this.folders.get(ref);
    const own = this.own.get(ref)?.get(path);
    if (folder || own) {
      const blob = own ?? folder?.blobs.get(path);
      if (blob === undefined) return null;
      const bytes = new Uint8Array(await readBlob(blob, path, nameOf(ref)));
      return { bytes, sha256: await sha256Hex(bytes) };
    }
    const keep = await this.keep();
    const file = await keep.file(ref, path);
    if (file?.state !== 'whole' || file.sha256 === null) return null;
    const bytes = new Uint8Array(file.bytes);
    let at = 0;
    for (let i = 0; i < file.pieces; i++) {
      const piece = await keep.piece(file, i);
      bytes.set(piece, at);
      at += piece.length;
    }
    return { bytes, sha256: file.sha256 };
  }
}

/** Another file than a link or an earlier visit had; a person may accept it. */
export class ChangedError extends FetchError {
  override name = 'ChangedError';
}

const short = (hex: string) => `${hex.slice(0, 12)}…`;
const day = (at: number) => new Date(at).toISOString().slice(0, 10);
const isText = (path: string) => /\.(json|jinja)$/.test(path);
const isPinned = ({ ref, revision }: Repository) => revision !== null && ref.includes(revision);

/** Whether a kept ref is of the place that a person wrote, at whatever commit. */
function samePlace(ref: ModelRef, text: string): boolean {
  const [a, b] = [readPlace(ref), readPlace(text)];
  if (a.kind === 'hub' && b.kind === 'hub') return a.id === b.id && b.revision === 'main';
  return a.kind === 'server' && b.kind === 'server' && a.base === b.base;
}

function graphOf(repository: Repository, named: ModelRef, dtype: Dtype): ModelGraph {
  const graph = graphIn(repository.graphs, named, dtype);
  if (graph !== undefined) return graph;
  const { graph: wanted } = partsOf(named);
  const there = repository.graphs.map((one) => (wanted === null ? one.dtype : one.file)).join(', ');
  throw new FetchError(
    `${nameOf(repository.ref)} has no ${dtype} graph${wanted === null ? '' : ` ${wanted}`}. It has: ${there}.`,
  );
}

const isIn = ({ files }: Repository, wanted: string) => files.some(({ path }) => path === wanted);

/** Where a reference has checkpoints that are in no repository. */
const OWN = 'yours/';

/** null: no checkpoint by its name */
function ownPath(given: string): string | null {
  const name = given
    .slice(given.lastIndexOf('/') + 1)
    .replaceAll(/[\\:*?"<>|#\u0000-\u001f]/g, '-')
    .replaceAll('..', '-');
  const path = OWN + name.slice(-100);
  return name.endsWith('.safetensors') && v.is(repositoryPathSchema, path) ? path : null;
}

function demandCheckpoint(repository: Repository, checkpoint: string | null): void {
  if (checkpoint === null || isIn(repository, checkpoint)) return;
  if (checkpoint.startsWith(OWN)) {
    throw new FetchError(
      `The checkpoint ${checkpoint.slice(OWN.length)} was a file of a person’s own, and is not open in this tab. ` +
        `Drop it on ${nameOf(repository.ref)} again.`,
    );
  }
  const there = repository.files.flatMap(({ path }) =>
    path.endsWith('.safetensors') ? [path] : [],
  );
  throw new FetchError(
    `${nameOf(repository.ref)} has no checkpoint ${checkpoint}. It has: ${there.slice(0, 8).join(', ') || 'none'}.`,
  );
}

const tooLarge = ({ ref }: Repository, { file, bytes }: ModelGraph) =>
  new FetchError(
    `${file} of ${nameOf(ref)} and its data have ${(bytes / 1e9).toPrecision(3)} GB; at most ` +
      `${(MAX_MODEL / 1e9).toPrecision(3)} GB can be used in a tab. Choose a graph of fewer bits, or a smaller model.`,
  );

const notHere = (name: string, path: string) =>
  new FetchError(`${path} of ${name} is not here. Load the model first.`);

const folderGone = (name: string) =>
  new FetchError(`The folder “${name}” is not open in this tab. Choose it again.`);

function parseJson(text: string, path: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new FetchError(`${path} of ${name} is not JSON.`, { cause });
  }
}

const templateOf = (json: unknown): string | null =>
  typeof json === 'object' &&
  json !== null &&
  'chat_template' in json &&
  typeof json.chat_template === 'string'
    ? json.chat_template
    : null;

async function readBlob(blob: Blob, path: string, name: string): Promise<ArrayBuffer> {
  try {
    return await blob.arrayBuffer();
  } catch (cause) {
    throw new FetchError(
      `${path} of ${name} cannot be read any more (${message(cause)}). Choose the folder again.`,
      { cause },
    );
  }
}

/** The keep's record of one file as a sink. */
function sinkOf(keep: FileKeep, ref: ModelRef, path: string, partial: KeptFile | undefined) {
  const nothing: KeptFile = {
    ref,
    path,
    bytes: 0,
    pieces: 0,
    etag: null,
    state: 'partial',
    sha256: null,
    at: 0,
  };
  let file = partial ?? nothing;
  return {
    get bytes() {
      return file.bytes;
    },
    get etag() {
      return file.etag;
    },
    async append(piece: Uint8Array<ArrayBuffer>, etag: string | null) {
      const { bytes, pieces } = file;
      const next = {
        ...file,
        bytes: bytes + piece.length,
        pieces: pieces + 1,
        etag,
        at: Date.now(),
      };
      await keep.append(next, piece);
      file = next;
    },
    async clear() {
      await keep.removeFile(nothing);
      file = nothing;
    },
  };
}
