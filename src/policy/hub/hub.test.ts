/** Listing, fetching and keeping foreign models, from a local server with a hub's layout and its faults. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { foreignModel } from '../../../scripts/foreign-models';
import { hubServer, LIST, type HubServer } from '../../../scripts/hub-server';
import { fileAddress, nameOf, readPlace, refOf } from './address';
import { graphsOf } from './graphs';
import { MemoryKeep } from './keep';
import { ChangedError, ModelLibrary } from './library';
import { MAX_MODEL } from './listing';

const model = foreignModel();
const ONNX = 'onnx/model.onnx';
const pauses = [0, 0];
let hub: HubServer;
let bare: HubServer;
let library: ModelLibrary;
let keep: MemoryKeep;

/** `toEqual` takes ten seconds for a megabyte */
const same = (a: Uint8Array, b: Uint8Array | undefined) =>
  b !== undefined && Buffer.compare(a, b) === 0;
/** as a new visit has it: what was kept, nothing else */
const visit = () => new ModelLibrary({ keep: () => Promise.resolve(keep), pauses });
const at = (server: HubServer) => `${server.origin}/someone/${model.name}`;

beforeEach(async () => {
  hub = await hubServer();
  bare = await hubServer({ api: false });
  for (const server of [hub, bare]) {
    server.repositories.set(`someone/${model.name}`, new Map(model.files));
  }
  keep = new MemoryKeep();
  library = visit();
});
afterEach(async () => {
  await Promise.all([hub.close(), bare.close()]);
});

/** listed and fetched */
async function get(server: HubServer, from = library) {
  const { repository } = await from.list(at(server));
  return from.get(repository.ref, 'fp32');
}

describe('places', () => {
  it.each([
    ['onnx-community/SmolLM2', 'hub:onnx-community/SmolLM2@main', 'onnx-community/SmolLM2'],
    ['a/b@v2', 'hub:a/b@v2', 'a/b'],
    ['https://huggingface.co/a/b/tree/refs', 'hub:a/b@refs', 'a/b'],
    ['http://localhost:8080/a/b/', 'server:http://localhost:8080/a/b', 'localhost:8080/a/b'],
    [
      'https://x.org/a/b/resolve/v2/config.json',
      'server:https://x.org/a/b/resolve/v2',
      'x.org/a/b',
    ],
  ])('%s is %s', (text, ref, name) => {
    expect(refOf(readPlace(text))).toBe(ref);
    expect(refOf(readPlace(ref))).toBe(ref);
    expect(nameOf(ref)).toBe(name);
  });

  it.each([
    '',
    'one-word',
    'a/../b',
    'ftp://x/y/z',
    'https://huggingface.co/a',
    'https://u:p@x.org/a/b',
  ])('“%s” names none', (text) => {
    expect(() => readPlace(text)).toThrow('names no model');
  });

  it('names and revisions cannot leave their place in an address', () => {
    const place = readPlace('hub:a/b@x/y');
    expect(place.kind === 'hub' && fileAddress(place, 'a b?#.json')).toBe(
      'https://huggingface.co/a/b/resolve/x%2Fy/a%20b%3F%23.json',
    );
  });
});

describe('graphs by their names', () => {
  const file = (path: string, bytes = 10) => ({ path, bytes, sha256: null });

  it('in onnx/ or at the root, of old exports too, each with its data', () => {
    const graphs = graphsOf(
      [
        'model.onnx',
        'onnx/model_fp16.onnx',
        'onnx/decoder_model_merged_quantized.onnx',
        'onnx/model_q4.onnx',
        'onnx/model_q4.onnx_data',
        'onnx/model_q4.onnx_data_1',
        'onnx/model_q4f16.onnx',
        'onnx/model_q4f16.onnx.data',
        'onnx/model_bnb4.onnx',
      ].map((path) => file(path)),
    );
    expect(
      graphs.map(({ dtype, file, external, bytes }) => [dtype, file, external, bytes]),
    ).toEqual([
      ['fp32', 'model.onnx', [], 10],
      ['fp16', 'onnx/model_fp16.onnx', [], 10],
      ['q8', 'onnx/decoder_model_merged_quantized.onnx', [], 10],
      ['q4', 'onnx/model_q4.onnx', ['onnx/model_q4.onnx_data', 'onnx/model_q4.onnx_data_1'], 30],
      ['q4f16', 'onnx/model_q4f16.onnx', ['onnx/model_q4f16.onnx.data'], 20],
      ['q4', 'onnx/model_bnb4.onnx', [], 10],
    ]);
  });

  it('several of one arithmetic are all there, the usual one first', () => {
    const files = [
      'model_gqa',
      'model',
      'model_int8',
      'model_quantized',
      'decoder_with_past_model',
    ].map((name) => ({ path: `onnx/${name}.onnx`, bytes: 1, sha256: null }));
    expect(graphsOf(files).map(({ dtype, file }) => `${dtype} ${file}`)).toEqual([
      'fp32 onnx/model.onnx',
      'q8 onnx/model_quantized.onnx',
      'fp32 onnx/model_gqa.onnx',
      'q8 onnx/model_int8.onnx',
    ]);
  });

  it('a single graph of another name is taken for what it says', () => {
    expect(graphsOf([file('mine_q4.onnx')])).toMatchObject([{ dtype: 'q4', file: 'mine_q4.onnx' }]);
    expect(graphsOf([file('a.onnx'), file('b.onnx')])).toEqual([]);
  });
});

