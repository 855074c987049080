/**
 * The shell: header, run bar, setup, the experiment in view, inspector. Embedded in another page it is
 * the experiment alone, with a link back.
 */
import { Trans } from '@lingui/react/macro';
import { t } from '@lingui/core/macro';
import { lazy, type MouseEvent, Suspense, useEffect, useState, useSyncExternalStore } from 'react';
import { isPageId, PAGES } from '../../src/experiments/manifest';
import { forgetFailedPage, PAGE_COMPONENTS } from '../experiments/pages';
import { languageStore, said } from '../language/i18n';
import { Inspector } from '../inspector/Inspector';
import { lessonStore } from '../lessons/session';
import { EmbedFoot, LinkBanners } from '../link/LinkBanners';
import { Banner } from '../run/Banner';
import { RunBar } from '../run/RunBar';
import { CutOff } from '../runs/CutOff';
import { StorageFull, Undo } from '../runs/KeepingLine';
import { SetupDiffers } from '../setup/SetupDiffers';
import { SetupPanel } from '../setup/SetupPanel';
import { useStore } from 'zustand';
import { useAddress, useAddressState } from '../state/address-react';
import { useLabState } from '../state/react';
import { Header } from './Header';
import { PageBoundary } from './PageBoundary';

const LessonDock = lazy(() => import('../lessons/LessonDock'));
const RunsDrawer = lazy(() => import('../runs/RunsDrawer'));

/** A click on a link to a page of ours, with no other wish than to go there; null else. */
function pageClicked(event: MouseEvent) {
  const { target, button, altKey, ctrlKey, metaKey, shiftKey } = event;
  if (button !== 0 || altKey || ctrlKey || metaKey || shiftKey) return null;
  const href = target instanceof Element ? target.closest('a')?.getAttribute('href') : null;
  const page = /^#\/([a-z-]+)(\?|$)/.exec(href ?? '')?.[1] ?? '';
  return isPageId(page) ? page : null;
}

/** Paper is white, whatever the theme. @returns what ends it */
function lightOnPaper(): () => void {
  const { dataset } = document.documentElement;
  let before: string | undefined;
  const begin = () => {
    before = dataset['theme'];
    dataset['theme'] = 'light';
  };
  const end = () => {
    if (before === undefined) delete dataset['theme'];
    else dataset['theme'] = before;
  };
  addEventListener('beforeprint', begin);
  addEventListener('afterprint', end);
  return () => {
    removeEventListener('beforeprint', begin);
    removeEventListener('afterprint', end);
  };
}

/** Drawn anew in another language; engine, run and address live outside of it. */
export function App() {
  const language = useStore(languageStore, (state) => state.language);
  return <Shell key={language} />;
}

function Shell() {
  const address = useAddress();
  const id = useAddressState(({ page }) => page);
  const embed = useAddressState((state) => state.embed);
  const hide = useAddressState((state) => state.hide);
  const figure = useAddressState((state) => state.figure);
  const wide = useWide();
  const inspecting = useLabState((state) => state.inspection !== null || state.runsOpen);
  const runsOpen = useLabState((state) => state.runsOpen);
  const inLesson = useStore(lessonStore, ({ lesson }) => lesson !== null) && id !== 'lessons';
  const [attempt, setAttempt] = useState(0);
  const Page = PAGE_COMPONENTS[id];
  useEffect(lightOnPaper, []);
  useEffect(() => {
    document.title = `${said(PAGES[id].title)} · GSPO Lab`;
  }, [id]);
  const classes = [
    'app',
    ...(inspecting ? ['app-inspecting'] : []),
    ...(embed ? ['app-embed'] : []),
    ...hide.map((part) => `app-hide-${part}`),
    ...(figure === '' ? [] : ['app-figure']),
  ];
  return (
    <div
      className={classes.join(' ')}
      onClick={(event) => {
        const page = pageClicked(event);
        if (page === null) return;
        event.preventDefault();
        address.go(page);
        scrollTo(0, 0);
        // The link that was followed may go with its page or its menu, and the focus with it.
        document.getElementById('measurement')?.focus({ preventScroll: true });
      }}
    >
      {!embed && (
        <>
          <a
            className="skip-link"
            href="#measurement"
            onClick={(event) => {
              // The address belongs to the settings.
              event.preventDefault();
              document.getElementById('measurement')?.focus();
            }}
          >
            {t`Skip to the measurement`}
          </a>
          <Header current={id} />
        </>
      )}
      {figure !== '' && (
        // Letters, digits and hyphens alone, as the link's schema has it.
        <style>{`.figure:not([data-figure='${figure}']),.columns:has(.figure[data-figure='${figure}']) .figure-missing{display:none}`}</style>
      )}
      {!hide.includes('run') && figure === '' && (
        <RunBar>
          <SetupDiffers />
        </RunBar>
      )}
      <Banner />
      <LinkBanners />
      <StorageFull />
      <CutOff />
      <main className="columns" id="measurement" tabIndex={-1}>
        {!hide.includes('setup') && figure === '' && (
          <details className="setup-column" open={wide && !embed}>
            <summary>{t`Setup`}</summary>
            <SetupPanel />
          </details>
        )}
        {figure !== '' && (
          <p className="notice figure-missing">{t`The figure that the link names is not on view.`}</p>
        )}
        <PageBoundary
          of={`${id} ${attempt}`}
          onRetry={() => {
            forgetFailedPage(id);
            setAttempt(attempt + 1);
          }}
        >
          <Suspense fallback={<div className="page-loading" aria-busy="true" />}>
            <Page />
          </Suspense>
        </PageBoundary>
      </main>
      {embed ? (
        <EmbedFoot />
      ) : (
        <footer className="footer">
          <p>
            <Trans>
              After C. Liu (2025), <cite>Rethinking GSPO: The Perplexity-Entropy Equivalence</cite>,{' '}
              <a href="https://arxiv.org/abs/2510.23142">arXiv:2510.23142</a>. Everything runs in
              this tab; nothing leaves it. <a href="#/glossary">{said(PAGES.glossary.title)}</a>
            </Trans>
          </p>
        </footer>
      )}
      {inLesson && (
        <Suspense fallback={null}>
          <LessonDock />
        </Suspense>
      )}
      <Inspector />
      {runsOpen && (
        <Suspense fallback={null}>
          <RunsDrawer />
        </Suspense>
      )}
      {/* The drawer has it where it is needed. */}
      {!runsOpen && <Undo />}
    </div>
  );
}

/** Whether setup has a column of its own; otherwise it folds away above the figures. */
const WIDE = '(min-width: 900px)';

function subscribe(changed: () => void): () => void {
  const media = matchMedia(WIDE);
  media.addEventListener('change', changed);
  return () => media.removeEventListener('change', changed);
}

export function useWide(): boolean {
  return useSyncExternalStore(subscribe, () => matchMedia(WIDE).matches);
}
