/** Prompts out of a person's own file. */
import { describe, expect, test } from 'vitest';
import { DEFAULT_MODELS } from './run';
import { MOST_PROMPT_TEXT, promptsOfFile, readPrompts } from './prompts';

describe('a file of prompts', () => {
  test('JSON lines under the usual names, and plain lines, are read back as what they say', () => {
    const file = [
      '\uFEFF{"question": "How many?\\nSay it.", "answer": "2 + 2 = 4\\n#### 4", "id": 7}',
      '{"prompt": "He said", "source": {"a": 1}}',
      '',
      'A plain line\r',
      '{"text": "{not JSON", "solution": 3}',
    ].join('\n');
    const { texts, taken, of } = promptsOfFile(file);
    expect([taken, of]).toEqual([4, 4]);
    expect(readPrompts(texts)).toEqual([
      { text: 'How many?\nSay it.', answer: '2 + 2 = 4\n#### 4' },
      { text: 'He said', answer: null },
      { text: 'A plain line', answer: null },
      { text: '{not JSON', answer: '3' },
    ]);
  });

  test('more than a link holds is cut between two prompts', () => {
    const line = (i: number) => `${i} ${'x'.repeat(90)}`;
    const file = Array.from({ length: 500 }, (_, i) => line(i)).join('\n');
    const { texts, taken, of } = promptsOfFile(file);
    expect(of).toBe(500);
    expect(texts.length).toBeLessThanOrEqual(MOST_PROMPT_TEXT);
    expect(readPrompts(texts)?.at(-1)).toEqual({ text: line(taken - 1), answer: null });
    expect(texts.length + line(taken).length).toBeGreaterThanOrEqual(MOST_PROMPT_TEXT);
  });

  test.each([
    ['', 'no prompt in it'],
    ['a\n{"messages": []}', 'Line 2 is no prompt'],
    ['{"prompt": ', 'Line 1 is no prompt'],
    ['x'.repeat(MOST_PROMPT_TEXT + 1), 'Its first prompt has 8001 characters'],
  ])('%j is a sentence', (file, sentence) => {
    expect(() => promptsOfFile(file.slice(0, 9000))).toThrow(sentence);
  });
});

test('the lab’s own prompts are enough for a verdict, and of different lengths', () => {
  const prompts = readPrompts(DEFAULT_MODELS.texts) ?? [];
  expect(new Set(prompts.map(({ text }) => text)).size).toBeGreaterThanOrEqual(32);
  const words = prompts.map(({ text }) => text.split(' ').length);
  expect(Math.max(...words)).toBeGreaterThan(3 * Math.min(...words));
});
