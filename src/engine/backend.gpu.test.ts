/** A real adapter on its way to be used: opened, checked with a policy, its batch found. */
import { expect, test } from 'vitest';
import { tinyPolicy } from '../../models/build/tiny';
import { loadRuntime } from '../policy/runtime';
import { PolicyHost } from '../policy/host';
import { SITE_ASSETS } from './assets';
import { openBackend } from './backend';
import { provePolicy } from './device-proof';

const wasm = () => loadRuntime('wasm', { assets: SITE_ASSETS });

test('the adapter of this machine agrees, and what it samples per second is told', async () => {
  const { files, manifest } = await tinyPolicy();
  const backend = await openBackend('webgpu', SITE_ASSETS);
  expect(backend.info.trouble).toBeUndefined();
  const host = await PolicyHost.open(await backend.runtime(), files, manifest);
  const began = performance.now();
  expect(await backend.prove(host)).toBe(backend);
  const { info, kernels } = backend;
  console.log(`checked in ${Math.round(performance.now() - began)} ms: ${JSON.stringify(info)}`);
  // A software adapter may be slower than WebAssembly; that it computes something else is no excuse.
  const said = info.trouble ?? info.reason;
  expect(said).toContain('It agrees with WebAssembly');
  // As a hardware adapter, also where it is none: made to show its speed, and its batch.
  const options = { patienceMs: Infinity, software: false };
  const { speed } = await provePolicy(host, kernels, wasm, options);
  console.log(JSON.stringify(speed));
  expect(speed?.device.rows).toBeGreaterThanOrEqual(32);
  expect(speed?.device.tokensPerSecond).toBeGreaterThan(0);
  await host.dispose();
  backend.dispose();
});
