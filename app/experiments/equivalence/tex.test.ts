import fc from 'fast-check';
import katex from 'katex';
import { describe, expect, it } from 'vitest';
import type { SequenceDetail } from '../../../src/engine/lab/protocol';
import { texNumber } from '../../format/numbers';
import { DEFINITIONS, IDENTITY, threeRoutes, workedExample } from './tex';

const logProb = fc.double({ noNaN: true, min: -40, max: -1e-6 });

function detail(pairs: readonly (readonly [number, number])[]): SequenceDetail {
  let sum = 0;
  const tokens = pairs.map(([logpOld, logpNew], t) => {
    sum += logpNew - logpOld;
    return {
      text: 'x',
      id: 1,
      logpOld,
      logpNew,
      logRatio: logpNew - logpOld,
      runningMean: sum / (t + 1),
      entropyOld: null,
      entropyNew: null,
    };
  });
  const length = tokens.length;
  return {
    index: 0,
    group: 0,
    prompt: '1+1=',
    response: 'x'.repeat(length),
    length,
    reward: 1,
    advantage: 0,
    finished: true,
    logWeight: sum / length,
    tokens,
    crossEntropyOld: -tokens.reduce((total, { logpOld }) => total + logpOld, 0) / length,
    crossEntropyNew: -tokens.reduce((total, { logpNew }) => total + logpNew, 0) / length,
    shannonOld: null,
    shannonNew: null,
  };
}

const sequence = fc.array(fc.tuple(logProb, logProb), { minLength: 1, maxLength: 300 }).map(detail);

describe('the worked example', () => {
  it('reaches s by all three routes, for any response', () => {
    fc.assert(
      fc.property(sequence, (response) => {
        const s = Math.exp(response.logWeight);
        for (const route of Object.values(threeRoutes(response))) {
          expect(Math.abs(route / s - 1)).toBeLessThan(1e-10);
        }
      }),
    );
  });

  it('is TeX that KaTeX accepts, with the numbers shown', () => {
    fc.assert(
      fc.property(sequence, (response) => {
        const tex = workedExample(response);
        const html = katex.renderToString(tex, { throwOnError: true, trust: true, strict: false });
        expect(html).toContain('tex-perplexity');
        expect(tex).toContain(`= ${texNumber(threeRoutes(response).entropy, 8)}`);
      }),
      { numRuns: 30 },
    );
  });
});

describe('the formulas', () => {
  it.each([IDENTITY, DEFINITIONS])('are TeX that KaTeX accepts', (tex) => {
    expect(() =>
      katex.renderToString(tex, { throwOnError: true, trust: true, strict: false }),
    ).not.toThrow();
  });
});

describe('texNumber', () => {
  it('writes powers of ten as TeX', () => {
    expect([texNumber(2.1e-7, 2), texNumber(0.97146836, 8), texNumber(-0.5, 2)]).toEqual([
      String.raw`2.1 \times 10^{-7}`,
      '0.97146836',
      '-0.50',
    ]);
  });
});
