import * as fc from 'fast-check';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { EXPERIMENT_IDS } from '../experiments/manifest';
import { EXPERIMENTS } from '../experiments/registry';
import { experimentSettings } from './experiments';
import { viewOf } from './testing';

describe('what pages ask the experiments with', () => {
  test.each(EXPERIMENT_IDS)('%s: always within the schema', (page) => {
    fc.assert(
      fc.property(viewOf(page), (view) => {
        const asked = experimentSettings(page, view);
        expect(v.is(EXPERIMENTS[page].schema, asked?.settings)).toBe(true);
      }),
      { numRuns: 100 },
    );
  });
});
