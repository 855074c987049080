/** Which files of a folder are read, in which order, and which step a name tells. */
import { describe, expect, it } from 'vitest';
import { folderFiles, stepInName } from './folder';

const names = (...given: string[]) =>
  folderFiles(given.map((name) => ({ name }))).map(({ name }) => name);

describe('a folder', () => {
  it('is read in the order of its steps, then of its names, not of its letters', () => {
    expect(
      names(
        'run/rest.jsonl',
        'run/step10.jsonl',
        'run/b/step2-rank10.jsonl',
        'run/b/step2-rank9.jsonl',
        'run/z/step1.jsonl',
      ),
    ).toEqual([
      'run/z/step1.jsonl',
      'run/b/step2-rank9.jsonl',
      'run/b/step2-rank10.jsonl',
      'run/step10.jsonl',
      'run/rest.jsonl',
    ]);
  });

  it('gives what the lab can read, compressed or not, and nothing hidden', () => {
    expect(
      names(
        'r/a.parquet',
        'r/b.JSONL.gz',
        'r/notes.txt',
        'r/.c.json',
        'r/.git/d.json',
        'r/e.csv',
        'r/s/f.ndjson',
      ),
    ).toEqual(['r/a.parquet', 'r/b.JSONL.gz', 'r/s/f.ndjson']);
  });

  it('may itself have a name that hides it', () => {
    expect(names('.run/a.jsonl')).toEqual(['.run/a.jsonl']);
  });
});

describe('the step in a name', () => {
  it.each([
    ['train_data_step12.jsonl', 12],
    ['rollouts-step000120-rank3.jsonl', 120],
    ['run/global_step_40/part-1.jsonl.gz', 40],
    ['run/checkpoint-500/step_7.parquet', 7],
    ['completions/completions_00012.parquet', 12],
    ['dump/300.jsonl', 300],
    ['global_step_40/0.jsonl', 40],
    ['part0.jsonl', null],
    ['rollouts-00001-of-00004.jsonl', null],
    ['step.jsonl', null],
    ['step99999999999999999999.jsonl', null],
  ])('%s: %s', (name, step) => {
    expect(stepInName(name)).toBe(step);
  });
});
