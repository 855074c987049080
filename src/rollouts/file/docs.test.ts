/** The format page promises what the reader reads: its examples are read, its aliases are the reader's. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { fromBlob } from './bytes';
import { readRolloutFiles } from './read';
import { FIELD_NAMES } from './record';

const page = readFileSync(new URL('../../../docs/export/README.md', import.meta.url), 'utf8');
const examples = [...page.matchAll(/```jsonl\n([\s\S]*?)```/g)].map(([, text]) => text as string);

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
    expect(page).toContain(`\`${name}`);
  });
});
