import decodeQR from 'qr/decode.js';
import { renderToStaticMarkup } from 'react-dom/server';
import { describe, expect, test } from 'vitest';
import { Modules, modulesOf } from './QrCode';

/** px of a module, as on a phone's screen */
const SCALE = 4;

/** The drawing as a camera sees it: one byte each for red, green, blue and opacity, dark on light. */
function photograph(svg: string) {
  const size = Number(/viewBox="0 0 (\d+) \1"/.exec(svg)?.[1]);
  const path = /<path d="([^"]*)"/.exec(svg)?.[1] ?? '';
  const squares = [...path.matchAll(/M(\d+) (\d+)h1v1h-1z/g)];
  // There is nothing else in it.
  expect(squares.map(([square]) => square).join('')).toBe(path);
  const width = size * SCALE;
  const data = new Uint8Array(width * width * 4).fill(255);
  for (const [, x, y] of squares) {
    for (let row = 0; row < SCALE; row++) {
      const from = (Number(y) * SCALE + row) * width + Number(x) * SCALE;
      for (let at = from; at < from + SCALE; at++) data.fill(0, 4 * at, 4 * at + 3);
    }
  }
  return { width, height: width, data };
}

describe('the drawn code', () => {
  test.each([
    ['the shortest link', 'http://localhost:4173/#/variance?v=1'],
    ['a run with its fingerprint', `https://gspo.example/lab/#/data?v=1&fp=${'aB3_-'.repeat(140)}`],
    ['as long as a link gets', `https://gspo.example/#/train?v=1&${'a=1.5e-7,~&'.repeat(250)}`],
  ])('of %s is read back by a decoder', async (_what, text) => {
    const modules = await modulesOf(text);
    const svg = renderToStaticMarkup(<Modules modules={modules ?? []} />);
    expect(decodeQR(photograph(svg), { timeLimit: 10_000 })).toBe(text);
  });

  test('a text that no code can hold has none', async () => {
    expect(await modulesOf('x'.repeat(4096))).toBe(null);
  });
});
