/** The step under way, which is answered before its experiment is opened. */
import { useEffect, useState, type FormEvent } from 'react';
import { useStore } from 'zustand';
import type { Lesson } from '../../../src/lessons/lesson';
import { packLesson } from '../../../src/lessons/lesson-link';
import { openLink } from '../../../src/link/link';
import type { Handles } from '../../charts/DrawnCurve';
import { Prose } from '../../format/Prose';
import { lessonText } from '../../lessons/kept';
import { Question, readAnswer } from '../../lessons/Question';
import { fullAddress } from '../../link/addresses';
import { CopyField } from '../../link/CopyField';
import { answerStep, endLesson, lessonStore, toStep } from '../../lessons/session';

export function Step({ lesson }: { lesson: Lesson }) {
  const at = useStore(lessonStore, (state) => state.step);
  const answer = useStore(lessonStore, ({ answers }) => answers[at]);
  const [trouble, setTrouble] = useState<string | null>(null);
  const [sharing, setSharing] = useState(false);
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
      <details onToggle={({ currentTarget }) => setSharing(currentTarget.open)}>
        <summary>Give this lesson to others</summary>
        {sharing && <LessonLink lesson={lesson} />}
      </details>
    </section>
  );
}

/** The whole lesson in a link, without what was answered here. */
function LessonLink({ lesson }: { lesson: Lesson }) {
  const [packed, setPacked] = useState('');
  useEffect(() => {
    void packLesson(lessonText(lesson)).then(setPacked);
  }, [lesson]);
  if (packed === '') return null;
  const { link } = openLink('#/lessons');
  const address = fullAddress({ ...link, view: { ...link.view, lesson: packed } });
  return <CopyField label="Link of this lesson" text={address} share={lesson.title} />;
}
