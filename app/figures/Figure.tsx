/**
 * A figure: title, what it shows, controls, the picture, and the table behind it. Contract: words, picture and table
 * are of the same data, and figures in view go over to new data one after another; a picture that nobody sees is
 * drawn, and redrawn, once changes have ceased, or when the page is printed, and is hidden until then; recorded data
 * and those of the run before are labelled as such; the table holds the numbers of the picture, no others.
 */
import { Trans } from '@lingui/react/macro';
import { t } from '@lingui/core/macro';
import {
  memo,
  useContext,
  useId,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
  type ReactNode,
  type RefObject,
} from 'react';
import type { Stamp } from '../../src/export/stamp';
import { figureId } from '../../src/link/link';
import type { MessageDescriptor } from '@lingui/core';
import { i18n, inEnglish } from '../language/i18n';
import { count } from '../format/numbers';
import { SaveMenu } from './SaveMenu';
import { DrawnContext, usePrinting, useVisible } from '../charts/hooks';
import { inTurn } from '../charts/turns';
import { OverlayLegend } from '../charts/OverlayLegend';
import type { Overlaid } from '../charts/shapes';
import type { Table } from '../charts/table';
import { LagContext, type Lag } from '../state/react';

interface FigureProps {
  /** its English is the figure's name in links */
  title: string | MessageDescriptor;
  /** one or two sentences under the picture */
  caption: ReactNode;
  /** that of the page unless told */
  recorded?: boolean | undefined;
  controls?: ReactNode;
  /** kept runs that the picture has beside the one in view */
  overlays?: readonly Overlaid<unknown>[];
  table: () => Table;
  /** where the numbers come from, for files; the run in view unless told */
  stamp?: () => Stamp;
  children: ReactNode;
  className?: string;
}

/** Keeps the last picture until `draw` says otherwise. */
const Picture = memo(
  function Picture({ children }: { draw: boolean; children: ReactNode }) {
    return children;
  },
  (_before, now) => !now.draw,
);

/** ms without a change after which a picture that nobody sees is redrawn while its page is behind the run */
const CEASED = 100;

/** What a figure shows at one moment: its words, its picture and its table are of the same data. */
interface Moment {
  props: FigureProps;
  lag: Lag;
}

interface Shown {
  shown: Moment;
  /** whether there is a picture, besides the room for it */
  drawn: boolean;
  /** whether that is of what is shown */
  current: boolean;
}

/**
 * In view a figure goes over to what is latest as a whole, when its turn has come; out of view its words are the
 * latest, and its picture once changes have ceased.
 */
function useShown(latest: Moment, visible: boolean): Shown {
  const printing = usePrinting();
  const [picture, setPicture] = useState({ of: latest, drawn: false });
  const { drawn } = picture;
  const current = drawn && picture.of === latest;
  const newest = useRef(latest);
  useLayoutEffect(() => {
    newest.current = latest;
  }, [latest]);
  // Only a picture that nobody sees, of a page that is behind its run, waits anew with every change.
  const waiting = visible || latest.lag === null ? null : latest;
  useLayoutEffect(() => {
    if (current) return;
    const draw = () => setPicture({ of: newest.current, drawn: true });
    if (visible && drawn) return inTurn(draw);
    // The first picture's parts take their turns by themselves.
    if (visible) return draw();
    let giveUp = () => {};
    const wait = waiting === null ? 0 : CEASED;
    const timer = setTimeout(() => (giveUp = inTurn(draw)), wait);
    return () => {
      clearTimeout(timer);
      giveUp();
    };
  }, [waiting, current, drawn, visible, picture]);
  if (printing) return { shown: latest, drawn: true, current: true };
  if (visible && drawn) return { shown: picture.of, drawn, current: true };
  return { shown: latest, drawn, current };
}

export function Figure(props: FigureProps) {
  const lag = useContext(LagContext);
  const ref = useRef<HTMLElement>(null);
  const visible = useVisible(ref);
  const latest = useMemo(() => ({ props, lag }), [props, lag]);
  return <FigureNow figure={ref} {...useShown(latest, visible)} />;
}

interface FigureNowProps extends Shown {
  figure: RefObject<HTMLElement | null>;
}

function FigureNow({ figure, shown: { props, lag }, drawn, current }: FigureNowProps) {
  const { caption, controls, overlays = [], table, stamp, children, className = '' } = props;
  const named = () => (typeof props.title === 'string' ? props.title : i18n._(props.title));
  const title = named();
  const recorded = props.recorded ?? lag?.of === 'recording';
  const [asTable, setAsTable] = useState(false);
  const heading = useId();
  return (
    <figure
      className={`figure ${className}`}
      ref={figure}
      aria-labelledby={heading}
      data-figure={figureId(inEnglish(named))}
      data-of={recorded ? 'recording' : lag?.of}
    >
      <header className="figure-head">
        <h3 id={heading}>{title}</h3>
        {recorded && <span className="recorded-tag">{t`recorded`}</span>}
        {!recorded && lag?.of === 'run before' && (
          <span className="recorded-tag">{t`run before`}</span>
        )}
        <div className="figure-controls">
          <div className="figure-switches" data-part="controls">
            {controls}
          </div>
          <button
            type="button"
            className="button-quiet"
            aria-pressed={asTable}
            onClick={() => setAsTable(!asTable)}
          >
            {t`Table`}
          </button>
          <SaveMenu
            title={title}
            figure={figure}
            recorded={recorded}
            table={table}
            stamp={stamp}
            pictureHidden={asTable}
          />
        </div>
      </header>
      {asTable ? (
        <DataTable {...table()} label={title} />
      ) : (
        <div className="figure-body" data-outdated={(drawn && !current) || undefined}>
          <DrawnContext value={drawn}>
            <Picture draw={current || !drawn}>
              <OverlayLegend overlays={overlays} />
              {children}
            </Picture>
          </DrawnContext>
        </div>
      )}
      <figcaption>{caption}</figcaption>
    </figure>
  );
}

/** A page of more rows is nobody's to read and slow to lay out; the saved file holds them all. */
const ROWS_ON_SCREEN = 500;

/** The first rows; of runs laid over one another, whose name is in the first column, as many of each. */
function rowsOnScreen(rows: Table['rows'], columns: Table['columns']): Table['rows'] {
  if (rows.length <= ROWS_ON_SCREEN) return rows;
  if (columns[0] !== 'run') return rows.slice(0, ROWS_ON_SCREEN);
  const runs = new Map(rows.map(([run]) => [run, 0]));
  const each = Math.floor(ROWS_ON_SCREEN / runs.size);
  return rows.filter(([run]) => {
    const before = runs.get(run) ?? 0;
    runs.set(run, before + 1);
    return before < each;
  });
}

function DataTable({ columns, rows, note, label }: Table & { label: string }) {
  const shown = rowsOnScreen(rows, columns);
  return (
    <div className="table-scroll" role="region" aria-label={t`${label}, as a table`} tabIndex={0}>
      <table>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column} scope="col">
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {shown.map((row, i) => (
            <tr key={i}>
              {row.map((cell, k) => (
                <td key={k}>{cell}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length > shown.length && (
        <p className="table-note">
          <Trans>
            {count(shown.length)} of {count(rows.length)} rows, the first ones
            {columns[0] === 'run' && t` of each run`}; the file that <i>Save</i> writes as CSV has
            them all.
          </Trans>
        </p>
      )}
      {note !== undefined && <p className="table-note">{note}</p>}
    </div>
  );
}
