/**
 * Link, QR code and embedding of what is on view. Contract: a finished run's link carries its
 * fingerprint unless the person takes it out; why a link carries none is said.
 */
import { useEffect, useId, useRef, useState } from 'react';
import { readOwnId, type RunSettings } from '../../src/settings/run';
import { PAGES } from '../../src/experiments/manifest';
import { figureId, HIDEABLE, seatOf, type HidePart } from '../../src/link/link';
import { useAddress, useAddressState } from '../state/address-react';
import { counted } from '../format/numbers';
import { embedSnippet, fullAddress } from './addresses';
import { ClassFile } from './ClassFile';
import { CopyField } from './CopyField';
import { QrCode } from './QrCode';
import { useFingerprint, type Fingerprinting, type Missing } from './use-fingerprint';

const PARTS: Record<HidePart, string> = {
  setup: 'setup',
  run: 'run bar',
  controls: 'switches of the figures',
  words: 'prediction and verdict',
};

const WHY_NONE: Record<Missing, string> = {
  'no run': 'Nothing has been run yet.',
  files: 'The data in view come from your own files, which no link can carry.',
  'other settings': 'The settings have been changed since the run in view.',
  unfinished: 'The run is under way.',
};

function fingerprintWords(found: Fingerprinting): string {
  switch (found.status) {
    case 'none':
      return `${WHY_NONE[found.why]} The link holds the settings only.`;
    case 'waiting':
      return 'Taking the run’s fingerprint…';
    case 'refused':
      return `${found.message} The link holds the settings only.`;
    case 'here': {
      const { fingerprint, figures } = found.value;
      return (
        `Whoever opens the link repeats this run and is told whether all ` +
        `${counted(fingerprint.sequences, 'response')} and ${counted(figures.length, 'figure')} ` +
        'came out the same.'
      );
    }
    default:
      return found satisfies never;
  }
}

/** Titles of the figures on view. */
function figuresOnPage(): string[] {
  const headings = document.querySelectorAll('.figure[data-figure] h3');
  return [...new Set([...headings].map(({ textContent }) => textContent))];
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
  const pageTitle = PAGES[page].title;
  const link = address.link();
  const own = ownFiles(link.run);
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
        <h2 id={title}>Share this experiment</h2>
        <button type="button" className="button-quiet" onClick={() => dialog.current?.close()}>
          Close
        </button>
      </div>
      <div className="share-link">
        <div>
          <CopyField label="Link" text={shared} share={`GSPO Lab: ${pageTitle}`} />
          <label className="share-option">
            <input
              type="checkbox"
              checked={withFingerprint}
              onChange={(event) => setWithFingerprint(event.target.checked)}
            />
            with the fingerprint of the run
          </label>
          <p className="small" role="status" data-testid="fingerprint-words">
            {withFingerprint ? fingerprintWords(found) : 'The link holds the settings only.'}
          </p>
          {own.length > 0 && (
            <p className="notice" data-testid="own-files">
              The run takes {own.length === 1 ? 'a checkpoint file' : 'checkpoint files'} of your
              own ({own.map(({ name }) => name).join(', ')}), which no link can carry. Whoever opens
              the link is asked for {own.length === 1 ? 'it' : 'them'}, by hash: send{' '}
              {own.length === 1 ? 'it' : 'them'} too.
            </p>
          )}
        </div>
        <QrCode text={shared} />
      </div>
      {seatOf(link) !== null && <ClassFile link={link} found={found} />}
      <section>
        <h3>Embed in a page</h3>
        {figures.length > 0 && (
          <label className="share-option">
            Show{' '}
            <select value={figure} onChange={({ currentTarget }) => setFigure(currentTarget.value)}>
              <option value="">the whole page</option>
              {figures.map((title) => (
                <option key={title} value={figureId(title)}>
                  only “{title}”
                </option>
              ))}
            </select>
          </label>
        )}
        <fieldset className="share-parts">
          <legend>Leave out</legend>
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
              {PARTS[part]}
            </label>
          ))}
        </fieldset>
        <CopyField
          label="Snippet"
          text={embedSnippet(embedded, `GSPO Lab: ${pageTitle}`)}
          lines={5}
        />
      </section>
    </dialog>
  );
}
