/** Where things run outside of a browser. */
import { expect, test, vi } from 'vitest';
import { NODE_ASSETS } from '../../scripts/node/ort';
import { openBackend } from './backend';

test('one thread where nothing says that memory may be shared, however many cores there are', async () => {
  // What Node has from version 21 on.
  vi.stubGlobal('navigator', { hardwareConcurrency: 8 });
  expect((await openBackend('wasm', NODE_ASSETS)).info.threads).toBe(1);
  vi.stubGlobal('crossOriginIsolated', true);
  expect((await openBackend('wasm', NODE_ASSETS)).info.threads).toBe(4);
  vi.unstubAllGlobals();
});
