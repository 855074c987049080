/** Lessons: the list, a teacher's own file, and the step under way, which is answered before its experiment is opened. */
import { useEffect, useState, type FormEvent } from 'react';
import { useStore } from 'zustand';
import { MAX_LESSON_LENGTH, readLesson, type Lesson } from '../../../src/lessons/lesson';
import { SHIPPED_LESSONS } from '../../../src/lessons/shipped';
import { message } from '../../../src/message';
import { counted } from '../../format/numbers';
import { Prose } from '../../format/Prose';
import type { Handles } from '../../charts/DrawnCurve';
import { Question, readAnswer } from '../../lessons/Question';
import { answerStep, beginLesson, endLesson, lessonStore, toStep } from '../../lessons/session';
import { ReadingPage } from '../../page/ReadingPage';
import '../../lessons/lessons.css';

export default function Lessons() {
  const lesson = useStore(lessonStore, (state) => state.lesson);
  return (
    <ReadingPage
      page="lessons"
      lead={<p>Say first what you expect; then the experiment measures it, with its interval.</p>}
    >
      {lesson === null ? <List /> : <Step lesson={lesson} />}
    </ReadingPage>
  );
}

function List() {
  const [trouble, setTrouble] = useState<string | null>(null);
  const take = (text: string) => {
    const { lesson, refused } = readLesson(text);
    setTrouble(refused);
    if (lesson !== null) beginLesson(lesson);
  };
  const shipped = useShipped();
  const open = async (file: File) => {
    // No more of a huge file is read than it takes to refuse it.
    if (file.size > 4 * MAX_LESSON_LENGTH) {
      setTrouble(`A lesson has at most ${MAX_LESSON_LENGTH / 1000} kB; this file is larger.`);
    } else take(await file.text());
  };
  const failed = (error: unknown) => setTrouble(`That could not be opened: ${String(error)}.`);
  return (
    <section>
      <h2>Choose a lesson</h2>
      {shipped === null && <p role="status">The lessons are on their way.</p>}
      {typeof shipped === 'string' && (
        <p className="notice notice-bad" role="alert">
          {shipped}
        </p>
      )}
      {Array.isArray(shipped) && (
        <ol className="lesson-list">
          {shipped.map((lesson) => (
            <li key={lesson.id}>
              <button type="button" className="button" onClick={() => beginLesson(lesson)}>
                {lesson.title}
              </button>{' '}
              <span className="small muted">
                about {lesson.minutes} min, {counted(lesson.steps.length, 'step')}
              </span>
            </li>
          ))}
        </ol>
      )}
      <p>
        <label>
          Your own lesson, a JSON file:{' '}
          <input
            type="file"
            accept=".json,application/json"
            onChange={({ target }) => {
              const file = target.files?.[0];
              target.value = '';
              if (file !== undefined) open(file).catch(failed);
            }}
          />
        </label>
      </p>
      {trouble !== null && (
        <p className="notice notice-bad" role="alert" data-testid="lesson-trouble">
          {trouble}
        </p>
      )}
    </section>
  );
}

/** The site's lessons, which are small; a sentence where one cannot be had; null until they are here. */
function useShipped(): Lesson[] | string | null {
  const [shipped, setShipped] = useState<Lesson[] | string | null>(null);
  useEffect(() => {
    const one = async (id: string) => {
      const answer = await fetch(`./lessons/${id}.json`);
      if (!answer.ok) throw new Error(`${id}: the site answered ${answer.status}`);
      const { lesson, refused } = readLesson(await answer.text());
      if (lesson === null) throw new Error(`${id}: ${refused}`);
      return lesson;
    };
    Promise.all(SHIPPED_LESSONS.map(one)).then(setShipped, (error: unknown) =>
      setShipped(`The lessons could not be fetched: ${message(error)}. Open the page again.`),
    );
  }, []);
  return shipped;
}

function Step({ lesson }: { lesson: Lesson }) {
  const at = useStore(lessonStore, (state) => state.step);
  const answer = useStore(lessonStore, ({ answers }) => answers[at]);
  const [trouble, setTrouble] = useState<string | null>(null);
  const [drawing, setDrawing] = useState<{ of: number; handles: Handles }>({ of: -1, handles: [] });
  const step = lesson.steps[at];
  if (step === undefined) return null;
  const { ask } = step;
  const open = () => {
    location.hash = step.link;
    scrollTo(0, 0);
  };
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (ask !== undefined && answer === undefined) {
      const form = new FormData(event.currentTarget);
      const given = readAnswer(ask, form, drawing.of === at ? drawing.handles : []);
      if (typeof given === 'string') return setTrouble(given);
      answerStep(at, given);
    }
    open();
  };
  return (
    <section className="lesson-step" data-testid="lesson-step">
      <h2>{lesson.title}</h2>
      <p className="small muted">
        Step {at + 1} of {lesson.steps.length}, about {step.minutes} min
      </p>
      <p>
        <Prose>{step.text}</Prose>
      </p>
      <form key={at} onSubmit={submit} onChange={() => setTrouble(null)} noValidate>
        {ask !== undefined && (
          <Question
            ask={ask}
            answer={answer}
            handles={drawing.of === at ? drawing.handles : []}
            onDraw={(handles) => {
              setTrouble(null);
              setDrawing({ of: at, handles });
            }}
          />
        )}
        {trouble !== null && (
          <p className="notice notice-bad" role="alert">
            {trouble}
          </p>
        )}
        <p className="lesson-buttons">
          <button type="submit" className="button button-main">
            {ask === undefined || answer !== undefined
              ? 'Open the experiment'
              : 'Answer, and open the experiment'}
          </button>
          {at > 0 && (
            <button type="button" className="button" onClick={() => toStep(at - 1)}>
              Back
            </button>
          )}
          <button type="button" className="button" onClick={endLesson}>
            End the lesson
          </button>
        </p>
      </form>
    </section>
  );
}
