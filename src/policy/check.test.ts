/** The check of a policy, its batch and its speed, with sessions that are wrong on purpose. */
import { beforeAll, describe, expect, test } from 'vitest';
import { tinyPolicy } from '../../models/build/tiny';
import { NODE_ASSETS } from '../../scripts/node/ort';
import { cpuKernels } from '../math/cpu-kernels';
import { checkPolicy, type PolicySide } from './check';
import { PolicyHost } from './host';
import { loadRuntime } from './runtime';
import { PolicySession } from './session';
import { bestBatch, LEAST_ROWS, rowsThatFit, samplingSpeed, type Speed } from './speed';

let host: PolicyHost;
let right: PolicySide;
let other: PolicySession;

beforeAll(async () => {
  const { files, manifest } = await tinyPolicy();
  const runtime = await loadRuntime('wasm', { assets: NODE_ASSETS });
  host = await PolicyHost.open(runtime, files, manifest);
  const { session } = host;
  right = { session, weights: session.upload(session.fileWeights), kernels: cpuKernels };
  other = await PolicySession.create(runtime, host.files.onnx, host.files.portNames);
});

/** The same policy, whose weights are read wrongly by a factor. */
function scaled(factor: number): PolicySide {
  const weights = new Map(
    [...host.session.fileWeights].map(([name, { shape, values }]) => [
      name,
      { shape, values: values.map((x) => factor * x) },
    ]),
  );
  return { session: other, weights: other.upload(weights), kernels: cpuKernels };
}

describe('the check of a policy', () => {
  test('a session that computes the same passes', async () => {
    expect(await checkPolicy(scaled(1), right, host.files)).toEqual([]);
  });

  test('one that computes something else is told by what it samples and what it scores', async () => {
    const found = await checkPolicy(scaled(3), right, host.files);
    expect(found.map(({ what }) => what)).toEqual([
      'responses of 4 sampled',
      'scored log-probs',
      'scored entropies',
      'scored collision probabilities',
    ]);
    for (const { by, allowed } of found) expect(by).toBeGreaterThan(allowed);
  });

  test('one whose sampling is right and whose scoring kernel is not', async () => {
    const kernels: PolicySide['kernels'] = {
      ...cpuKernels,
      async tokenStats(...input) {
        const stats = await cpuKernels.tokenStats(...input);
        return { ...stats, logp: stats.logp.map((x) => x + 1e-3) };
      },
    };
    const [only, ...rest] = await checkPolicy({ ...right, kernels }, right, host.files);
    expect(only).toMatchObject({ what: 'scored log-probs' });
    expect(only?.by).toBeGreaterThan(2e-4);
    expect(rest).toEqual([]);
  });
});

describe('the batch of a device', () => {
  const measured = (ms: Record<number, number>) => {
    const asked: number[] = [];
    const measure = async (rows: number): Promise<Speed> => {
      asked.push(rows);
      const msPerStep = ms[rows] ?? NaN;
      return { rows, msPerStep, tokensPerSecond: (1000 * rows) / msPerStep };
    };
    return { asked, measure };
  };

  /** README, "On a real GPU" */
  const H200 = {
    ...{ 32: 15.5, 64: 16.7, 128: 15.3, 256: 14.9, 512: 22.3, 1024: 25.5, 2048: 50.6 },
  };

  test('grows while the time per response falls and a step stays short', async () => {
    const real = measured(H200);
    expect((await bestBatch(real.measure)).rows).toBe(1024);
    expect(real.asked.at(-1)).toBe(2048);
    // twice the rows take twice the time
    const full = measured({ 32: 5, 64: 6, 128: 12 });
    expect((await bestBatch(full.measure)).rows).toBe(64);
    const slow = measured({ 32: 20, 64: 25, 128: 44, 256: 60 });
    expect((await bestBatch(slow.measure)).rows).toBe(128);
  });

  test('is the least where a step takes long already, and never more than fits', async () => {
    const software = measured({ 32: 300 });
    expect((await bestBatch(software.measure)).rows).toBe(LEAST_ROWS);
    expect(software.asked).toEqual([32]);
    const small = measured(H200);
    expect((await bestBatch(small.measure, 300)).rows).toBe(256);
    // 2 layers x key and value x 16 x 64 positions floats, before and after the step
    const fits = rowsThatFit(right, host.files, { maxBufferSize: 2 ** 24 });
    expect(fits).toBe(2 ** 24 / (2 * 4 * 4 * 16 * 64));
    expect(rowsThatFit(right, host.files, { maxBufferSize: 1 })).toBe(LEAST_ROWS);
  });

  test('speed counts the tokens that were sampled', async () => {
    const began = performance.now();
    const speed = await samplingSpeed(right, host.files, 8);
    const seconds = (performance.now() - began) / 1000;
    expect(speed.rows).toBe(8);
    expect(speed.tokensPerSecond).toBeGreaterThan(8 / seconds);
    expect(speed.msPerStep).toBeLessThan(1000 * seconds);
  });
});
