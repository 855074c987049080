/** A figure as a file: the picture as SVG or PNG, the numbers behind it as CSV; each with its stamp. */
import { Trans } from '@lingui/react/macro';
import { t } from '@lingui/core/macro';
import { use, useRef, useState, type RefObject } from 'react';
import { tableCsv } from '../../src/export/csv';
import type { Stamp } from '../../src/export/stamp';
import type { Table } from '../charts/table';
import { inEnglish } from '../language/i18n';
import { download } from '../runs/download';
import { fileName, stampOfRecorded, stampOfView } from '../runs/stamp';
import { LagContext, useLab } from '../state/react';
import './figures.css';
import { pictureOf, pngOf } from './picture';
import { message } from '../../src/message';

interface SaveMenuProps {
  title: string;
  figure: RefObject<HTMLElement | null>;
  recorded: boolean;
  table: () => Table;
  /** where the numbers come from; the run in view unless told */
  stamp?: (() => Stamp) | undefined;
  /** the picture is not shown, because its table is */
  pictureHidden: boolean;
}

const kinds = () =>
  [
    { kind: 'svg', name: 'SVG', title: t`The picture, as lines and text` },
    { kind: 'png', name: 'PNG', title: t`The picture, twice as large as here` },
    { kind: 'csv', name: 'CSV', title: t`The table behind it` },
  ] as const;
type Kind = ReturnType<typeof kinds>[number]['kind'];

/** Without what only a live page can do. */
function captionOf(figure: HTMLElement | null): string {
  const copy = figure?.querySelector('figcaption')?.cloneNode(true);
  if (!(copy instanceof HTMLElement)) return '';
  for (const live of copy.querySelectorAll('.only-live')) live.remove();
  return copy.textContent;
}

export function SaveMenu({ title, figure, recorded, table, stamp, pictureHidden }: SaveMenuProps) {
  const lab = useLab();
  const lag = use(LagContext);
  const menu = useRef<HTMLDetailsElement>(null);
  const [problem, setProblem] = useState<string | null>(null);

  const write = async (kind: Kind) => {
    setProblem(null);
    try {
      const from =
        stamp?.() ??
        (recorded && lag?.of === 'recording'
          ? stampOfRecorded(lag.recording)
          : stampOfView(lab.store.getState()));
      download(fileName(title, from, kind), await fileOf(kind, from));
      if (menu.current !== null) menu.current.open = false;
    } catch (error) {
      setProblem(message(error));
    }
  };
  const fileOf = async (kind: Kind, from: Stamp): Promise<Blob> => {
    const caption = captionOf(figure.current);
    if (kind === 'csv') {
      // Programs read it: points and English headings, whatever the page's language.
      const { columns, rows } = inEnglish(table);
      return new Blob([tableCsv(title, from, columns, rows)], { type: 'text/csv' });
    }
    const body = figure.current?.querySelector<HTMLElement>('.figure-body');
    if (!body) throw new Error('The picture is not on view.');
    const picture = pictureOf(body, { title, caption, stamp: from });
    return kind === 'png' ? pngOf(picture) : new Blob([picture.svg], { type: 'image/svg+xml' });
  };

  return (
    <details
      className="figure-save"
      ref={menu}
      onBlur={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget)) event.currentTarget.open = false;
      }}
      onKeyDown={(event) => {
        if (event.key !== 'Escape' || !event.currentTarget.open) return;
        event.preventDefault();
        event.currentTarget.open = false;
        event.currentTarget.querySelector('summary')?.focus();
      }}
    >
      <summary className="button-quiet">{t`Save`}</summary>
      <div className="figure-save-menu" role="group" aria-label={t`Save “${title}” as`}>
        {kinds().map(({ kind, name, title: what }) => (
          <button
            key={kind}
            type="button"
            className="button-quiet"
            title={what}
            disabled={pictureHidden && kind !== 'csv'}
            onClick={() => void write(kind)}
          >
            {name}
          </button>
        ))}
        {problem !== null && (
          <p className="small" role="alert">
            <Trans>No file: {problem}</Trans>
          </p>
        )}
      </div>
    </details>
  );
}
