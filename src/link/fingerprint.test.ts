import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  CHECK_BITS,
  compareFingerprints,
  figureWords,
  makeFingerprint,
  MAX_FIGURES,
  readFingerprint,
  tokenWords,
  writeFingerprint,
  type Figure,
  type Fingerprint,
  type FingerprintInput,
} from './fingerprint';

const FILES = {
  onnx: '6d51f131aa',
  old: 'ccc4da09aa',
  new: '0a29075baa',
  config: '8f3b1122aa',
  tokenizer: '5d0c77e1aa',
};
const NOT_HELD = { config: null, tokenizer: null };
const CLAIMS = 0x3be1f00d;
const FIGURES: Figure[] = [
  { id: 'variance.slope', label: 'slope', value: -1.18, tolerance: 0.004 },
  { id: 'log-weight.sd', label: 'sd of log s', value: 3.2e-3, tolerance: 3e-6 },
  { id: 'variance.level', label: 'level', value: null, tolerance: 0 },
];

/** n responses of `length` tokens whose ids count up. */
function rollouts(n: number, length = 5, synthetic = false): FingerprintInput {
  const tokens = n * length;
  return {
    offsets: Uint32Array.from({ length: n + 1 }, (_, i) => i * length),
    tokenIds: Int32Array.from({ length: tokens }, (_, t) => (synthetic ? -1 : t % 23)),
    logpOld: Float32Array.from({ length: tokens }, (_, t) => -1 - (t % 7) / 10),
    logpNew: Float32Array.from({ length: tokens }, (_, t) => -1 - (t % 11) / 10),
  };
}

const throughText = (input: FingerprintInput, files: typeof FILES | null, figures = FIGURES) => {
  const read = readFingerprint(writeFingerprint(makeFingerprint(input, files, figures, CLAIMS)));
  if (read === null) throw new Error('the fingerprint was not read');
  return read;
};

