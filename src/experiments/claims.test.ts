import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { CLAIM_FAMILIES, claimsDocument, claimsHash, declarationOf } from './claims';
import { EXPERIMENT_IDS } from './manifest';

const all = Object.values(CLAIM_FAMILIES).flat();

describe('the registry of claims', () => {
  it('is what docs/claims.md says', async () => {
    const written = await readFile('docs/claims.md', 'utf8');
    expect(written, 'run `npm run claims`').toBe(claimsDocument());
    expect(written).toContain(claimsHash());
  });

  it('has every claim once, with a margin around its prediction', () => {
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
    for (const own of all) {
      expect(declarationOf(own.id)).toBe(own);
      if (own.kind === 'identity') continue;
      expect(own.margin.low, own.id).toBeLessThan(own.margin.high);
      if (own.prediction === null) continue;
      expect(own.prediction, own.id).toBeGreaterThan(own.margin.low);
      expect(own.prediction, own.id).toBeLessThan(own.margin.high);
    }
  });

  it('names a page of the lab first in every id', () => {
    for (const id of EXPERIMENT_IDS) {
      for (const own of CLAIM_FAMILIES[id]) expect(own.id.split('.')[0]).toBe(id);
    }
  });
});