describe('a hub', () => {
  it('lists before it fetches: commit, files, sizes, licence; no file was asked for', async () => {
    const { repository, here } = await library.list(at(hub));
    expect(repository).toMatchObject({ revision: hub.commit, licence: 'mit' });
    expect(repository.ref).toBe(`server:${at(hub)}/resolve/${hub.commit}`);
    expect(repository.graphs[0]).toMatchObject({ dtype: 'fp32', file: ONNX });
    expect(repository.graphs[0].bytes).toBe(model.files.get(ONNX)?.length);
    expect(here).toEqual({});
    expect(hub.requests).toHaveLength(1);
    expect(hub.requests[0]).toContain('/api/models/');
  });

  it('gives what a run needs, once it was told to, and nothing of it before', async () => {
    const { repository } = await library.list(at(hub));
    await expect(library.read(repository.ref, 'fp32')).rejects.toThrow('is not here');
    const progress: number[] = [];
    await library.get(repository.ref, 'fp32', { onProgress: ({ bytes }) => progress.push(bytes) });
    const files = await library.read(repository.ref, 'fp32');
    expect(same(files.onnx, model.files.get(ONNX))).toBe(true);
    expect(files.config).toMatchObject({ vocab_size: expect.any(Number) as number });
    expect(files.sha256[ONNX]).toBe(repository.files.find(({ path }) => path === ONNX)?.sha256);
    expect(progress).toEqual([...progress].sort((a, b) => a - b));
  });

  it('a kept model at a commit is opened without a single request', async () => {
    const { ref } = (await get(hub)).repository;
    hub.requests.length = 0;
    const later = visit();
    expect((await later.list(ref)).here[ONNX]).toMatchObject({ state: 'whole' });
    expect(same((await later.read(ref, 'fp32')).onnx, model.files.get(ONNX))).toBe(true);
    expect(hub.requests).toEqual([]);
  });

  it('bytes that are not those listed are refused and not kept', async () => {
    const { repository } = await library.list(at(hub));
    const bytes = Uint8Array.from(model.files.get(ONNX) as Uint8Array);
    bytes[bytes.length - 1] ^= 1;
    hub.repositories.get(`someone/${model.name}`)?.set(ONNX, bytes);
    await expect(library.get(repository.ref, 'fp32')).rejects.toThrow(
      'is not the file that its hub lists',
    );
    expect(await keep.file(repository.ref, ONNX)).toBeUndefined();
  });

  it('whose list breaks off or is not given is asked for names, or says so; no file is fetched for it', async () => {
    hub.faults.set(LIST, { cutAfter: 20 });
    expect((await library.list(at(hub))).repository.graphs[0].file).toBe(ONNX);
    hub.faults.set(LIST, { status: 403 });
    await expect(library.list(at(hub))).rejects.toThrow(
      /does not give the list of .* to everybody \(HTTP status 403\)/,
    );
    hub.faults.set(LIST, { to: `${at(bare)}/resolve/main/config.json` });
    await expect(library.list(at(hub))).rejects.toThrow('forwards the list of');
    expect(hub.requests.filter((line) => /^GET .*resolve/.test(line))).toEqual([]);
  });

  it('no such repository, and one without a graph, are sentences', async () => {
    await expect(library.list(`${hub.origin}/no/body`)).rejects.toThrow(
      'no/body has no config.json',
    );
    hub.repositories.set(
      'a/b',
      new Map([['config.json', model.files.get('config.json') as Uint8Array]]),
    );
    await expect(library.list(`${hub.origin}/a/b`)).rejects.toThrow('has no tokenizer.json');
  });
});

