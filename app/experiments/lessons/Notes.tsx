/** What a teacher reads beforehand: aims, timing, answers as they were measured, and what students take wrongly. */
import type { Lesson, LessonStep } from '../../../src/lessons/lesson';
import { scoreChoice } from '../../../src/lessons/score';
import { significant } from '../../format/numbers';
import { Prose } from '../../format/Prose';
import { useShipped } from './shipped';

/** What was measured when the lesson was written; '' where only the words after the step say it. */
function answerOf({ ask, found }: LessonStep): string {
  if (found === undefined || ask === undefined) return '';
  const measured = `measured ${significant(found, 3)}`;
  if (ask.kind !== 'choice') return measured;
  const { right } = scoreChoice(ask.options, { measured: found, interval: null });
  return `${ask.options[right]?.text ?? ''} (${measured})`;
}

/** With the step's own settings, which a link to a page alone would leave as they are. */
function open({ link }: LessonStep) {
  location.hash = link;
}

export function Notes({ onBack }: { onBack(): void }) {
  const shipped = useShipped();
  return (
    <section className="lesson-notes">
      <p className="lesson-buttons">
        <button type="button" className="button" onClick={onBack}>
          Back to the lessons
        </button>
        <button type="button" className="button" onClick={() => print()}>
          Print
        </button>
      </p>
      <h2>Teacher’s notes</h2>
      <p>
        All lessons together take 45 minutes; a level alone makes a shorter one, 10, 17 or 18
        minutes. Students answer first, then the lab measures. Numbers are those of the lab’s own
        runs; a policy’s run on another kind of processor may differ in its last digit. Open the
        page <a href="#/device">Device</a> on one of the class’s machines the day before.
      </p>
      {typeof shipped === 'string' && <p className="notice notice-bad">{shipped}</p>}
      {Array.isArray(shipped) && shipped.map((one) => <Note key={one.id} lesson={one} />)}
    </section>
  );
}

function Note({ lesson: { title, level, minutes, notes, steps } }: { lesson: Lesson }) {
  const sentences = (list: readonly string[]) => (
    <ul>
      {list.map((sentence) => (
        <li key={sentence}>
          <Prose>{sentence}</Prose>
        </li>
      ))}
    </ul>
  );
  return (
    <article className="lesson-note">
      <h3>{title}</h3>
      <p className="small muted">
        Level {level}, {minutes} minutes
      </p>
      {notes !== undefined && (
        <>
          <h4>Aims</h4>
          {sentences(notes.aims)}
        </>
      )}
      <h4>Steps and answers</h4>
      <ol>
        {steps.map((step, i) => (
          <li key={i}>
            <span className="muted">{step.minutes} min.</span>{' '}
            <Prose>{step.ask?.question ?? step.text}</Prose>{' '}
            {answerOf(step) !== '' && (
              <b>
                <Prose>{`${answerOf(step)}.`}</Prose>
              </b>
            )}{' '}
            <Prose>{step.after ?? ''}</Prose>{' '}
            <button type="button" className="button-quiet" onClick={() => open(step)}>
              The experiment
            </button>
          </li>
        ))}
      </ol>
      {notes !== undefined && (
        <>
          <h4>What students take wrongly</h4>
          {sentences(notes.misconceptions)}
        </>
      )}
    </article>
  );
}
