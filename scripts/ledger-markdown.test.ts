import { describe, expect, it } from 'vitest';
import type { Ledger, LedgerClaim } from '../src/engine/headless/reproduce';
import { BEGIN, END, intoDocument, ledgerMarkdown } from './ledger-markdown';

function claim(id: string, pair: string, given: Partial<LedgerClaim>): LedgerClaim {
  return {
    id,
    claim: `Claim ${id}.`,
    prediction: 0,
    measured: 0.12345,
    interval: [-0.1, 23456],
    n: 10,
    nOf: 'prompts',
    verdict: 'holds',
    rule: 'A rule.',
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
  claims: [
    claim('same', 'near', { prediction: -1, verdict: 'fails' }),
    claim('own', 'near', { claim: 'At its best at 33 tokens.', prediction: 0.0002 }),
    claim('same', 'far', { prediction: -1, verdict: 'too few', measured: null, interval: null }),
    claim('own', 'far', { claim: 'At its best at 41 tokens.', prediction: 5 }),
  ],
};

const lines = ledgerMarkdown(LEDGER).split('\n');

describe('a ledger as Markdown', () => {
  it('has a line per claim and a column per pair', () => {
    expect(lines).toContain('| claim (prediction) | Near \\| by | Far |');
    expect(lines).toContain('| Claim same (-1) | **fails**, 0.123 [-0.1, 2.3e4] | too few |');
  });

  it('names predictions where they differ from pair to pair, and drops their lengths', () => {
    expect(lines).toContain(
      '| At its best | holds, 0.123 [-0.1, 2.3e4] against 2.0e-4 | holds, 0.123 [-0.1, 2.3e4] against 5 |',
    );
  });

  it('counts verdicts and says on what they rest', () => {
    const text = lines.join('\n');
    expect(text).toContain('seed 7');
    expect(text).toContain('640 prompts x 8 responses a pair');
    expect(text).toContain('Of 4 claims 2 hold, 1 fail, 1 rest on too few data.');
    expect(text).toContain('`ffffffffffffffff`');
  });

  it('goes between the marks of a document, again and again, and nowhere else', () => {
    const document = `before\n${BEGIN}\nold\n${END}\nafter\n`;
    const once = intoDocument(document, 'new') ?? '';
    expect(once).toBe(`before\n${BEGIN}\n\nnew\n\n${END}\nafter\n`);
    expect(intoDocument(once, 'new')).toBe(once);
    expect(intoDocument(`${END}\n${BEGIN}`, 'new')).toBeUndefined();
    expect(intoDocument('no marks', 'new')).toBeUndefined();
  });
});
