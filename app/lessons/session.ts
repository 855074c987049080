/**
 * The lesson under way. Contract: one at a time; it lasts as long as the tab, also over a reload (`kept.ts`); answers are
 * kept by step until the lesson ends, and are never changed once the experiment has been opened.
 */
import { createStore } from 'zustand/vanilla';
import type { PageId } from '../../src/experiments/manifest';
import type { RaceReports } from '../../src/lessons/checks';
import type { Lesson } from '../../src/lessons/lesson';
import type { TrainingSettings } from '../../src/settings/training';

export type Answer =
  | { kind: 'number'; value: number; error: number }
  | { kind: 'choice'; chosen: number }
  /** a value at every handle */
  | { kind: 'drawing'; x: readonly number[]; y: readonly number[] };

export interface LessonState {
  lesson: Lesson | null;
  /** from 0 */
  step: number;
  answers: Readonly<Record<number, Answer>>;
}

/** Where the tab's storage has the lesson under way. */
export const KEPT_LESSON = 'gspo-lab lesson';

/** Whether the page was left in mid-lesson. */
export function lessonIsKept(): boolean {
  try {
    return sessionStorage.getItem(KEPT_LESSON) !== null;
  } catch {
    return false;
  }
}

const NONE: LessonState = { lesson: null, step: 0, answers: {} };

export const lessonStore = createStore<LessonState>(() => NONE);

/** Whether the step under way asks for something that has not been answered: what a page predicts or found is hidden then. */
export const isOwed = ({ lesson, step, answers }: LessonState): boolean =>
  lesson?.steps[step]?.ask !== undefined && answers[step] === undefined;

/** Whether the step under way has a drawing, of a curve that this page measures. */
export const hasDrawing = ({ lesson, step, answers }: LessonState, page: PageId): boolean =>
  answers[step]?.kind === 'drawing' && lesson?.steps[step]?.opened.page === page;

export const beginLesson = (lesson: Lesson) => lessonStore.setState({ ...NONE, lesson });
export const endLesson = () => lessonStore.setState(NONE);
export const toStep = (step: number) => lessonStore.setState({ step });

export function answerStep(step: number, answer: Answer): void {
  lessonStore.setState(({ answers }) => ({ answers: { [step]: answer, ...answers } }));
}

/** The race on view, as far as lessons ask for it; told by its page. */
export interface LessonRace extends RaceReports {
  settings: TrainingSettings;
  over: boolean;
}

export const raceStore = createStore<{ race: LessonRace | null }>(() => ({ race: null }));

export const tellRace = (race: LessonRace | null) => raceStore.setState({ race });
