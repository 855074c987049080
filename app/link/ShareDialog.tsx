/**
 * Link, QR code and embedding of what is on view. Contract: a finished run's link carries its
 * fingerprint unless the person takes it out; why a link carries none is said.
 */
import { plural, t } from '@lingui/core/macro';
import { useEffect, useId, useRef, useState } from 'react';
import { readOwnId, type RunSettings } from '../../src/settings/run';
import { PAGES } from '../../src/experiments/manifest';
import { HIDEABLE, seatOf, type HidePart } from '../../src/link/link';
import { useAddress, useAddressState } from '../state/address-react';
import { embedSnippet, fullAddress } from './addresses';
import { ClassFile } from './ClassFile';
import { CopyField } from './CopyField';
import { QrCode } from './QrCode';
import { useFingerprint, type Fingerprinting, type Missing } from './use-fingerprint';
import { said } from '../language/i18n';

const partsSaid = (): Record<HidePart, string> => ({
  setup: t`setup`,
  run: t`run bar`,
  controls: t`switches of the figures`,
  words: t`prediction and verdict`,
});

const whyNone = (): Record<Missing, string> => ({
  'no run': t`Nothing has been run yet.`,
  files: t`The data in view come from your own files, which no link can carry.`,
  'other settings': t`The settings have been changed since the run in view.`,
  unfinished: t`The run is under way.`,
});

function fingerprintWords(found: Fingerprinting): string {
  switch (found.status) {
    case 'none':
      return t`${whyNone()[found.why]} The link holds the settings only.`;
    case 'waiting':
      return t`Taking the run’s fingerprint…`;
    case 'refused':
      return t`${found.message} The link holds the settings only.`;
    case 'here': {
      const { fingerprint, figures } = found.value;
      return t`Whoever opens the link repeats this run and is told whether all ${plural(fingerprint.sequences, { one: '# response', other: '# responses' })} and ${plural(figures.length, { one: '# figure', other: '# figures' })} came out the same.`;
    }
    default:
      return found satisfies never;
  }
}

/** The figures on view: their names in links, and their titles. */
function figuresOnPage(): [id: string, title: string][] {
  const figures = document.querySelectorAll<HTMLElement>('.figure[data-figure]');
  const titles = [...figures].map((figure): [string, string] => [
    figure.dataset['figure'] ?? '',
    figure.querySelector('h3')?.textContent ?? '',
  ]);
  return [...new Map(titles)];
}

function ownFiles({ source }: RunSettings) {
  if (source.kind !== 'policies') return [];
  return [...new Set([source.old, source.new])].flatMap((id) => readOwnId(id) ?? []);
}

export default function ShareDialog({ onClose }: { onClose: () => void }) {
  const address = useAddress();
  const dialog = useRef<HTMLDialogElement>(null);
  const title = useId();
  const [withFingerprint, setWithFingerprint] = useState(true);
  const [hide, setHide] = useState<readonly HidePart[]>([]);
  const [figures] = useState(figuresOnPage);
  const [figure, setFigure] = useState('');
  const page = useAddressState((state) => state.page);
  const pageTitle = said(PAGES[page].title);
  const link = address.link();
  const own = ownFiles(link.run);
  const names = own.map(({ name }) => name).join(', ');
  const found = useFingerprint(link.run, link.page, link.view);
  const fingerprint = withFingerprint && found.status === 'here' ? found.value.fingerprint : null;
  const shared = fullAddress({ ...link, embed: false, hide: [], figure: '', fingerprint });
  const embedded = fullAddress({ ...link, embed: true, hide, figure, fingerprint: null });

  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  return (
    <dialog ref={dialog} className="share" aria-labelledby={title} onClose={onClose}>
      <div className="share-head">
        <h2 id={title}>{t`Share this experiment`}</h2>
        <button type="button" className="button-quiet" onClick={() => dialog.current?.close()}>
          {t`Close`}
        </button>
      </div>
      <div className="share-link">
        <div>
          <CopyField label={t`Link`} text={shared} share={`GSPO Lab: ${pageTitle}`} />
          <label className="share-option">
            <input
              type="checkbox"
              checked={withFingerprint}
              onChange={(event) => setWithFingerprint(event.target.checked)}
            />
            {t`with the fingerprint of the run`}
          </label>
          <p className="small" role="status" data-testid="fingerprint-words">
            {withFingerprint ? fingerprintWords(found) : t`The link holds the settings only.`}
          </p>
          {own.length > 0 && (
            <p className="notice" data-testid="own-files">
              {own.length === 1
                ? t`The run takes a checkpoint file of your own (${names}), which no link can carry. Whoever opens the link is asked for it, by hash: send it too.`
                : t`The run takes checkpoint files of your own (${names}), which no link can carry. Whoever opens the link is asked for them, by hash: send them too.`}
            </p>
          )}
        </div>
        <QrCode text={shared} />
      </div>
      {seatOf(link) !== null && <ClassFile link={link} found={found} />}
      <section>
        <h3>{t`Embed in a page`}</h3>
        {figures.length > 0 && (
          <label className="share-option">
            {t`Show`}{' '}
            <select value={figure} onChange={({ currentTarget }) => setFigure(currentTarget.value)}>
              <option value="">{t`the whole page`}</option>
              {figures.map(([id, title]) => (
                <option key={id} value={id}>{t`only “${title}”`}</option>
              ))}
            </select>
          </label>
        )}
        <fieldset className="share-parts">
          <legend>{t`Leave out`}</legend>
          {HIDEABLE.filter((part) => figure === '' || part === 'controls').map((part) => (
            <label key={part} className="share-option">
              <input
                type="checkbox"
                checked={hide.includes(part)}
                onChange={(event) => {
                  const on = event.target.checked;
                  setHide(HIDEABLE.filter((p) => (p === part ? on : hide.includes(p))));
                }}
              />
              {partsSaid()[part]}
            </label>
          ))}
        </fieldset>
        <CopyField
          label={t`Snippet`}
          text={embedSnippet(embedded, `GSPO Lab: ${pageTitle}`)}
          lines={5}
        />
      </section>
    </dialog>
  );
}
