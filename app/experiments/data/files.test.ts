/** What the page makes of a chosen folder and of files picked one by one. */
import { describe, expect, it } from 'vitest';
import { pickedFiles } from './files';

const picked = (...paths: string[]) =>
  pickedFiles(
    paths.map((path) =>
      Object.assign(new File([''], path.replace(/.*\//, '')), {
        webkitRelativePath: path.includes('/') ? path : '',
      }),
    ),
  ).map(({ name, fromFolder }) => [name, fromFolder === true]);

describe('files that a person picks', () => {
  it('a folder gives what the lab can read, in the order of its steps, each known to be from a folder', () => {
    expect(
      picked('r/step10.jsonl', 'r/notes.txt', 'r/.git/a.json', 'r/old/step2.parquet.gz'),
    ).toEqual([
      ['r/old/step2.parquet.gz', true],
      ['r/step10.jsonl', true],
    ]);
  });

  it('one by one all are taken, as given', () => {
    expect(picked('b.jsonl', 'a.txt', '.c.json')).toEqual([
      ['b.jsonl', false],
      ['a.txt', false],
      ['.c.json', false],
    ]);
  });
});
