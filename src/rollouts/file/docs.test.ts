/**
 * The format page promises what the reader reads: its examples are read, its aliases are the reader's, and
 * the recipes for trainers are Python.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { parser } from '@lezer/python';
import { describe, expect, it } from 'vitest';
import { fromBlob } from './bytes';
import { readRolloutFiles } from './read';
import { FIELD_NAMES } from './fields';

const page = readFileSync(new URL('../../../docs/export/README.md', import.meta.url), 'utf8');
const schemas = readFileSync(new URL('../../../docs/export/schemas.md', import.meta.url), 'utf8');
const examples = [...page.matchAll(/```jsonl\n([\s\S]*?)```/g)].map(([, text]) => text);

describe('docs/export', () => {
  it('has an example that reads', async () => {
    expect(examples.length).toBeGreaterThan(0);
    for (const text of examples) {
      const { rollouts, skipped } = await readRolloutFiles([
        fromBlob('example.jsonl', new Blob([text])),
      ]);
      expect(rollouts.group.length).toBe(text.trim().split('\n').length);
      expect(skipped).toBe(0);
    }
  });

  it.each(Object.values(FIELD_NAMES).flat())('names the field %s', (name) => {
    expect(page + schemas).toContain(`\`${name}`);
  });

  const folder = new URL('../../../docs/export/', import.meta.url);
  const recipes = readdirSync(folder)
    .filter((name) => name !== 'README.md')
    .flatMap((name) => {
      const text = readFileSync(new URL(name, folder), 'utf8');
      const blocks = [...text.matchAll(/```python\n([\s\S]*?)```/g)].map(([, code]) => code);
      return blocks.map((code, i): [string, string] => [`${name}, block ${i + 1}`, code]);
    });

  it('has recipes for TRL, verl and NeMo-RL', () => {
    const of = new Set(recipes.map(([name]) => name.split('.')[0]));
    expect([...of].sort()).toEqual(['nemo-rl', 'parts', 'schemas', 'trl', 'verl']);
  });

  // verl has two trainers whose batches are read in different ways, and builds only one of them.
  it.each([
    ['trl', 'GRPOTrainer', /class \w+\(GRPOTrainer\):/],
    ['verl', 'RayPPOTrainer', /class \w+\(RayPPOTrainer\):/],
    ['verl', 'V1', /get_trainer_cls\(mode\)/],
  ])('has a recipe for %s, %s, that writes into a folder of its own', (page, _, trainer) => {
    const found = recipes.filter(([name, code]) => name.startsWith(page) && trainer.test(code));
    expect(found).toHaveLength(1);
    expect(found[0]?.[1]).toMatch(/write_rollouts\(/);
    expect(found[0]?.[1]).toMatch(/os\.path\.join\(.*(output_dir|default_local_dir), "rollouts"\)/);
  });

  it('says rightly that gzip files appended to each other are read in Node', async () => {
    const parts = examples.join('').trim().split('\n');
    const gzip = new Blob(parts.map((line) => new Uint8Array(gzipSync(`${line}\n`))));
    const { rollouts } = await readRolloutFiles([fromBlob('appended.jsonl.gz', gzip)]);
    expect(rollouts.group.length).toBe(parts.length);
    expect(parts.length).toBeGreaterThan(1);
  });

  it.each(recipes)('%s is Python', (_, code) => {
    expect(syntaxErrors(code)).toEqual([]);
    // The parser recovers from errors; it has to say so.
    expect(syntaxErrors(code.replace('):', ')'))).not.toEqual([]);
  });
});

/** Lines with a syntax error, counted from 1. */
function syntaxErrors(code: string): number[] {
  const lines: number[] = [];
  parser.parse(code).iterate({
    enter: ({ type, from }) => {
      if (type.isError) lines.push(code.slice(0, from).split('\n').length);
    },
  });
  return lines;
}
