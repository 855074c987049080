/** Name, pages, sharing, theme. */
import { PAGE_IDS, PAGES, type PageId } from '../../src/experiments/manifest';
import { ShareButton } from '../link/ShareButton';
import { usePageHash } from '../state/address-react';
import { THEMES, useTheme } from './theme';

export function Header({ current }: { current: PageId }) {
  const [theme, setTheme] = useTheme();
  return (
    <header className="header">
      <a className="wordmark" href="#/equivalence">
        <svg viewBox="0 0 32 32" aria-hidden="true">
          <path d="M3 26c6 0 8-18 13-18s7 18 13 18" className="mark-1" />
          <path d="M3 26c6 0 8-18 13-18s7 18 13 18" className="mark-2" />
          <path d="M3 26c6 0 8-18 13-18s7 18 13 18" className="mark-3" />
        </svg>
        GSPO Lab
      </a>
      <nav aria-label="Experiments">
        <ul>
          {PAGE_IDS.map((id) => (
            <li key={id}>
              <PageLink id={id} title={PAGES[id].title} current={id === current} />
            </li>
          ))}
        </ul>
      </nav>
      <ShareButton />
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

/** Holds the present settings, so that a new tab shows the same run. */
function PageLink({ id, title, current }: { id: PageId; title: string; current: boolean }) {
  return (
    <a href={usePageHash(id)} {...(current ? { 'aria-current': 'page' as const } : {})}>
      {title}
    </a>
  );
}