describe('a server without an API', () => {
  it('is asked for the names that files have', async () => {
    const { repository } = await library.list(at(bare));
    expect(repository).toMatchObject({ revision: null, licence: null, card: null });
    const there = [...model.files.keys()].filter((path) => /model(_fp16|_q4)?\.onnx$/.test(path));
    expect(repository.graphs.map(({ file }) => file).sort()).toEqual(there.sort());
    expect((await get(bare)).here[ONNX]).toMatchObject({ state: 'whole' });
  });

  it('that cannot be reached is a sentence that says what may be the matter', async () => {
    await bare.close();
    await expect(library.list(at(bare))).rejects.toThrow(
      'there is no connection, or the server does not let',
    );
  });

  it('that cannot be reached any more leaves what is kept', async () => {
    await get(bare);
    await bare.close();
    const { notes, here } = await visit().list(at(bare));
    expect(notes[0]).toContain('What is kept of it is used');
    expect(here[ONNX]).toMatchObject({ state: 'whole' });
  });
});

describe('faults', () => {
  it('a cut is resumed by a range, and nothing comes twice', async () => {
    hub.faults.set(ONNX, { cutAfter: 100_000, times: 2 });
    expect((await get(hub)).here[ONNX]).toMatchObject({ state: 'whole' });
    const asked = hub.requests.filter(
      (line) => line.endsWith(ONNX) || line.includes(`${ONNX} bytes`),
    );
    expect(asked).toHaveLength(3);
    expect(asked[1]).toMatch(/bytes=\d+-$/);
    const [first, second] = asked.slice(1).map((line) => Number(/=(\d+)-/.exec(line)?.[1]));
    expect(second).toBeGreaterThan(first);
  });

  it('cut again and again, what came is kept, and goes on at the next press', async () => {
    hub.faults.set(ONNX, { cutAfter: 50_000 });
    await expect(get(hub)).rejects.toThrow(/broke off.* are kept/);
    const kept = (await keep.files()).find(({ path }) => path === ONNX);
    expect(kept?.bytes).toBeGreaterThan(0);
    hub.faults.clear();
    hub.requests.length = 0;
    expect((await get(hub, visit())).here[ONNX]).toMatchObject({ state: 'whole' });
    expect(hub.requests.at(-1)).toContain(`bytes=${kept?.bytes}-`);
  });

  it('without ranges it begins anew', async () => {
    hub.faults.set(ONNX, { cutAfter: 50_000, times: 1 });
    const { repository } = await library.list(at(hub));
    const once = new ModelLibrary({ keep: () => Promise.resolve(keep), pauses: [] });
    await once.list(at(hub));
    await expect(once.get(repository.ref, 'fp32')).rejects.toThrow('broke off');
    hub.faults.set(ONNX, { whole: true });
    await once.get(repository.ref, 'fp32');
    expect(same((await once.read(repository.ref, 'fp32')).onnx, model.files.get(ONNX))).toBe(true);
  });

  it('a pause keeps what came', async () => {
    const { repository } = await library.list(at(hub));
    const stop = new AbortController();
    hub.faults.set(ONNX, { cutAfter: 50_000 });
    const slow = new ModelLibrary({ keep: () => Promise.resolve(keep), pauses: [60_000] });
    await slow.list(at(hub));
    const getting = slow.get(repository.ref, 'fp32', {
      signal: stop.signal,
      onProgress: ({ bytes }) => {
        if (bytes > 40_000) stop.abort();
      },
    });
    await expect(getting).rejects.toMatchObject({ name: 'AbortError' });
    expect((await keep.file(repository.ref, ONNX))?.bytes).toBeGreaterThan(0);
  });

  it.each([404, 500, 403])('status %i is a sentence, and what was there stays', async (status) => {
    const { repository } = await library.list(at(hub));
    hub.faults.set(ONNX, { status });
    await expect(library.get(repository.ref, 'fp32')).rejects.toThrow(`HTTP status ${status}`);
    expect(await keep.file(repository.ref, 'config.json')).toMatchObject({ state: 'whole' });
  });

  it('forwarded to another host, it is not followed', async () => {
    const { repository } = await library.list(at(hub));
    hub.faults.set(ONNX, { to: `${at(bare)}/resolve/main/${ONNX}` });
    await expect(library.get(repository.ref, 'fp32')).rejects.toThrow(
      'forwards onnx/model.onnx to',
    );
  });

  it('3 GB of claimed data end before a byte of it is kept', async () => {
    bare.faults.set(ONNX, { claims: 3e9 });
    const { repository } = await library.list(at(bare));
    expect(repository.graphs[0].bytes).toBe(3e9);
    await expect(library.get(repository.ref, 'fp32')).rejects.toThrow(/3\.00 GB; at most 2\.15 GB/);
    // claimed only when it is fetched
    bare.faults.clear();
    const { repository: small } = await library.list(at(bare));
    bare.faults.set(ONNX, { claims: MAX_MODEL + 1 });
    await expect(library.get(small.ref, 'fp32')).rejects.toThrow('can be used in a tab');
    expect(await keep.file(small.ref, ONNX)).toBeUndefined();
  });

  it('a page of HTML, a Git LFS pointer and broken JSON are named', async () => {
    const files = bare.repositories.get(`someone/${model.name}`);
    const put = (path: string, text: string) => files?.set(path, new TextEncoder().encode(text));
    put(ONNX, '<!doctype html><title>Log in</title>');
    await expect(get(bare)).rejects.toThrow('is a web page');
    put(ONNX, 'version https://git-lfs.github.com/spec/v1\noid sha256:0');
    await expect(get(bare)).rejects.toThrow('a pointer of Git LFS');
    put(ONNX, 'x');
    put('config.json', '{');
    await keep.clear();
    const { repository } = await get(bare);
    await expect(library.read(repository.ref, 'fp32')).rejects.toThrow('config.json of');
  });
});

