/** Opening a policy that several callers wait for. */
import { expect, test } from 'vitest';
import { tinyPolicy } from '../../../models/build/tiny';
import { NODE_ASSETS } from '../../../scripts/node/ort';
import type { FileSource } from '../../policy/fetch';
import { openBackend } from '../backend';
import { Policies } from './policies';

/** The tiny policy's files, whose graph comes when `go` is called; a cancelled fetch rejects at once. */
async function held() {
  const { files } = await tinyPolicy();
  let go: () => void = () => undefined;
  const released = new Promise<void>((resolve) => (go = resolve));
  const source: FileSource = async (path, onProgress, signal) => {
    if (path.endsWith('.onnx')) {
      await new Promise<void>((resolve, reject) => {
        void released.then(resolve);
        signal?.addEventListener('abort', () => reject(new Error('cancelled')));
      });
    }
    return files(path, onProgress, signal);
  };
  return { source, go };
}

const onLoad = () => undefined;

test('whoever cancels takes nothing from the others that wait for the same policy', async () => {
  const { source, go } = await held();
  const policies = new Policies(source);
  const backend = await openBackend('wasm', NODE_ASSETS);
  const first = new AbortController();
  const cancelled = policies.open(backend, 'tiny', { onLoad, signal: first.signal });
  const others = [1, 2].map(() =>
    policies.open(backend, 'tiny', { onLoad, signal: new AbortController().signal }),
  );
  await new Promise((resolve) => setTimeout(resolve, 100));
  first.abort();
  await expect(cancelled).rejects.toThrow('cancelled');
  go();
  const [one, two] = await Promise.all(others);
  expect(one?.manifest.name).toBe('tiny');
  expect(two).toBe(one);
  await policies.close();
});

test('a failure that nobody asked for is everybody’s, and the next try is a new one', async () => {
  let broken = true;
  const { files } = await tinyPolicy();
  const policies = new Policies((path, ...rest) =>
    broken && path.endsWith('.onnx')
      ? Promise.reject(new Error('the connection broke off'))
      : files(path, ...rest),
  );
  const backend = await openBackend('wasm', NODE_ASSETS);
  const open = () =>
    policies.open(backend, 'tiny', { onLoad, signal: new AbortController().signal });
  const both = await Promise.allSettled([open(), open()]);
  expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  broken = false;
  expect((await open()).manifest.name).toBe('tiny');
  await policies.close();
});
