/**
 * The language of the page. Contract: sentences stand in English where they are read (`<Trans>`, t, plural and msg of
 * Lingui's macros), so that English needs nothing more; another language is a catalog of its own (`pl.po`) that is fetched when it is chosen.
 * There is one `i18n`, without a provider: the page is drawn anew when the language changes, and nothing that was
 * computed is touched. What `src/` says is English; `said` finds its translation by its text.
 *
 * To add a language: README, "Languages".
 */
import { setupI18n, type Messages } from '@lingui/core';
import { createStore } from 'zustand/vanilla';
import { LANGUAGES, type Language } from '../../src/link/link';

export { LANGUAGES, type Language };

/** As each is called by those who speak it. */
export const LANGUAGE_NAMES: Record<Language, string> = { en: 'English', pl: 'Polski' };

const DIRECTIONS: Record<Language, 'ltr' | 'rtl'> = { en: 'ltr', pl: 'ltr' };

const CATALOGS: Record<Exclude<Language, 'en'>, () => Promise<{ messages: Messages }>> = {
  pl: () => import('./pl.po'),
};

export const i18n = setupI18n({ locale: 'en', messages: { en: {} } });

// Messages are compiled in the build where they hold values (`scripts/vite-language.ts`); the others are their text.
if (import.meta.env?.PROD) i18n.setMessagesCompiler((message) => [message]);

/** The translation of a text of `src/`, or of data; the text itself where there is none. */
export function said(text: string): string {
  const found: unknown = i18n.messages[text];
  if (found === undefined) return text;
  return typeof found === 'string' ? found : i18n._(text);
}

/** What a file holds: written with points and in English whatever the page's language. */
export function inEnglish<T>(write: () => T): T {
  const { locale } = i18n;
  if (locale === 'en') return write();
  i18n.activate('en');
  try {
    return write();
  } finally {
    i18n.activate(locale);
  }
}

interface LanguageState {
  language: Language;
  /** a sentence, where the catalog of the language that was asked for did not come */
  trouble: string | null;
}

export const languageStore = createStore<LanguageState>(() => ({ language: 'en', trouble: null }));

/** Tells browser and stylesheets; `?dir=rtl` in the address shows how the page stands a language from right to left. */
export function showLanguage(language: Language): void {
  const { documentElement: root } = document;
  root.lang = language;
  const forced = new URLSearchParams(location.search).get('dir');
  root.dir = forced === 'rtl' ? forced : DIRECTIONS[language];
}

/** The latest choice counts, whichever catalog comes first. */
let asked: Language = 'en';

/** Changes to a language as soon as its catalog is there; stays where it is if that fails. */
export async function speak(language: Language): Promise<void> {
  asked = language;
  try {
    const messages = language === 'en' ? {} : (await CATALOGS[language]()).messages;
    if (asked !== language) return;
    i18n.load(language, messages);
    i18n.activate(language);
    if (typeof document !== 'undefined') showLanguage(language);
    languageStore.setState({ language, trouble: null });
  } catch {
    if (asked !== language) return;
    const name = LANGUAGE_NAMES[language];
    const trouble = `The texts in ${name} could not be loaded. Choose the language again once the network is back.`;
    languageStore.setState({ trouble });
  }
}

const KEY = 'gspo-lab.language';

export function remember(language: Language): void {
  try {
    localStorage.setItem(KEY, language);
  } catch {
    // Storage may be forbidden; the choice lasts as long as the page.
  }
}

const known = (name: string | null | undefined): Language | null =>
  LANGUAGES.find((language) => language === name) ?? null;

/** What was chosen here before, else the first of the browser's languages that there is. */
export function preferred(): Language {
  try {
    const chosen = known(localStorage.getItem(KEY));
    if (chosen !== null) return chosen;
  } catch {
    // As above.
  }
  const offered = navigator.languages.map((tag) => known(tag.slice(0, 2).toLowerCase()));
  return offered.find((language) => language !== null) ?? 'en';
}
