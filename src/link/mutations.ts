/**
 * For tests: links as nobody meant them, the same ones for the same seed on every machine. Contract: what
 * comes out is any text at all; it begins as a link that the lab wrote, or as one with names in it that
 * JavaScript itself uses.
 */
import * as fc from 'fast-check';
import { writeLink } from './hash';
import { links } from './testing';

/** Small, fast, seeded: which characters a mutation touches must not depend on the machine. */
function generator(start: number): (below: number) => number {
  let state = start;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789=&?%+-._#/"<>{}[],\u0000é\ud800';

export function* mutatedLinks(count: number, seed: number): Generator<string> {
  const random = generator(seed);
  const bases = [
    '#/equivalence?v=1&backend=wasm&source=synthetic&alpha=0.5&prompts=12&sigma=0.3&__proto__=1&constructor=x',
    '#/gradient?v=1&objectives=gspo,grpo&library=verl&against=entropy&hide=setup,words&embed=1',
    '#/objectives?v=1&epsLow=3e-4&epsHigh=none&toString=1&hasOwnProperty=2',
    ...fc.sample(links, { numRuns: 40, seed: 11 }).map((link) => writeLink(link)),
  ];
  for (let i = 0; i < count; i++) {
    const characters = [...(bases[i % bases.length] as string)];
    for (let edits = 1 + random(8); edits > 0; edits--) {
      const at = random(characters.length);
      const letter = ALPHABET[random(ALPHABET.length)] as string;
      if (random(12) === 0) {
        // a piece of the link repeated elsewhere
        characters.splice(at, 0, ...characters.slice(random(at + 1), at));
      } else characters.splice(at, random(3), ...(random(10) < 7 ? [letter] : []));
    }
    yield characters.join('');
  }
}
