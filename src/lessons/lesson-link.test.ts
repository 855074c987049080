/** A lesson in a link comes out as it went in; a bomb and a damaged one are refused with a sentence. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { toBase64Url } from '../link/bytes';
import { MAX_LINK_LENGTH, openLink, writeLink } from '../link/link';
import { packLesson, unpackLesson } from './lesson-link';
import { SHIPPED_LESSONS } from './shipped';

const linkOf = (lesson: string) => {
  const { link } = openLink('#/lessons');
  return writeLink({ ...link, view: { ...link.view, lesson } });
};

test.each(SHIPPED_LESSONS)('%s fits into a link', async (id) => {
  const file = new URL(`../../public/lessons/${id}.json`, import.meta.url);
  const text = readFileSync(file, 'utf8');
  const hash = linkOf(await packLesson(text));
  expect(hash.length).toBeLessThan(MAX_LINK_LENGTH / 4);
  const { link, problems } = openLink(hash);
  expect(problems).toEqual([]);
  expect(await unpackLesson(String(link.view['lesson']))).toEqual({ text, refused: null });
});

test('ten megabytes in a short link are not unpacked', async () => {
  const bomb = await packLesson('x'.repeat(10_000_000));
  expect(bomb.length).toBeLessThan(MAX_LINK_LENGTH);
  expect((await unpackLesson(bomb)).refused).toMatch(/at most 200 kB/);
});

test('a damaged one is refused', async () => {
  const good = await packLesson('{"id": "own"}');
  for (const text of ['A', good.slice(0, -4), `${good.slice(0, 4)}____`, '<b>'])
    expect((await unpackLesson(text)).refused, text).toMatch(/damaged/);
  // a stored block of one byte that is no UTF-8
  const block = toBase64Url(Uint8Array.of(1, 1, 0, 0xfe, 0xff, 0xff));
  expect((await unpackLesson(block)).refused).toMatch(/damaged/);
  expect(openLink('#/lessons?v=3&lesson=<script>').problems.join()).toMatch(/lesson/);
});