describe('a file that changes', () => {
  const other = () => {
    const bytes = Uint8Array.from([...(model.files.get(ONNX) as Uint8Array), 0]);
    bytes[50] ^= 1;
    bare.repositories.get(`someone/${model.name}`)?.set(ONNX, bytes);
    return bytes;
  };

  it('between visits is said, and the kept one is used', async () => {
    await get(bare);
    other();
    const { notes, repository } = await visit().list(at(bare));
    expect(notes[0]).toContain('onnx/model.onnx has changed at the server since');
    expect(same((await visit().read(repository.ref, 'fp32')).onnx, model.files.get(ONNX))).toBe(
      true,
    );
  });

  it('and is fetched anew, is refused with both hashes, until it is accepted', async () => {
    const { ref } = (await get(bare)).repository;
    await library.forget(ref);
    const bytes = other();
    const later = visit();
    await later.list(at(bare));
    const refused = await later.get(ref, 'fp32').catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(ChangedError);
    expect(String(refused)).toMatch(/SHA-256 is [0-9a-f]{12}…, on \d{4}-\d\d-\d\d [0-9a-f]{12}…/);
    await expect(later.read(ref, 'fp32')).rejects.toThrow('is not here');
    await later.get(ref, 'fp32', { accept: true });
    expect(same((await later.read(ref, 'fp32')).onnx, bytes)).toBe(true);
  });

  it('and is not what a link says, is refused too', async () => {
    const { repository } = await library.list(at(bare));
    const expected = { [ONNX]: '0'.repeat(64) };
    await expect(library.get(repository.ref, 'fp32', { expected })).rejects.toThrow(
      'in the link 000000000000…',
    );
    // A fingerprint holds how it begins.
    const { here } = await library.get(repository.ref, 'fp32', { accept: true });
    const begins = { [ONNX]: here[ONNX]?.sha256?.slice(0, 8) ?? '' };
    await library.get(repository.ref, 'fp32', { expected: begins });
  });

  it('while it is fetched, never becomes a mixture', async () => {
    bare.faults.set(ONNX, { cutAfter: 100_000, times: 1 });
    const { repository } = await library.list(at(bare));
    const once = new ModelLibrary({ keep: () => Promise.resolve(keep), pauses: [] });
    await once.list(at(bare));
    await expect(once.get(repository.ref, 'fp32')).rejects.toThrow('broke off');
    const bytes = other();
    await visit().get(repository.ref, 'fp32');
    expect(same((await visit().read(repository.ref, 'fp32')).onnx, bytes)).toBe(true);
  });
});

