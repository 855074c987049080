/**
 * The address and the page follow each other. Contract: what a link may carry lives here (page, choices
 * on the page, embedding, fingerprint) or in the lab's draft, and nowhere else. The address is written when
 * a person acts, so that a link or a file made next carries the settings of that moment; only while a
 * slider is drawn does it follow more slowly, and it has caught up before the next act is heard.
 *
 * History: a page visited is an entry; so is a burst of edits (a slider drawn, a number typed), which
 * therefore is one step back. Going back or editing the address changes settings, never data: a run
 * with other settings is started where nothing would be lost, else offered.
 */
import { t } from '@lingui/core/macro';
import { createStore, type StoreApi } from 'zustand/vanilla';
import type { Fingerprint } from '../../src/link/fingerprint';
import {
  consentFor,
  type HidePart,
  type Language,
  type Link,
  type OpenedLink,
  openLink,
  sameRun,
  writeLink,
} from '../../src/link/link';
import {
  type AnyPageSettings,
  FIRST_PAGE,
  PAGE_IDS,
  pageStart,
  type PageId,
  pageSettings,
  type PageSettings,
} from '../../src/link/pages';
import { WITHOUT_RUN } from '../../src/experiments/manifest';
import type { RunSettings } from '../../src/settings/run';
import type { Seat } from '../../src/link/seat';
import { draftOf, readDraft } from './draft';
import { isLive, type Lab } from './lab';

/** The browser's address bar and history; tests hand in another one. */
export interface Place {
  /** `location.hash` */
  read(): string;
  push(hash: string): void;
  replace(hash: string): void;
  /** @param heard before any other handler of a click, a press or a release */
  beforeActs(heard: () => void): void;
  /** @param heard whether the person went back or forward, or there is a new address */
  listen(heard: (how: 'travelled' | 'typed') => void): void;
}

/** A link with a fingerprint, as it was opened. */
export interface OpenedFingerprint {
  fingerprint: Fingerprint;
  run: RunSettings;
  page: PageId;
  view: AnyPageSettings;
}

export interface AddressState {
  page: PageId;
  views: { readonly [P in PageId]: PageSettings<P> };
  embed: boolean;
  hide: readonly HidePart[];
  figure: string;
  lang: Link['lang'];
  seat: Seat | null;
  opened: OpenedFingerprint | null;
  /** settings that wait for a person's word, and why; a sentence */
  offer: { run: RunSettings; why: string } | null;
}

/** Edits with less than this between them are one step of history, ms. */
const BURST = 2000;
/**
 * Least time between two writes, ms: browsers refuse a flood of them (Safari, more than 100 in 30 s). What
 * comes sooner waits for that time or for the person's next act, whichever is first.
 */
const LEAST = 350;

const sameView = (page: PageId, a: AnyPageSettings, b: AnyPageSettings) =>
  [...pageSettings(page).values()].every(({ key, write }) => write(a[key]) === write(b[key]));

type LabPart = Pick<Lab, 'store' | 'edit' | 'start' | 'notify' | 'repeat'>;

export class Address {
  readonly store: StoreApi<AddressState>;
  /** set while a write waits */
  private timer: ReturnType<typeof setTimeout> | undefined;
  private lastWrite = Date.now();
  /** the address as it was last written or followed */
  private known: string;
  /** settings of the last draft that was valid */
  private run: RunSettings;

  constructor(
    private readonly place: Place,
    private readonly lab: LabPart,
    { link, problems }: OpenedLink,
  ) {
    this.run = link.run;
    const views = Object.fromEntries(PAGE_IDS.map((page) => [page, pageStart(page)]));
    const why = consentFor(link.run);
    this.store = createStore<AddressState>(() => ({
      page: link.page,
      views: { ...views, [link.page]: link.view } as AddressState['views'],
      embed: link.embed,
      hide: link.hide,
      figure: link.figure,
      lang: link.lang,
      seat: link.seat,
      opened: fingerprintOf(link),
      offer: why === null ? null : { run: link.run, why },
    }));
    this.tellLinked();
    this.store.subscribe((now, before) => {
      if (now.opened !== before.opened) this.tellLinked();
    });
    if (problems.length > 0) lab.notify(problems.join(' '));
    if (this.place.read().startsWith('#/')) this.place.replace(this.hash());
    this.known = this.place.read();
    place.listen((how) => this.arrive(how));
    place.beforeActs(() => {
      if (this.timer !== undefined) this.write();
    });
    lab.store.subscribe((now, before) => {
      if (now.draft !== before.draft) this.follow();
      if (now.run?.id !== before.run?.id) this.store.setState({ offer: null });
    });
  }

  /** Whether the link that was opened may run without asking. */
  get mayStart(): boolean {
    return this.store.getState().offer === null;
  }

  /** Resolves once a page is in view that shows the run. */
  async runInView(): Promise<void> {
    const shows = () => !WITHOUT_RUN.has(this.store.getState().page);
    if (shows()) return;
    await new Promise<void>((resolve) => {
      const end = this.store.subscribe(() => {
        if (!shows()) return;
        end();
        resolve();
      });
    });
  }

  /** A choice on a page. */
  choose<P extends PageId, K extends keyof PageSettings<P>>(
    page: P,
    name: K,
    value: PageSettings<P>[K],
  ): void {
    this.chooseAll(page, { [name]: value } as unknown as Partial<PageSettings<P>>);
  }

  /** Several choices on a page at once. */
  chooseAll<P extends PageId>(page: P, chosen: Partial<PageSettings<P>>): void {
    this.store.setState(({ views }) => ({
      views: { ...views, [page]: { ...views[page], ...chosen } },
    }));
    this.changed();
  }

