/** Lessons: the list, the step under way, and what a teacher prints. */
import { useEffect, useState } from 'react';
import { useStore } from 'zustand';
import { readLesson } from '../../../src/lessons/lesson';
import { unpackLesson } from '../../../src/lessons/lesson-link';
// A lesson begins here, and is kept from here on.
import '../../lessons/kept';
import { beginLesson, lessonStore } from '../../lessons/session';
import { ReadingPage } from '../../page/ReadingPage';
import { usePageSetting } from '../../state/address-react';
import { List } from './List';
import { Notes } from './Notes';
import { Step } from './Step';
import { Worksheet } from './Worksheet';
import '../../lessons/lessons.css';

export default function Lessons() {
  const lesson = useStore(lessonStore, (state) => state.lesson);
  const [show, setShow] = usePageSetting('lessons', 'show');
  const back = () => setShow('lessons');
  const trouble = useCarriedLesson();
  return (
    <ReadingPage
      page="lessons"
      lead={<p>Say first what you expect; then the experiment measures it, with its interval.</p>}
    >
      {trouble !== null && (
        <p className="notice notice-bad" role="alert" data-testid="carried-trouble">
          {trouble}
        </p>
      )}
      {show === 'notes' ? (
        <Notes onBack={back} />
      ) : show === 'worksheet' ? (
        <Worksheet onBack={back} />
      ) : lesson === null ? (
        <List onShow={setShow} />
      ) : (
        <Step lesson={lesson} />
      )}
    </ReadingPage>
  );
}

/** Begins the lesson that the link carries, and takes it out of the address; one that is under way is ended by nobody else. */
function useCarriedLesson(): string | null {
  const [carried, setCarried] = usePageSetting('lessons', 'lesson');
  const free = useStore(lessonStore, (state) => state.lesson === null);
  const [trouble, setTrouble] = useState<string | null>(null);
  useEffect(() => {
    if (carried === '' || !free) return;
    let over = false;
    void unpackLesson(carried).then(({ text, refused }) => {
      if (over) return;
      const read = text === null ? { lesson: null, refused } : readLesson(text);
      setTrouble(read.refused);
      setCarried('');
      if (read.lesson !== null) beginLesson(read.lesson);
    });
    return () => {
      over = true;
    };
  });
  if (carried !== '' && !free)
    return 'The link carries a lesson. It begins once the one under way has been ended.';
  return trouble;
}
