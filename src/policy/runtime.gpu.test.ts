/** Which build of onnxruntime a browser with WebGPU fetches, and that each that it can run computes the same. */
import { expect, test } from 'vitest';
import { tinyPolicy } from '../../models/build/tiny';
import { SITE_ASSETS } from '../engine/assets';
import { openDevice } from '../gpu/device';
import { PolicyHost } from './host';
import { buildFor, hasJspi, loadRuntime, type OrtBuild } from './runtime';
import { sampleSequences } from './sample';

const tiny = await tinyPolicy();
const { device } = await openDevice();

/** Builds whose WebAssembly this page has fetched. */
const fetched = (): OrtBuild[] => {
  const names = performance.getEntriesByType('resource').map(({ name }) => name);
  const builds: OrtBuild[] = ['jspi', 'asyncify', 'wasm'];
  return builds.filter((build) => names.includes(SITE_ASSETS[build].wasm));
};

async function sampled(build?: OrtBuild): Promise<number[][]> {
  const options = { assets: SITE_ASSETS, device, ...(build ? { build } : {}) };
  const host = await PolicyHost.open(
    await loadRuntime('webgpu', options),
    tiny.files,
    tiny.manifest,
  );
  const { old } = await host.pair('a', 'b', 1);
  const { tokenizer, maxPositions, endToken, padToken } = host.files;
  const { sequences } = await sampleSequences(host.session, old, {
    prompts: ['8*3+2-6=', '1+1='].map((text) => tokenizer.encode(text)),
    ...{ firstSequence: 0, seed: 3, temperature: 1, maxLength: 10 },
    ...{ maxPositions, endToken, padToken },
  });
  await host.dispose();
  return sequences.map(({ tokens }) => tokens);
}

test('only the build that this browser can make most of is fetched; the other samples the same', async () => {
  const chosen = buildFor('webgpu');
  expect(chosen).toBe(hasJspi() ? 'jspi' : 'asyncify');
  expect(fetched()).toEqual([]);
  const tokens = await sampled();
  expect(fetched()).toEqual([chosen]);
  console.log(`onnxruntime's build here: ${chosen}`);
  if (chosen === 'asyncify') return;
  expect(await sampled('asyncify')).toEqual(tokens);
  expect(fetched()).toEqual(['jspi', 'asyncify']);
});
