/**
 * Models of other people on this disk, for `npm run experiment -- LINK --models DIR`. Contract: DIR holds them as a hub
 * does, `OWNER/NAME/` or `NAME/` with `config.json`, `tokenizer.json` and `onnx/`, or is one of them itself; whatever place
 * a link names, its files are looked for there and nowhere else; nothing is fetched and nothing written.
 */
import { existsSync, openAsBlob, readdirSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { FetchError } from '../../src/policy/fetch';
import { partsOf, refWith } from '../../src/model-ref';
import type {
  FolderFile,
  ListedModel,
  ModelRef,
  ModelStore,
  ReadModel,
} from '../../src/policy/foreign/repository';
import { nameOf } from '../../src/policy/hub/address';
import { ModelLibrary } from '../../src/policy/hub/library';

const isModel = (folder: string) => existsSync(join(folder, 'config.json'));

export class LocalModels implements ModelStore {
  private readonly library = new ModelLibrary();
  private readonly opened = new Map<ModelRef, Promise<ListedModel>>();

  constructor(private readonly dir: string) {}

  list(named: string): Promise<ListedModel> {
    const ref = partsOf(named).repository;
    const known = this.opened.get(ref) ?? this.find(ref);
    this.opened.set(ref, known);
    known.catch(() => this.opened.delete(ref));
    return known;
  }

  open(): Promise<never> {
    return Promise.reject(new FetchError('Here models come from the folder of --models alone.'));
  }

  addCheckpoint(): Promise<never> {
    return this.open();
  }

  async has(ref: ModelRef): Promise<boolean> {
    return this.list(ref).then(
      () => true,
      () => false,
    );
  }

  get(ref: ModelRef): Promise<ListedModel> {
    return this.list(ref);
  }

  readonly read: ReadModel = async (ref, dtype, onProgress, signal) => {
    const { repository: place, ...files } = partsOf(ref);
    const { repository } = await this.list(place);
    const here = refWith({ ...files, repository: repository.ref });
    const read = await this.library.read(here, dtype, onProgress, signal);
    return { ...read, repository: { ...read.repository, ref } };
  };

  kept() {
    return Promise.resolve({ models: [], passing: null });
  }

  forget(): Promise<void> {
    return Promise.resolve();
  }

  clear(): Promise<void> {
    return Promise.resolve();
  }

  private async find(ref: ModelRef): Promise<ListedModel> {
    const name = nameOf(ref);
    const last = name.split('/').at(-1) ?? name;
    const places = [join(this.dir, name), join(this.dir, last)];
    if (basename(resolve(this.dir)) === last) places.push(this.dir);
    const folder = places.find(isModel);
    if (folder === undefined) {
      throw new FetchError(
        `The link names the model ${name}; there is no config.json in ${places.join(' nor ')}.`,
      );
    }
    return this.library.open(name.replaceAll('/', ' '), await filesOf(folder));
  }
}

async function filesOf(folder: string): Promise<FolderFile[]> {
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const files = paths.filter((path) => statSync(join(folder, path)).isFile());
  return Promise.all(
    files.map(async (path) => ({
      path: path.replaceAll('\\', '/'),
      blob: await openAsBlob(join(folder, path)),
    })),
  );
}
