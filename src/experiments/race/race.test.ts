import { describe, expect, test } from 'vitest';
import { localFiles } from '../../../scripts/node/ort';
import type { Claim } from '../experiment';
import { SHIPPED_RACE } from '../../settings/training';
import { Random, STREAM } from '../../math/philox';
import { fetchCatalogue } from '../../policy/fetch';
import { fetchSeries, shippedSeries, type Series, type ShippedSeries } from '../../training/series';
import { seriesClaims } from '.';

async function shipped(): Promise<ShippedSeries[]> {
  const manifest = (await fetchCatalogue(localFiles)).find(
    ({ name }) => name === 'arithmetic-dense',
  );
  if (!manifest) throw new Error('arithmetic-dense is not shipped');
  const curves = await Promise.all(
    (manifest.races ?? []).map(({ file }) => fetchSeries(localFiles, manifest.name, file)),
  );
  return shippedSeries(manifest, curves);
}

const byId = (claims: readonly Claim[]) => new Map(claims.map((claim) => [claim.id, claim]));

/** Known truth in the form of a series: 200 steps of independent noise around given levels. */
function planted(
  like: ShippedSeries,
  seed: number,
  truth: { clip: number; spread: number; ratio: number; entropySlope: number },
): ShippedSeries {
  const random = new Random(seed, STREAM.synthetic);
  const steps = like.series.steps.map((report, t): Series['steps'][number] => ({
    ...report,
    clip: { trl: null, verl: truth.clip * Math.exp(0.5 * random.normal()) },
    gradientNorm: Math.exp(truth.spread * random.normal()),
    entropy: 0.1 + (truth.entropySlope * t) / 200 + 0.005 * random.normal(),
    weights: {
      ...report.weights,
      predictedVariance: 1e-4,
      variance: 1e-4 * truth.ratio * Math.exp(0.2 * random.normal()),
    },
  }));
  return { ...like, series: { ...like.series, steps } };
}

describe('claims on the shipped race', () => {
  test('are eight, each with an interval and the recorded steps behind it', async () => {
    const claims = seriesClaims(await shipped());
    // The page's preset, the recipe and the curves are one race.
    for (const { series } of await shipped()) {
      expect(series.settings).toEqual({ ...SHIPPED_RACE, backend: 'wasm' });
    }
    expect(claims.map(({ id }) => id)).toEqual([
      'series.clip-shares',
      'series.stability',
      ...['gspo', 'grpo'].flatMap((name) =>
        ['accuracy', 'entropy', 'variance'].map((what) => `series.${name}-${what}`),
      ),
    ]);
    for (const { interval, measured, n } of claims) {
      expect(interval?.[0]).toBeLessThan(measured as number);
      expect(interval?.[1]).toBeGreaterThan(measured as number);
      expect(n).toBeGreaterThanOrEqual(200);
    }
    // GSPO raises held-out accuracy by at least ten points.
    expect(byId(claims).get('series.gspo-accuracy')?.measured).toBeGreaterThan(0.1);
  });

  test('hold where the truth is planted so, and fail where it is not', async () => {
    const [gspo, grpo] = (await shipped()) as [ShippedSeries, ShippedSeries];
    const good = { clip: 0.03, spread: 0.3, ratio: 1, entropySlope: -0.02 };
    const holds = seriesClaims([
      planted(gspo, 1, good),
      planted(grpo, 2, { ...good, clip: 0.0003, spread: 0.6 }),
    ]);
    for (const { id, verdict } of holds) {
      // the checkpoints' own accuracy is not planted
      if (!id.endsWith('accuracy')) expect([id, verdict]).toEqual([id, 'holds']);
    }
    const bad = { clip: 0.003, spread: 0.6, ratio: 1.5, entropySlope: 0.02 };
    const fails = byId(
      seriesClaims([planted(gspo, 3, bad), planted(grpo, 4, { ...bad, spread: 0.3 })]),
    );
    for (const id of ['clip-shares', 'stability', 'gspo-entropy', 'gspo-variance'])
      expect([id, fails.get(`series.${id}`)?.verdict]).toEqual([id, 'fails']);
  });

  test('a damaged file of curves is named', async () => {
    const files = (text: string) => async () => new TextEncoder().encode(text);
    await expect(fetchSeries(files('{'), 'p', 'training/x.json')).rejects.toThrow(
      'models/p/training/x.json is not JSON',
    );
    await expect(fetchSeries(files('{"racer":0}'), 'p', 'training/x.json')).rejects.toThrow(
      /models\/p\/training\/x\.json: settings/,
    );
  });
});
