import * as fc from 'fast-check';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { EXPERIMENTS } from '../experiments/registry';
import { experimentSettings, hasExperiment } from './experiments';
import { PAGE_IDS } from './pages';
import { viewOf } from './testing';

describe('what pages ask the experiments with', () => {
  test.each(PAGE_IDS.filter(hasExperiment))('%s: always within the schema', (page) => {
    fc.assert(
      fc.property(viewOf(page), (view) => {
        const asked = experimentSettings(page, view);
        expect(v.is(EXPERIMENTS[page].schema, asked?.settings)).toBe(true);
      }),
      { numRuns: 100 },
    );
  });

  test('no page of the experiments is left out', () => {
    expect(PAGE_IDS.filter(hasExperiment).sort()).toEqual(Object.keys(EXPERIMENTS).sort());
  });
});
