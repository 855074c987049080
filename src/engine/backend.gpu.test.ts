/** A real adapter on its way to be used: opened, checked with a policy, its batch found. */
import { expect, test } from 'vitest';
import { tinyPolicy } from '../../models/build/tiny';
import { PolicyHost } from '../policy/host';
import { SITE_ASSETS } from './assets';
import { openBackend } from './backend';

test('the adapter of this machine agrees, and what it samples per second is told', async () => {
  const { files, manifest } = await tinyPolicy();
  const backend = await openBackend('webgpu', SITE_ASSETS);
  expect(backend.info.trouble).toBeUndefined();
  const host = await PolicyHost.open(await backend.runtime(), files, manifest);
  const began = performance.now();
  expect(await backend.prove(host)).toBe(backend);
  const { info } = backend;
  console.log(`checked in ${Math.round(performance.now() - began)} ms: ${JSON.stringify(info)}`);
  expect(info.rows).toBeGreaterThanOrEqual(32);
  // A software adapter may be slower than WebAssembly; that it computes something else is no excuse.
  const said = info.trouble ?? info.reason;
  expect(said).toContain('It agrees with WebAssembly');
  expect(said).toMatch(/[\d,]+ tokens\/s/);
  await host.dispose();
  backend.dispose();
});
