import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LedgerClaim, LedgerHead } from '../../../src/engine/headless/reproduce';
import { countsOf, countWords, csvOf, stripOf } from './ledger';

const CLAIM: LedgerClaim = {
  id: 'variance.slope',
  claim: 'Var[log s] falls like 1/L: slope -1, "as predicted".',
  prediction: -1,
  source: 'liu',
  margin: [-1.2, -0.8],
  detected: false,
  clusters: 10,
  settledBy: null,
  note: null,
  keptFrom: null,
  working: null,
  measured: -0.93,
  interval: [-1.02, -0.84],
  n: 10,
  nOf: 'lengths',
  verdict: 'holds',
  rule: 'Line one,\nline two.',
  pair: 'near',
  experiment: 'variance',
  recorded: false,
};

/** A strict reader of RFC 4180, to read back what was written. */
function parse(csv: string): string[][] {
  const rows: string[][] = [[]];
  const pattern = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/gy;
  for (let match = pattern.exec(csv); match !== null; match = pattern.exec(csv)) {
    const [, quoted, plain = '', end] = match;
    rows.at(-1)?.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === '\r\n') rows.push([]);
  }
  return rows.slice(0, -1);
}

describe('the ledger as CSV', () => {
  it('reads back as it was, whatever the text and to the last digit', () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        (text, measured) => {
          const [, head, row] = parse(csvOf([{ ...CLAIM, claim: text, measured }], null));
          expect(head?.[3]).toBe('claim');
          // A space keeps a spreadsheet from running what looks like a formula.
          expect([text, ` ${text}`]).toContain(row?.[3]);
          expect(row?.[3]).not.toMatch(/^[=+@]/);
          expect(row).toHaveLength(head?.length ?? 0);
          expect(Number(row?.[head?.indexOf('measured') ?? -1])).toBe(
            measured === 0 ? 0 : measured,
          );
          expect(row?.[head?.indexOf('recorded') ?? -1]).toBe('no');
          expect(row?.at(-1)).toBe(CLAIM.rule);
        },
      ),
    );
  });

  it('leaves empty what was not measured', () => {
    const nothing = { measured: null, interval: null, prediction: null, margin: null };
    const [, , row] = parse(csvOf([{ ...CLAIM, ...nothing }], null));
    expect(row?.slice(5, 11)).toEqual(['', '', '', '', '', '']);
  });

  it('says above the lines what a stranger needs to make it again', () => {
    const head: LedgerHead = {
      app: '0.1.0',
      seed: 7,
      backend: 'wasm',
      kernels: 'cpu',
      adapter: 'no GPU',
      size: 'quick',
      prompts: 80,
      groupSize: 4,
      maxOperators: 9,
      policies: [{ name: 'tiny/a', sha256: 'ab'.repeat(32) }],
      pairs: [],
      samples: 0,
      claimsHash: 'cd'.repeat(32),
    };
    const link = 'https://example.org/#/reproduce?v=1&ledgerSeed=7';
    const lines = csvOf([CLAIM], { head, link }).split('\r\n');
    const comments = lines.filter((line) => line.startsWith('# '));
    expect(comments).toContain(`# link: ${link}`);
    expect(comments).toContain('# seed: 7');
    expect(comments).toContain(`# sha256 tiny/a: ${'ab'.repeat(32)}`);
    expect(lines[comments.length]).toMatch(/^pair,experiment,id,/);
  });
});

describe('counts', () => {
  it('count every claim once', () => {
    const verdicts = ['holds', 'holds', 'fails', 'departs', 'undecided'] as const;
    expect(countsOf(verdicts.map((verdict) => ({ ...CLAIM, verdict })))).toEqual({
      holds: 2,
      fails: 1,
      departs: 1,
      undecided: 1,
      'not applicable': 0,
    });
    expect(countWords(countsOf([CLAIM, { ...CLAIM, verdict: 'fails' }]))).toBe('1 holds, 1 fails');
  });
});

describe('the strip', () => {
  const finite = fc.double({ noNaN: true, min: -1e6, max: 1e6 });
  it('has the prediction inside the interval exactly where it is in the numbers', () => {
    fc.assert(
      fc.property(finite, fc.tuple(finite, finite), (prediction, ends) => {
        const low = Math.min(...ends);
        const high = Math.max(...ends);
        const measured = (low + high) / 2;
        const strip = stripOf({ ...CLAIM, prediction, measured, interval: [low, high] });
        if (strip === null) throw new Error('a finite claim has a strip');
        expect(strip.low).toBeLessThanOrEqual(strip.high);
        expect(strip.low).toBeGreaterThanOrEqual(0);
        expect(strip.high).toBeLessThanOrEqual(1);
        if (low > prediction + 1e-3) expect(strip.low).toBeGreaterThan(0.5);
        if (high < prediction - 1e-3) expect(strip.high).toBeLessThan(0.5);
      }),
    );
  });

  it('is not drawn without an interval', () => {
    expect(stripOf({ ...CLAIM, interval: null })).toBeNull();
    expect(stripOf({ ...CLAIM, prediction: null })).toBeNull();
  });
});
