import * as fc from 'fast-check';
import * as v from 'valibot';
import { expect, test } from 'vitest';
import { HIDEABLE, openLink, writeLink } from './hash';
import { fieldsOf, isPageId } from './pages';
import { parseRunSettings } from './settings';
import { links } from './testing';

/** Small, fast, seeded: which characters a mutation touches must not depend on the machine. */
function generator(start: number): (below: number) => number {
  let state = start;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

test('10,000 mutated links: settings always within the schema, no error, no prototype touched', () => {
  const random = generator(9);
  const alphabet = 'abcdefghijklmnopqrstuvwxyz0123456789=&?%+-._#/"<>{}[],\u0000é\ud800';
  const bases = [
    '#/equivalence?v=1&backend=wasm&source=synthetic&alpha=0.5&prompts=12&sigma=0.3&__proto__=1&constructor=x',
    '#/gradient?v=1&objectives=gspo,grpo&library=verl&against=entropy&hide=setup,words&embed=1',
    '#/objectives?v=1&epsLow=3e-4&epsHigh=none&toString=1&hasOwnProperty=2',
    ...fc.sample(links, { numRuns: 40, seed: 11 }).map((link) => writeLink(link)),
  ];
  for (let i = 0; i < 10_000; i++) {
    const characters = [...(bases[i % bases.length] as string)];
    for (let edits = 1 + random(8); edits > 0; edits--) {
      const at = random(characters.length);
      const letter = alphabet[random(alphabet.length)] as string;
      if (random(12) === 0) {
        // a piece of the link repeated elsewhere
        characters.splice(at, 0, ...characters.slice(random(at + 1), at));
      } else characters.splice(at, random(3), ...(random(10) < 7 ? [letter] : []));
    }
    const { link, problems } = openLink(characters.join(''));
    expect(parseRunSettings(link.run)).toEqual(link.run);
    expect(isPageId(link.page)).toBe(true);
    for (const [name, field] of fieldsOf(link.page)) {
      expect(v.is(field.schema, link.view[name])).toBe(true);
    }
    expect(Object.keys(link.view)).toEqual([...fieldsOf(link.page).keys()]);
    for (const part of link.hide) expect(HIDEABLE).toContain(part);
    for (const problem of problems) expect(problem.length).toBeLessThan(600);
    // What was understood can be written and understood again.
    expect(openLink(writeLink(link))).toEqual({ link, problems: [] });
  }
  expect(Object.keys(Object.prototype)).toEqual([]);
  expect(({} as Record<string, unknown>)['v']).toBeUndefined();
  expect(Object.getPrototypeOf(new Map())).toBe(Map.prototype);
});