describe('a fingerprint', () => {
  test.each([1, 3, 512, 1536, 1537, 5120, 40_000])('of %d responses repeats itself', (n) => {
    const here = makeFingerprint(rollouts(n), FILES, FIGURES, CLAIMS);
    const link = throughText(rollouts(n), FILES);
    expect(link).toEqual(here);
    const { same, allTokens, differing, otherFiles, figures } = compareFingerprints(
      link,
      here,
      FIGURES,
    );
    expect({ same, allTokens, otherFiles }).toEqual({
      same: true,
      allTokens: true,
      otherFiles: [],
    });
    expect(differing.blocks).toBe(0);
    expect(figures.map(({ within }) => within)).toEqual([true, true, true]);
  });

  test('fits a link and a QR code, whatever the run', () => {
    const many = Array.from({ length: 100 }, (_, i) => ({ ...FIGURES[0], id: `${i}` }));
    const text = writeFingerprint(makeFingerprint(rollouts(40_000), FILES, many, CLAIMS));
    expect(throughText(rollouts(40_000), FILES, many).figures).toHaveLength(MAX_FIGURES);
    expect(text.length).toBeLessThan(700);
    expect(CHECK_BITS / 6).toBeLessThan(300);
  });

  test('one token that differs is found, and its response counted', () => {
    fc.assert(
      fc.property(fc.nat(511), fc.nat(4), (response, position) => {
        const other = rollouts(512);
        const at = response * 5 + position;
        other.tokenIds[at] = other.tokenIds[at] + 1;
        const found = compareFingerprints(
          throughText(rollouts(512), FILES),
          makeFingerprint(other, FILES, FIGURES, CLAIMS),
          FIGURES,
        );
        expect(found.same).toBe(false);
        expect(found.allTokens).toBe(false);
        // three bits a response: missed once in eight
        expect(found.differing.blocks).toBeLessThanOrEqual(1);
      }),
    );
  });

  test('other tokens everywhere: most responses are told to differ', () => {
    const other = rollouts(192);
    other.tokenIds.forEach((id, t) => (other.tokenIds[t] = id + 1));
    const { differing } = compareFingerprints(
      throughText(rollouts(192), FILES),
      makeFingerprint(other, FILES, FIGURES, CLAIMS),
      FIGURES,
    );
    // eight bits a response: about 191.25 of 192
    expect(differing.blocks).toBeGreaterThan(185);
    expect(differing).toMatchObject({ of: 192, share: 1 });
  });

  test('the same tokens cut elsewhere are not the same responses', () => {
    const whole = rollouts(4);
    const cut = { ...whole, offsets: Uint32Array.of(0, 4, 10, 15, 20) };
    const found = compareFingerprints(
      throughText(whole, FILES),
      makeFingerprint(cut, FILES, FIGURES, CLAIMS),
      FIGURES,
    );
    expect(found.allTokens).toBe(false);
  });

  test('figures are the same within their tolerance, and by how much they differ is told', () => {
    const link = throughText(rollouts(8), FILES);
    const here = makeFingerprint(rollouts(8), FILES, FIGURES, CLAIMS);
    const measured = (slope: number) =>
      FIGURES.map((figure, i) => (i === 0 ? { ...figure, value: slope } : figure));
    const close = compareFingerprints(link, here, measured(-1.1835));
    expect(close.same).toBe(true);
    const far = compareFingerprints(link, here, measured(-1.17));
    expect(far.same).toBe(false);
    expect(far.figures[0]).toMatchObject({ within: false, tolerance: 0.004, here: -1.17 });
    expect(far.figures[0]?.difference).toBeCloseTo(0.01, 6);
    const lost = compareFingerprints(link, here, measured(Number.NaN));
    expect(lost.figures[0]).toMatchObject({ within: false, difference: null });
    const fewer = compareFingerprints(link, here, FIGURES.slice(1));
    // The same run on another page, which measures other figures, is the same run.
    expect(fewer).toMatchObject({ same: true, unknownFigures: 1 });
    expect(figureWords(fewer)).toMatch(/1 of the link’s figures is of another page/);
  });

  test('figures of claims are not compared where other claims judged them, and that is said', () => {
    const general = { id: 'run.mean-log-weight', label: 'mean', value: 0.1, tolerance: 1e-6 };
    const all = [general, ...FIGURES];
    const here = makeFingerprint(rollouts(8), FILES, all, CLAIMS);
    // a link of version 1 names no claims at all
    for (const claims of [CLAIMS + 1, null]) {
      const written = writeFingerprint({ ...here, claims });
      const link = readFingerprint(written);
      const small = claims === null && { policies: { ...here.policies, ...NOT_HELD } };
      expect(link).toEqual({ ...here, ...small, claims });
      const moved = all.map((own) => (own === general ? own : { ...own, value: 7 }));
      const compared = compareFingerprints(link as Fingerprint, here, moved);
      expect(compared).toMatchObject({ same: true, unknownFigures: 0, otherRules: 3 });
      expect(figureWords(compared)).toMatch(/1 of 1 .*other rules .* 3 claims are not compared/);
      const off = compareFingerprints(link as Fingerprint, here, [{ ...general, value: 0.2 }]);
      expect(off).toMatchObject({ same: false, otherRules: 3 });
    }
    const same = compareFingerprints(here, here, all);
    expect(same).toMatchObject({ same: true, otherRules: 0 });
    expect(figureWords(same)).not.toMatch(/rules/);
  });

  test('other policy files, and a run of another size, are told', () => {
    const link = throughText(rollouts(8), FILES);
    const files = { ...FILES, new: 'ffffffff' };
    const other = compareFingerprints(
      link,
      makeFingerprint(rollouts(8), files, [], CLAIMS),
      FIGURES,
    );
    expect(other).toMatchObject({ same: false });
    expect(tokenWords(other)).toMatch(/: the checkpoint of the new policy; so nothing/);
    const swapped = { ...FILES, config: 'eeeeeeee', tokenizer: 'dddddddd' };
    const small = compareFingerprints(
      link,
      makeFingerprint(rollouts(8), swapped, FIGURES, CLAIMS),
      FIGURES,
    );
    expect(small).toMatchObject({ same: false, otherFiles: ['config.json', 'tokenizer.json'] });
    // A link of before the small files were held cannot tell.
    const { policies } = link;
    if (policies === null) throw new Error('no policy files');
    const text = writeFingerprint({ ...link, policies: { ...policies, ...NOT_HELD } });
    const before = readFingerprint(text) as Fingerprint;
    expect(before.policies).toEqual({ ...policies, ...NOT_HELD });
    expect(before.claims).toBe(CLAIMS);
    const here = makeFingerprint(rollouts(8), swapped, FIGURES, CLAIMS);
    expect(compareFingerprints(before, here, FIGURES)).toMatchObject({ same: true });
    const larger = compareFingerprints(
      link,
      makeFingerprint(rollouts(9), FILES, [], CLAIMS),
      FIGURES,
    );
    expect(larger).toMatchObject({ same: false, sequences: { link: 8, here: 9 } });
  });

  test('synthetic rollouts: log-ratios to five decimals', () => {
    const nudged = rollouts(8, 5, true);
    nudged.logpNew = Float64Array.from(nudged.logpNew, (x) => x + 1e-8);
    const moved = rollouts(8, 5, true);
    moved.logpNew = Float64Array.from(moved.logpNew, (x, t) => (t === 7 ? x + 1e-4 : x));
    const link = throughText(rollouts(8, 5, true), null);
    const against = (input: FingerprintInput) =>
      compareFingerprints(link, makeFingerprint(input, null, FIGURES, CLAIMS), FIGURES);
    expect(against(nudged)).toMatchObject({ same: true, otherFiles: [], compares: 'log-ratios' });
    expect(against(moved)).toMatchObject({ same: false, allTokens: false });
  });

  test('whatever text a link holds: a fingerprint that the schema passes, or none', () => {
    const good = writeFingerprint(makeFingerprint(rollouts(30), FILES, FIGURES, CLAIMS));
    expect(readFingerprint(good)).not.toBe(null);
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.base64String(),
          fc
            .tuple(fc.nat(good.length - 1), fc.constantFrom(...'AZaz09-_%='))
            .map(([at, letter]) => good.slice(0, at) + letter + good.slice(at + 1)),
          fc.nat(good.length - 1).map((length) => good.slice(0, length)),
        ),
        (text) => {
          const read = readFingerprint(text);
          if (read !== null) expect(readFingerprint(writeFingerprint(read))).toEqual(read);
        },
      ),
      { numRuns: 3000 },
    );
    expect(readFingerprint('A'.repeat(100_000))).toBe(null);
    expect(readFingerprint('')).toBe(null);
  });
});
