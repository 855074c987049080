import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { GROUP_IDS } from '../../../src/experiments/manifest';
import { readLedger } from '../../state/recorded-ledger';
import { readRecording } from '../../state/recording';
import { ANSWERS, type Records } from './answers';

const text = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');
const records: Records = {
  ledger: readLedger(text('docs/ledger.json')),
  objectives: readRecording('objectives', text('app/recorded/objectives.json'))?.result ?? null,
};

it('every question has an answer from what ships, and none without it', () => {
  for (const group of GROUP_IDS) {
    const answer = ANSWERS[group](records);
    expect(answer?.lines.length, group).toBeGreaterThan(2);
    expect(`${answer?.words} ${answer?.from}`, group).not.toMatch(/undefined|NaN|null/);
    expect(ANSWERS[group]({ ledger: null, objectives: null }), group).toBe(null);
  }
});

it('a claim that no longer holds changes what is said', () => {
  const { ledger } = records;
  if (ledger === null) throw new Error('docs/ledger.json is no ledger');
  const failing = (id: string) => ({
    ...records,
    ledger: {
      ...ledger,
      claims: ledger.claims.map((claim) =>
        claim.id === id ? { ...claim, verdict: 'fails' as const, measured: 0.5 } : claim,
      ),
    },
  });
  const identity = ANSWERS.identity(failing('equivalence.entropy'));
  expect(identity?.words).toBe('The three ways of writing it do not agree everywhere.');
  expect(identity?.lines.map(({ verdict }) => verdict)).toEqual(['holds', 'holds', 'fails']);
  expect(identity?.lines[2]?.measured).toBe('off by 0.50 at most');
  expect(ANSWERS.law(records)?.words).toContain('on 4 of 7 pairs');
  expect(ANSWERS.law(failing('variance.level'))?.words).toContain('on 0 of 7 pairs');
  expect(ANSWERS.train(failing('series.grpo-accuracy'))?.words).not.toContain('Both get better');
});

it('a file that is no ledger is none', () => {
  const ledger = text('docs/ledger.json');
  expect(readLedger(ledger)).not.toBe(null);
  expect(readLedger(ledger.slice(0, -10))).toBe(null);
  expect(readLedger(ledger.replaceAll('"verdict": "holds"', '"verdict": "true"'))).toBe(null);
  expect(readLedger('<!doctype html>')).toBe(null);
});
