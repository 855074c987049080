/** The shell: header, run bar, setup, the experiment in view, inspector. */
import { Suspense } from 'react';
import { EXPERIMENT_PAGES } from '../experiments/registry';
import { Inspector } from '../inspector/Inspector';
import { Banner } from '../run/Banner';
import { RunBar } from '../run/RunBar';
import { SetupPanel } from '../setup/SetupPanel';
import { useLabState } from '../state/react';
import { useRoute } from './route';
import { THEMES, useTheme } from './theme';
import { useWide } from './wide';

export function App() {
  const route = useRoute();
  const wide = useWide();
  const inspecting = useLabState((state) => state.inspection !== null);
  const Page = route.page;
  return (
    <div className={inspecting ? 'app app-inspecting' : 'app'}>
      <a className="skip-link" href="#measurement">
        Skip to the measurement
      </a>
      <Header current={route.id} />
      <RunBar />
      <Banner />
      <main className="columns" id="measurement" tabIndex={-1}>
        <details className="setup-column" open={wide}>
          <summary>Setup</summary>
          <SetupPanel />
        </details>
        <Suspense fallback={<div className="page-loading" aria-busy="true" />}>
          <Page />
        </Suspense>
      </main>
      <footer className="footer">
        <p>
          After C. Liu (2025), <cite>Rethinking GSPO: The Perplexity-Entropy Equivalence</cite>,{' '}
          <a href="https://arxiv.org/abs/2510.23142">arXiv:2510.23142</a>. Everything runs in this
          tab; nothing leaves it.
        </p>
      </footer>
      <Inspector />
    </div>
  );
}

function Header({ current }: { current: string }) {
  const [theme, setTheme] = useTheme();
  return (
    <header className="header">
      <a className="wordmark" href="#/">
        <svg viewBox="0 0 32 32" aria-hidden="true">
          <path d="M3 26c6 0 8-18 13-18s7 18 13 18" className="mark-1" />
          <path d="M3 26c6 0 8-18 13-18s7 18 13 18" className="mark-2" />
          <path d="M3 26c6 0 8-18 13-18s7 18 13 18" className="mark-3" />
        </svg>
        GSPO Lab
      </a>
      <nav aria-label="Experiments">
        <ul>
          {EXPERIMENT_PAGES.map(({ id, title }) => (
            <li key={id}>
              <a href={`#/${id}`} {...(id === current ? { 'aria-current': 'page' as const } : {})}>
                {title}
              </a>
            </li>
          ))}
        </ul>
      </nav>
      <div className="segmented theme" role="group" aria-label="Colour theme">
        {THEMES.map((choice) => (
          <button
            key={choice}
            type="button"
            aria-pressed={choice === theme}
            onClick={() => setTheme(choice)}
          >
            {choice}
          </button>
        ))}
      </div>
    </header>
  );
}
