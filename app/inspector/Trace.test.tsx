import { renderToStaticMarkup } from 'react-dom/server';
import { describe, expect, it } from 'vitest';
import type { SequenceDetail } from '../../src/engine/lab/protocol';
import { Trace } from './Trace';
import { directionOf, shown } from './token-text';

const detail = (prompt: string, texts: readonly string[]): SequenceDetail => ({
  index: 0,
  group: 0,
  prompt,
  response: texts.join(''),
  length: texts.length,
  reward: 0,
  advantage: 0,
  logWeight: 0,
  finished: true,
  crossEntropyOld: 1,
  crossEntropyNew: 1,
  shannonOld: null,
  shannonNew: null,
  tokens: texts.map((text, id) => ({
    id,
    text,
    logpOld: -1,
    logpNew: -1,
    logRatio: 0,
    runningMean: 0,
    entropyOld: null,
    entropyNew: null,
  })),
});

const html = (prompt: string, ...texts: string[]) =>
  renderToStaticMarkup(<Trace sequence={detail(prompt, texts)} />);
const tokensOf = (markup: string) =>
  [...markup.matchAll(/<button[^>]*>(.*?)<\/button>/g)].map(([, inside]) => inside);

describe('texts of tokens', () => {
  it.each([
    ['', '∅'],
    [' a\n', '␣a⏎'],
    ['\t\r', '⇥␍'],
    ['\u0000', '<U+0000>'],
    ['\u202egnp.exe', '<U+202E>gnp.exe'],
    ['\u0301', '◌\u0301'],
    ['<0xE2>', '<0xE2>'],
    ['👩‍👧', '👩‍👧'],
    ['می\u200cخواهم', 'می\u200cخواهم'],
  ])('%j is seen as %j', (text, seen) => {
    expect(shown(text)).toBe(seen);
  });

  it('are written in the direction of their first letter', () => {
    expect(directionOf('12 שלום world')).toBe('rtl');
    expect(directionOf('hello שלום')).toBe('ltr');
    expect(directionOf('مرحبا')).toBe('rtl');
    expect(directionOf('12, 13')).toBe('ltr');
  });
});

describe('a response', () => {
  it('from the right to the left has its tokens in that order, each for itself', () => {
    const markup = html('Say it:', 'של', 'ום', ' abc');
    expect(markup).toMatch(/class="tokens" dir="rtl"/);
    expect(tokensOf(markup)).toEqual(['של', 'ום', '␣abc'].map((text) => `<bdi>${text}</bdi>`));
    expect(markup).toContain('<bdi class="token-prompt">Say it:</bdi>');
  });

  it('with a script in a token, or in its prompt, shows it as a text', () => {
    const script = '<script>alert(1)</script>';
    const markup = html(script, script, '"><img src=x onerror=alert(1)>');
    expect(markup).not.toMatch(/<script|<img/);
    expect(tokensOf(markup)[0]).toBe('<bdi>&lt;script&gt;alert(1)&lt;/script&gt;</bdi>');
  });
});
