/** Lessons: the list, the step under way, and what a teacher prints. */
import { useStore } from 'zustand';
// A lesson begins here, and is kept from here on.
import '../../lessons/kept';
import { lessonStore } from '../../lessons/session';
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
  return (
    <ReadingPage
      page="lessons"
      lead={<p>Say first what you expect; then the experiment measures it, with its interval.</p>}
    >
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
