/** Starts the page: one engine, one lab, the defaults running by themselves. */
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { openLink } from '../src/link/hash';
import { App } from './shell/App';
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

const { link, problems } = openLink(location.hash);
const lab = new Lab(startEngine(), link.run);
if (problems.length > 0) lab.notify(problems.join(' '));
void lab.open(true);

const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no element with the id "root"');
createRoot(root).render(
  <StrictMode>
    <LabContext value={lab}>
      <App />
    </LabContext>
  </StrictMode>,
);
