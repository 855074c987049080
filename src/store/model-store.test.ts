/** Files of foreign models in IndexedDB: whole after another visit, gone on from where a cut left them. */
import 'fake-indexeddb/auto';
import { IDBFactory } from 'fake-indexeddb';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { foreignModel } from '../../scripts/foreign-models';
import { hubServer, type HubServer } from '../../scripts/hub-server';
import { ModelLibrary } from '../policy/hub/library';
import { ModelFileStore } from './model-store';

const model = foreignModel();
const ONNX = 'onnx/model.onnx';
let hub: HubServer;

const visit = () => new ModelLibrary({ keep: () => ModelFileStore.open(), pauses: [] });
const address = () => `${hub.origin}/someone/${model.name}`;

beforeEach(async () => {
  globalThis.indexedDB = new IDBFactory();
  hub = await hubServer();
  hub.repositories.set(`someone/${model.name}`, new Map(model.files));
});
afterEach(() => hub.close());

it('goes on in another visit from where the connection broke, and is whole in a third one', async () => {
  hub.faults.set(ONNX, { cutAfter: 100_000 });
  const first = visit();
  const { ref } = (await first.list(address())).repository;
  await expect(first.get(ref, 'fp32')).rejects.toThrow('are kept');

  hub.faults.clear();
  hub.requests.length = 0;
  await visit().get(ref, 'fp32');
  expect(hub.requests.at(-1)).toMatch(/bytes=\d{3,}-$/);

  await hub.close();
  const third = visit();
  expect(await third.has(ref, 'fp32')).toBe(true);
  const { onnx, sha256 } = await third.read(ref, 'fp32');
  expect(Buffer.compare(onnx, model.files.get(ONNX) as Uint8Array)).toBe(0);
  expect(Object.keys(sha256)).toContain(ONNX);
});

it('what is forgotten is gone with its pieces, and the hash stays; cleared, that is gone, too', async () => {
  const library = visit();
  const { ref } = (await library.list(address())).repository;
  await library.get(ref, 'fp32');
  await library.forget(ref);
  const store = await ModelFileStore.open();
  expect(await store.files()).toEqual([]);
  expect((await store.repository(ref))?.seen[ONNX]?.sha256).toMatch(/^[0-9a-f]{64}$/);
  await library.clear();
  expect(await store.repositories()).toEqual([]);
});

it('a record of another version is left alone', async () => {
  const store = await ModelFileStore.open();
  await store.putFile({ ref: 'hub:a/b', path: 'x', state: 'odd' } as never);
  expect(await store.files()).toEqual([]);
  expect(await store.file('hub:a/b', 'x')).toBeUndefined();
});
