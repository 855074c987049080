/** A reload in mid-lesson: lesson, step and answers come back; what does not read is left out. */
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { readLesson } from '../../src/lessons/lesson';
import { readKept, restoreLesson } from './kept';
import { answerStep, beginLesson, endLesson, lessonIsKept, lessonStore, toStep } from './session';

const file = new URL('../../public/lessons/why-one-over-l.json', import.meta.url);
const { lesson } = readLesson(readFileSync(file, 'utf8'));
if (lesson === null) throw new Error('a shipped lesson is no lesson');
const own = lesson;
const KINDS = own.steps.map(({ ask }) => ask?.kind);

const DRAWING = { kind: 'drawing', x: [2, 20], y: [0.1, 0.01] } as const;
const NUMBER = { kind: 'number', value: 1.5, error: 0.2 } as const;

let shelf: Map<string, string>;
let full: boolean;
beforeEach(() => {
  shelf = new Map();
  full = false;
  vi.stubGlobal('sessionStorage', {
    getItem: (key: string) => shelf.get(key) ?? null,
    removeItem: (key: string) => shelf.delete(key),
    setItem: (key: string, text: string) => {
      if (full) throw new Error('QuotaExceededError');
      shelf.set(key, text);
    },
  });
});
afterEach(() => {
  endLesson();
  vi.unstubAllGlobals();
});

/** The store as a new page has it, and what the tab has kept. */
function reload(): void {
  const kept = new Map(shelf);
  endLesson();
  shelf = kept;
  restoreLesson();
}

test('lesson, step and answers come back; a lesson that has ended does not', () => {
  expect(KINDS).toEqual(['draw', 'draw', 'number', 'choice']);
  expect(lessonIsKept()).toBe(false);
  beginLesson(own);
  answerStep(0, DRAWING);
  answerStep(2, NUMBER);
  answerStep(3, { kind: 'choice', chosen: 0 });
  toStep(2);
  const before = lessonStore.getState();
  reload();
  expect(lessonIsKept()).toBe(true);
  expect(lessonStore.getState()).toEqual(before);
  endLesson();
  expect(lessonIsKept()).toBe(false);
  reload();
  expect(lessonStore.getState().lesson).toBe(null);
});

test('an answer that does not fit its question is left out, a step beyond the last is the last', () => {
  beginLesson(own);
  answerStep(0, NUMBER);
  answerStep(1, { ...DRAWING, y: [1] });
  answerStep(2, NUMBER);
  answerStep(3, { kind: 'choice', chosen: 8 });
  toStep(40);
  reload();
  expect(lessonStore.getState()).toMatchObject({ step: 3, answers: { 2: NUMBER } });
  expect(Object.keys(lessonStore.getState().answers)).toEqual(['2']);
});

test('what is no kept lesson begins none, and a full store stops nothing', () => {
  for (const text of ['', '{', 'null', '{"lesson":"{}","step":0,"answers":[]}'])
    expect(readKept(text)).toBe(null);
  full = true;
  beginLesson(own);
  answerStep(0, DRAWING);
  expect(lessonStore.getState().answers[0]).toEqual(DRAWING);
});
