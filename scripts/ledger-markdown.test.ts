import { describe, expect, it } from 'vitest';
import type { Ledger, LedgerClaim } from '../src/engine/headless/reproduce';
import { ledgerMarkdown } from './ledger-markdown';

function claim(id: string, pair: string, given: Partial<LedgerClaim>): LedgerClaim {
  return {
    id,
    claim: `Claim ${id}.`,
    source: 'lab',
    prediction: 0,
    margin: [-1, 1],
    measured: 0.12345,
    interval: [-0.1, 23456],
    n: 10,
    nOf: 'prompts',
    verdict: 'holds',
    detected: false,
    clusters: 10,
    settledBy: null,
    note: null,
    keptFrom: null,
    rule: 'A rule.',
    working: null,
    pair,
    experiment: 'variance',
    recorded: false,
    ...given,
  };
}

const pair = (id: string, title: string) => ({ id, title, policy: 'tiny', old: 'a', new: id });

const LEDGER: Ledger = {
  app: '1.2.3',
  seed: 7,
  backend: 'wasm',
  kernels: 'cpu',
  adapter: 'not used',
  size: 'full',
  prompts: 640,
  groupSize: 8,
  maxOperators: 9,
  policies: [{ name: 'tiny', sha256: 'f'.repeat(64) }],
  pairs: [pair('near', 'Near | by'), pair('far', 'Far')],
  samples: 1,
  claimsHash: 'e'.repeat(64),
  multiplicity: { method: 'A method.', claims: 4, given: 2, expectedWrong: 0.1, alpha: 0.025 },
  claims: [
    claim('same', 'near', { source: 'liu', prediction: -1, verdict: 'fails' }),
    claim('own', 'near', { detected: true }),
    claim('same', 'far', { source: 'liu', prediction: -1, verdict: 'departs', settledBy: 99 }),
    claim('own', 'far', { verdict: 'not applicable', measured: null, interval: null }),
  ],
};

const lines = ledgerMarkdown(LEDGER).split('\n');

describe('a ledger as Markdown', () => {
  it('has a line per claim and a column per pair, the paper’s claims before the lab’s own', () => {
    const [paper, lab] = ['## The paper', '## The lab'].map((head) =>
      lines.findIndex((line) => line.startsWith(head)),
    ) as [number, number];
    const same =
      '| Claim same. `same` | -1 | -1 to 1 | **fails**, 0.123 [-0.1, 2.3e4] | departs, 0.123 [-0.1, 2.3e4]; 99 prompts would settle it |';
    const own =
      '| Claim own. `own` | 0 | -1 to 1 | holds, 0.123 [-0.1, 2.3e4], detected, too small to matter | not applicable |';
    expect(lines.indexOf(same)).toBeGreaterThan(paper);
    expect(lines.indexOf(same)).toBeLessThan(lab);
    expect(lines.indexOf(own)).toBeGreaterThan(lab);
    expect(lines).toContain('| claim | predicted | margin | Near \\| by | Far |');
  });

  it('counts verdicts, expected false alarms and samples', () => {
    const text = lines.join('\n');
    expect(text).toContain('640 prompts x 8 responses a pair');
    expect(text).toContain(
      'Of 4 claims 1 hold, 1 fail, 1 depart, 0 are undecided, 1 do not apply.',
    );
    expect(text).toContain('2 verdicts were given, 0.1 at most are expected to be wrong');
    expect(text).toContain('The 2 pairs rest on 1 samples');
    expect(text).toContain('`ffffffffffffffff`');
  });
});
