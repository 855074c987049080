import { describe, expect, it } from 'vitest';
import { folderFiles } from './files';

const blob = new Blob(['']);
const names = (...given: string[]) =>
  folderFiles(given.map((name) => ({ name, blob }))).map(({ name }) => name);

describe('a folder', () => {
  it('is read in the order of its steps, not of its letters', () => {
    expect(names('run/step10.jsonl', 'run/step2.jsonl', 'run/step1.jsonl')).toEqual([
      'run/step1.jsonl',
      'run/step2.jsonl',
      'run/step10.jsonl',
    ]);
  });

  it('gives what the lab can read, compressed or not, and nothing hidden', () => {
    expect(
      names('r/a.parquet', 'r/b.JSONL.gz', 'r/notes.txt', 'r/.c.json', 'r/.git/d.json', 'r/e.csv'),
    ).toEqual(['r/a.parquet', 'r/b.JSONL.gz']);
  });
});