describe('what is kept', () => {
  it('is listed with its size and its graphs, forgotten one by one, and cleared', async () => {
    const { ref } = (await get(hub)).repository;
    const { models, passing } = await library.kept();
    expect(models).toMatchObject([{ ref, dtypes: ['fp32'] }]);
    expect(models[0].bytes).toBeGreaterThan(model.files.get(ONNX)?.length ?? 0);
    expect(passing).toBeNull();
    await library.forget(ref);
    expect((await library.kept()).models).toEqual([]);
    await library.clear();
    expect(await keep.repositories()).toEqual([]);
  });

  it('lasts as long as the page where the browser keeps nothing, and says so', async () => {
    const shy = new ModelLibrary({ keep: () => Promise.reject(new Error('no storage')), pauses });
    const { ref } = (await get(hub, shy)).repository;
    expect((await shy.kept()).passing).toBe('no storage');
    expect(same((await shy.read(ref, 'fp32')).onnx, model.files.get(ONNX))).toBe(true);
  });
});

describe('a checkpoint of one’s own beside a model of a hub', () => {
  const file = (path: string, text = 'weights') => ({ path, blob: new Blob([text]) });

  it('is read with it, is not fetched, and the later one of a name is taken', async () => {
    const { ref } = (await get(hub)).repository;
    await library.addCheckpoint(ref, file('run/step-7.safetensors', 'before'));
    const { listed, path } = await library.addCheckpoint(ref, file('step-7.safetensors'));
    expect(path).toBe('yours/step-7.safetensors');
    expect(listed.here[path]).toMatchObject({ state: 'whole', bytes: 7 });
    hub.requests.length = 0;
    const named = `${ref}#${path}`;
    expect(await library.has(named, 'fp32')).toBe(true);
    await library.get(named, 'fp32');
    const { checkpoint, sha256 } = await library.read(named, 'fp32');
    expect(new TextDecoder().decode(checkpoint?.bytes)).toBe('weights');
    expect(sha256[path]).toMatch(/^[0-9a-f]{64}$/);
    expect(hub.requests).toEqual([]);
    // Of another visit it is gone, and nothing that was kept says otherwise.
    expect(await visit().has(named, 'fp32')).toBe(false);
    await expect(visit().read(named, 'fp32')).rejects.toThrow(
      /step-7\.safetensors was a file of a person’s own.*Drop it on .* again/,
    );
  });

  it('is refused where it is none, or beside nothing', async () => {
    const { ref } = (await get(hub)).repository;
    await expect(library.addCheckpoint(ref, file('a.bin'))).rejects.toThrow(
      'a.bin is no checkpoint',
    );
    const odd = await library.addCheckpoint(ref, file('..#?.safetensors'));
    expect(odd.path).toBe('yours/---.safetensors');
    await expect(library.addCheckpoint('hub:no/body', file('a.safetensors'))).rejects.toThrow(
      'no/body is not loaded',
    );
  });
});

describe('a folder', () => {
  const files = (prefix: string) =>
    [...model.files].map(([path, bytes]) => ({
      path: `${prefix}${path}`,
      blob: new Blob([bytes]),
    }));

  it.each(['', 'mine/', 'above/mine/'])('below “%s” is a repository', async (prefix) => {
    const { repository, here } = await library.open('mine', files(prefix));
    expect(repository.ref).toBe('folder:mine');
    expect(here[ONNX]).toMatchObject({ state: 'whole' });
    const read = await library.read('folder:mine', 'fp32');
    expect(same(read.onnx, model.files.get(ONNX))).toBe(true);
    expect(Object.keys(read.sha256)).toContain(ONNX);
  });

  it('gives the graph that a reference names, and says which there are', async () => {
    const other = { path: 'onnx/model_other.onnx', blob: new Blob(['another']) };
    await library.open('mine', [...files(''), other]);
    const named = 'folder:mine#onnx/model_other.onnx';
    expect(await library.has(named, 'fp32')).toBe(true);
    const read = await library.read(named, 'fp32');
    expect(new TextDecoder().decode(read.onnx)).toBe('another');
    expect(same((await library.read('folder:mine', 'fp32')).onnx, model.files.get(ONNX))).toBe(
      true,
    );
    await expect(library.read('folder:mine#onnx/gone.onnx', 'fp32')).rejects.toThrow(
      /no fp32 graph onnx\/gone\.onnx\. It has: onnx\/model\.onnx, .*onnx\/model_other\.onnx/,
    );
  });

  it('without a model, and one that is not open, are sentences', async () => {
    expect(() => library.open('x', [{ path: 'x/readme.txt', blob: new Blob(['']) }])).toThrow(
      'has no config.json',
    );
    await expect(library.read('folder:gone', 'fp32')).rejects.toThrow('Choose it again');
  });
});
