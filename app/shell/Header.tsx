/**
 * Name, pages in their groups, sharing, theme. Contract: on a phone the pages fold into a menu, which closes when one is
 * chosen, at Escape and when the focus leaves it.
 */
import { t } from '@lingui/core/macro';
import { useRef, useState } from 'react';
import { useStore } from 'zustand';
import {
  FIRST_PAGE,
  GROUP_IDS,
  GROUPS,
  type PageId,
  PAGES,
  pagesOf,
} from '../../src/experiments/manifest';
import { ShareButton } from '../link/ShareButton';
import {
  LANGUAGE_NAMES,
  LANGUAGES,
  languageStore,
  remember,
  said,
  speak,
  type Language,
} from '../language/i18n';
import { useAddress, usePageHash } from '../state/address-react';

export function Header({ current }: { current: PageId }) {
  const [theme, setTheme] = useTheme();
  return (
    <header className="header">
      <a className="wordmark" href={usePageHash(FIRST_PAGE)}>
        <svg viewBox="0 0 32 32" aria-hidden="true">
          <path d="M3 26c6 0 8-18 13-18s7 18 13 18" className="mark-1" />
          <path d="M3 26c6 0 8-18 13-18s7 18 13 18" className="mark-2" />
          <path d="M3 26c6 0 8-18 13-18s7 18 13 18" className="mark-3" />
        </svg>
        GSPO Lab
      </a>
      <Menu current={current} />
      <ShareButton />
      <LanguageSelect />
      <div className="segmented theme" role="group" aria-label={t`Colour theme`}>
        {THEMES.map((choice) => (
          <button
            key={choice}
            type="button"
            aria-pressed={choice === theme}
            onClick={() => setTheme(choice)}
          >
            {themeNames()[choice]}
          </button>
        ))}
      </div>
    </header>
  );
}

function Menu({ current }: { current: PageId }) {
  /** the page on which it was opened: it closes when another one comes */
  const [openOn, setOpenOn] = useState<PageId | null>(null);
  const open = openOn === current;
  const setOpen = (wanted: boolean) => setOpenOn(wanted ? current : null);
  const button = useRef<HTMLButtonElement>(null);
  return (
    <nav
      aria-label={t`Experiments`}
      className={open ? 'menu menu-open' : 'menu'}
      onKeyDown={(event) => {
        if (event.key !== 'Escape' || !open) return;
        setOpen(false);
        button.current?.focus();
      }}
      onBlur={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget)) setOpen(false);
      }}
    >
      <button
        type="button"
        className="button menu-button"
        ref={button}
        aria-expanded={open}
        onClick={() => setOpen(!open)}
      >
        {said(PAGES[current].title)}
        <span aria-hidden="true"> ▾</span>
        <span className="visually-hidden">{t`, all pages`}</span>
      </button>
      <ul className="menu-groups">
        {GROUP_IDS.map((group) => (
          <li key={group} className="menu-group">
            <span className="menu-title" id={`menu-${group}`}>
              {said(GROUPS[group].title)}
            </span>
            <ul aria-labelledby={`menu-${group}`}>
              {pagesOf(group).map((id) => (
                <li key={id}>
                  <PageLink id={id} title={said(PAGES[id].title)} current={id === current} />
                </li>
              ))}
            </ul>
          </li>
        ))}
      </ul>
    </nav>
  );
}

/** Each language by its own name; the choice is remembered, and nothing that was computed is lost by it. */
function LanguageSelect() {
  const address = useAddress();
  const { language, trouble } = useStore(languageStore);
  return (
    <span className="language">
      <select
        aria-label={t`Language`}
        value={language}
        onChange={({ currentTarget }) => {
          const chosen = currentTarget.value as Language;
          remember(chosen);
          address.speak(chosen);
          void speak(chosen);
        }}
      >
        {LANGUAGES.map((one) => (
          <option key={one} value={one} lang={one}>
            {LANGUAGE_NAMES[one]}
          </option>
        ))}
      </select>
      {trouble !== null && (
        <span className="small" role="alert">
          {trouble}
        </span>
      )}
    </span>
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
const themeNames = (): Record<Theme, string> => ({
  system: t`system`,
  light: t`light`,
  dark: t`dark`,
});

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
