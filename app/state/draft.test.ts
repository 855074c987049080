import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  DEFAULT_POLICIES,
  DEFAULT_SETTINGS,
  DEFAULT_SYNTHETIC,
  parseRunSettings,
  policiesSourceSchema,
  runDifferences,
  syntheticSourceSchema,
  type RunSettings,
} from '../../src/settings/run';
import { readTyped, settingsOf, type Setting } from '../../src/settings/setting';
import { draftOf, readDraft } from './draft';

const synthetic: RunSettings = { backend: 'wasm', source: DEFAULT_SYNTHETIC };

const POLICIES = settingsOf(policiesSourceSchema);
const ALPHA = POLICIES.get('alpha') as Setting;
const TAIL = settingsOf(syntheticSourceSchema).get('tailDegrees') as Setting;

describe('a draft', () => {
  it.each([DEFAULT_SETTINGS, synthetic])('of valid settings reads back as them', (settings) => {
    expect(readDraft(draftOf(settings))).toEqual({ settings, issues: {} });
  });

  it('keeps the other source while one is edited', () => {
    const policies = draftOf({
      backend: 'auto',
      source: { ...DEFAULT_POLICIES, alpha: 0.25 },
    });
    expect(draftOf(synthetic, policies).policies.alpha).toBe('0.25');
  });

  it('agrees with the schema on every number: accepted here if and only if accepted there', () => {
    const fields = [...POLICIES.values()].filter(({ shape }) => shape.kind === 'number');
    const numbers = fc.oneof(
      fc.integer({ min: -10, max: 5000 }),
      fc.double({ noNaN: true, min: -5, max: 10 }),
      fc.constantFrom(0, -1, 2, 4, 64, 65, 224, 225, 4096, 4097, 2 ** 32 - 1, 2 ** 32, 0.05),
    );
    fc.assert(
      fc.property(fc.constantFrom(...fields), numbers, (field, value) => {
        const source = {
          ...DEFAULT_POLICIES,
          minOperators: 1,
          maxOperators: 9,
          [field.key]: value,
        };
        let accepted = true;
        try {
          parseRunSettings({ backend: 'auto', source });
        } catch {
          accepted = false;
        }
        const draft = draftOf(DEFAULT_SETTINGS);
        const read = readDraft({
          ...draft,
          policies: { ...draft.policies, [field.key]: String(value) },
        });
        expect(read.settings !== null).toBe(accepted);
      }),
      { numRuns: 500 },
    );
  });

  it('explains a wrong value at its own field and at no other', () => {
    const draft = draftOf(DEFAULT_SETTINGS);
    const { settings, issues } = readDraft({
      ...draft,
      policies: { ...draft.policies, prompts: '0', temperature: '1,5' },
    });
    expect(settings).toBeNull();
    expect(issues).toEqual({
      prompts: 'Needs a whole number from 1 to 4096; this is 0.',
      temperature: '“1,5” is not a number. Write the decimal point as a dot.',
    });
  });

  it('refuses a range that is upside down, at its upper end', () => {
    const draft = draftOf(DEFAULT_SETTINGS);
    const { issues } = readDraft({
      ...draft,
      policies: { ...draft.policies, minOperators: '5', maxOperators: '3' },
    });
    expect(Object.keys(issues)).toEqual(['maxOperators']);
  });
});

describe('what a person typed', () => {
  it('takes an empty field for missing, not for zero', () => {
    expect(readTyped(ALPHA, '  ')).toHaveProperty('issue');
  });

  it('takes a typographic minus', () => {
    expect(readTyped(ALPHA, '−0.5')).toEqual({ value: -0.5 });
  });

  it('knows that zero tail degrees mean normal, and nothing between 0 and 2.1', () => {
    expect(readTyped(TAIL, '0')).toEqual({ value: 0 });
    expect(readTyped(TAIL, '1')).toHaveProperty('issue');
    expect(readTyped(TAIL, '3')).toEqual({ value: 3 });
  });
});

describe('differences', () => {
  it('are none between a run and itself, and name what changed', () => {
    expect(runDifferences(DEFAULT_SETTINGS, DEFAULT_SETTINGS)).toEqual([]);
    const changed = { ...DEFAULT_SETTINGS, source: { ...DEFAULT_POLICIES, alpha: 0.5 } };
    expect(runDifferences(DEFAULT_SETTINGS, changed)).toEqual([
      { name: 'α', before: '1', after: '0.5' },
    ]);
  });

  it('of two kinds of source are their kind', () => {
    expect(runDifferences({ ...synthetic, backend: 'auto' }, DEFAULT_SETTINGS)).toEqual([
      { name: 'source', before: 'synthetic', after: 'policies' },
    ]);
  });
});
