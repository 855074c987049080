/** Starts the page: one engine, one lab, its language, and what the address asks for running by itself. */
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { openLink } from '../src/link/link';
import { colourSheet } from './page/objective-views';
import { App } from './shell/App';
import { preferred, speak } from './language/i18n';
import { lessonIsKept } from './lessons/session';
import { Address, browserPlace } from './state/address';
import { AddressContext } from './state/address-react';
import { startEngine } from './state/engine';
import { Lab } from './state/lab';
import { LabContext } from './state/react';
import './styles/tokens.css';
import './styles/base.css';
import './styles/shell.css';
import './styles/setup.css';
import './styles/charts.css';
import './styles/words.css';
import './styles/inspector.css';
import './styles/print.css';
import './link/link.css';
import './runs/shell.css';

const colours = document.createElement('style');
colours.textContent = colourSheet();
document.head.append(colours);

const opened = openLink(location.hash);
const lab = new Lab(startEngine(), opened.link.run);
const address = new Address(browserPlace, lab, opened);
void lab.open(address.mayStart, address.runInView());

const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no element with the id "root"');
const page = createRoot(root);

// Nothing is drawn twice: another language's catalog comes first, English needs none.
const { lang } = opened.link;
const language = lang === 'own' ? preferred() : lang;
// And no page shows what a step of the lesson under way still asks for.
const lesson = lessonIsKept()
  ? import('./lessons/kept').then(({ restoreLesson }) => restoreLesson())
  : Promise.resolve();
void Promise.all([speak(language), lesson.catch(() => undefined)]).then(() => {
  page.render(
    <StrictMode>
      <LabContext value={lab}>
        <AddressContext value={address}>
          <App />
        </AddressContext>
      </LabContext>
    </StrictMode>,
  );
});
address.store.subscribe((now, before) => {
  if (now.lang !== before.lang && now.lang !== 'own') void speak(now.lang);
});
