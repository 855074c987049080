/** Which lesson: those of the site by level, or a teacher's own file. */
import { Fragment, useState } from 'react';
import { MAX_LESSON_LENGTH, readLesson } from '../../../src/lessons/lesson';
import { LEVELS } from '../../../src/lessons/shipped';
import { counted } from '../../format/numbers';
import { beginLesson } from '../../lessons/session';
import { useShipped } from './shipped';

interface ListProps {
  onShow(show: 'notes' | 'worksheet'): void;
}

export function List({ onShow }: ListProps) {
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
    <section
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        event.preventDefault();
        const file = event.dataTransfer.files[0];
        if (file !== undefined) open(file).catch(failed);
      }}
    >
      <h2>Choose a lesson</h2>
      {shipped === null && <p role="status">The lessons are on their way.</p>}
      {typeof shipped === 'string' && (
        <p className="notice notice-bad" role="alert">
          {shipped}
        </p>
      )}
      {Array.isArray(shipped) && (
        <>
          {LEVELS.map((title, i) => (
            <Fragment key={title}>
              <h3>
                Level {i + 1}: {title}
              </h3>
              <ol className="lesson-list">
                {shipped
                  .filter(({ level }) => level === i + 1)
                  .map((lesson) => (
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
            </Fragment>
          ))}
          <p className="small muted">
            Together {shipped.reduce((sum, { minutes }) => sum + minutes, 0)} minutes.
          </p>
        </>
      )}
      <h3>For the teacher</h3>
      <p className="lesson-buttons">
        <button type="button" className="button" onClick={() => onShow('notes')}>
          Notes
        </button>
        <button type="button" className="button" onClick={() => onShow('worksheet')}>
          Worksheet
        </button>
      </p>
      <p>
        <label>
          Your own lesson, a JSON file (or drop it here):{' '}
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