  /** To another page of the lab, with all settings as they are. */
  go(page: PageId): void {
    if (page === this.store.getState().page) return;
    this.write();
    this.store.setState({ page });
    this.place.push(this.hash());
    this.known = this.place.read();
  }

  /** Takes the offer up. */
  async accept(): Promise<void> {
    const { offer } = this.store.getState();
    if (offer === null) return;
    this.store.setState({ offer: null });
    this.lab.edit((before) => draftOf(offer.run, before));
    await this.lab.start();
  }

  decline(): void {
    this.store.setState({ offer: null });
  }

  /** A run that repeats the link goes as far as the link's did. */
  private tellLinked(): void {
    const { opened } = this.store.getState();
    this.lab.repeat(
      opened && {
        settings: opened.run,
        sequences: opened.fingerprint.sequences,
        files: opened.fingerprint.policies,
      },
    );
  }

  /** A language was chosen: the address names it from now on only where it named one before. */
  speak(language: Language): void {
    if (this.store.getState().lang === 'own') return;
    this.store.setState({ lang: language });
    this.changed();
  }

  forgetFingerprint(): void {
    this.store.setState({ opened: null });
    this.changed();
  }

  /** What is on view, as a link would hold it. */
  link(page: PageId = this.store.getState().page): Link {
    const { views, embed, hide, figure, lang, seat, opened } = this.store.getState();
    const view: AnyPageSettings = views[page];
    const mine =
      opened !== null &&
      opened.page === page &&
      sameRun(opened.run, this.run) &&
      sameView(page, opened.view, view);
    const fingerprint = mine ? opened.fingerprint : null;
    return { page, run: this.run, view, embed, hide, figure, lang, seat, fingerprint };
  }

  /** The address of a page under the present settings. */
  hash(page?: PageId): string {
    return writeLink(this.link(page));
  }

  private follow(): void {
    const { settings } = readDraft(this.lab.store.getState().draft);
    if (settings === null || sameRun(settings, this.run)) return;
    this.run = settings;
    const { offer } = this.store.getState();
    if (offer !== null && !sameRun(offer.run, settings)) this.store.setState({ offer: null });
    // Addresses of other pages hold the settings too.
    this.store.setState({});
    this.changed();
  }

  private changed(): void {
    const wait = this.lastWrite + LEAST - Date.now();
    if (wait <= 0) this.write();
    else this.timer ??= setTimeout(() => this.write(), wait);
  }

  private write(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const hash = this.hash();
    const before = this.place.read();
    // Browsers change the address first and tell of it later: what a person has just set is not to be lost.
    if (before !== this.known) return;
    if (hash === before || (before === '' && hash === `#/${FIRST_PAGE}`)) return;
    const now = Date.now();
    if (now - this.lastWrite < BURST) this.place.replace(hash);
    else this.place.push(hash);
    this.known = this.place.read();
    this.lastWrite = now;
  }

  private arrive(how: 'travelled' | 'typed'): void {
    const hash = this.place.read();
    this.known = hash;
    // An anchor within the page, such as the skip link's, is no address of the lab.
    if (hash !== '' && !hash.startsWith('#/')) return;
    clearTimeout(this.timer);
    this.timer = undefined;
    const { link, problems } = openLink(hash);
    const changed = !sameRun(link.run, this.run);
    const { opened, views } = this.store.getState();
    const kept = opened !== null && sameRun(opened.run, link.run) ? opened : null;
    this.run = link.run;
    this.store.setState({
      page: link.page,
      views: { ...views, [link.page]: link.view },
      embed: link.embed,
      hide: link.hide,
      figure: link.figure,
      lang: link.lang,
      seat: link.seat,
      opened: fingerprintOf(link) ?? kept,
      offer: null,
    });
    if (changed) this.lab.edit((before) => draftOf(link.run, before));
    if (problems.length > 0) this.lab.notify(problems.join(' '));
    if (how === 'typed') {
      this.place.replace(this.hash());
      this.known = this.place.read();
    }
    this.lastWrite = 0;
    if (changed || link.fingerprint !== null) this.propose(link.run, how);
  }

  /** Starts a run of these settings where it costs nothing, else offers it. */
  private propose(settings: RunSettings, how: 'travelled' | 'typed'): void {
    const { run, opening } = this.lab.store.getState();
    if (run?.settings && sameRun(run.settings, settings)) return;
    const consent = consentFor(settings);
    const free = opening.status === 'open' && (run === null || (run.settings && !isLive(run)));
    if (how === 'typed' && consent === null && free) {
      void this.lab.start();
      return;
    }
    const why =
      consent ??
      (run === null
        ? t`Nothing has been run with these settings.`
        : run.settings === null
          ? t`The data in view come from your files.`
          : t`The run in view has other settings.`);
    this.store.setState({ offer: { run: settings, why } });
  }
}

function fingerprintOf({ fingerprint, run, page, view }: Link): OpenedFingerprint | null {
  return fingerprint === null ? null : { fingerprint, run, page, view };
}

/**
 * The browser's address bar. Contract: entries that we wrote are marked, so that going back to one is
 * told from an address that a person typed.
 */
const OURS = { lab: true } as const;

const isOurs = (state: unknown): boolean =>
  typeof state === 'object' && state !== null && 'lab' in state;

export const browserPlace: Place = {
  read: () => location.hash,
  push: (hash) => history.pushState(OURS, '', hash),
  replace: (hash) => history.replaceState(OURS, '', hash),
  beforeActs: (heard) => {
    for (const act of ['pointerdown', 'pointerup', 'click']) addEventListener(act, heard, true);
  },
  listen: (heard) =>
    addEventListener('hashchange', () => heard(isOurs(history.state) ? 'travelled' : 'typed')),
};
