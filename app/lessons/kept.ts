/**
 * The lesson under way outlasts a reload: lesson, step and answers, in the tab's own storage. Contract: what is kept
 * passes the gate of every lesson again, and an answer that does not fit its question is left out; where the browser
 * keeps nothing, the lesson lasts as long as the page does. Nothing here throws.
 */
import * as v from 'valibot';
import { readLesson, type Ask, type Lesson } from '../../src/lessons/lesson';
import { KEPT_LESSON, lessonStore, type Answer, type LessonState } from './session';

const finite = v.pipe(v.number(), v.finite());
const answerSchema = v.variant('kind', [
  v.object({ kind: v.literal('number'), value: finite, error: v.pipe(finite, v.minValue(0)) }),
  v.object({ kind: v.literal('choice'), chosen: v.pipe(v.number(), v.integer(), v.minValue(0)) }),
  v.object({ kind: v.literal('drawing'), x: v.array(finite), y: v.array(finite) }),
]);
const keptSchema = v.object({
  /** as a file would hold it */
  lesson: v.string(),
  step: v.pipe(v.number(), v.integer(), v.minValue(0)),
  /** [step, answer] */
  answers: v.array(v.tuple([v.pipe(v.number(), v.integer(), v.minValue(0)), answerSchema])),
});

/** A lesson as its file holds it: what was opened of its links is left out. */
export const lessonText = (lesson: Lesson): string =>
  JSON.stringify(lesson, (key, value: unknown) => (key === 'opened' ? undefined : value));

function fits(ask: Ask | undefined, answer: Answer): boolean {
  switch (answer.kind) {
    case 'number':
      return ask?.kind === 'number';
    case 'choice':
      return ask?.kind === 'choice' && answer.chosen < ask.options.length;
    case 'drawing':
      return ask?.kind === 'draw' && answer.x.length > 1 && answer.x.length === answer.y.length;
    default:
      return answer satisfies never;
  }
}

/** @returns null where the text holds no lesson that this version of the lab reads */
export function readKept(text: string): LessonState | null {
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch {
    return null;
  }
  const kept = v.safeParse(keptSchema, data);
  if (!kept.success) return null;
  const { lesson } = readLesson(kept.output.lesson);
  if (lesson === null) return null;
  const answers = kept.output.answers.filter(([at, answer]) => fits(lesson.steps[at]?.ask, answer));
  const step = Math.min(kept.output.step, lesson.steps.length - 1);
  return { lesson, step, answers: Object.fromEntries(answers) };
}

export const keptText = (lesson: Lesson, { step, answers }: LessonState): string =>
  JSON.stringify({
    lesson: lessonText(lesson),
    step,
    answers: Object.entries(answers).map(([at, answer]) => [Number(at), answer]),
  });

function keep(state: LessonState): void {
  try {
    if (state.lesson === null) sessionStorage.removeItem(KEPT_LESSON);
    else sessionStorage.setItem(KEPT_LESSON, keptText(state.lesson, state));
  } catch {
    // A browser that keeps nothing: the lesson ends with the page.
  }
}

/** Takes up the lesson that was under way before a reload, unless one has begun since. */
export function restoreLesson(): void {
  try {
    const text = sessionStorage.getItem(KEPT_LESSON);
    const state = text === null ? null : readKept(text);
    if (state !== null && lessonStore.getState().lesson === null) lessonStore.setState(state);
  } catch {
    // As above.
  }
}

/** For as long as the page lasts. */
lessonStore.subscribe(keep);
