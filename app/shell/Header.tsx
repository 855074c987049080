/** Name, pages, sharing, theme. */
import { PAGE_IDS, type PageId, PAGES } from '../../src/experiments/manifest';
import { ShareButton } from '../link/ShareButton';
import { usePageHash } from '../state/address-react';
import { useState } from 'react';

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

/** Light, dark, or what the system says; remembered where storage is allowed. */
export const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

const KEY = 'gspo-lab.theme';

export function useTheme(): [Theme, (theme: Theme) => void] {
  const [theme, setTheme] = useState<Theme>(() => {
    const chosen = document.documentElement.dataset['theme'];
    return chosen === 'light' || chosen === 'dark' ? chosen : 'system';
  });
  return [
    theme,
    (next) => {
      setTheme(next);
      if (next === 'system') delete document.documentElement.dataset['theme'];
      else document.documentElement.dataset['theme'] = next;
      try {
        if (next === 'system') localStorage.removeItem(KEY);
        else localStorage.setItem(KEY, next);
      } catch {
        // Storage may be forbidden; the choice lasts as long as the page.
      }
    },
  ];
}
