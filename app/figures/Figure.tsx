/**
 * A figure: title, what it shows, controls, the picture, and the table behind it. Contract: a picture
 * that nobody sees is drawn, and redrawn, once changes have ceased, or when the page is printed, and is hidden
 * until then: what stands on the page is never of the data before; recorded data and those of the run
 * before are labelled as such; the table holds the numbers of the picture, no others.
 */
import {
  memo,
  startTransition,
  useContext,
  useEffect,
  useId,
  useRef,
  useState,
  type ReactNode,
} from 'react';
import type { Stamp } from '../../src/export/stamp';
import { figureId } from '../../src/link/link';
import { count } from '../format/numbers';
import { SaveMenu } from './SaveMenu';
import { DrawnContext, usePrinting, useVisible } from '../charts/hooks';
import { OverlayLegend } from '../charts/OverlayLegend';
import type { Overlaid } from '../charts/shapes';
import type { Table } from '../charts/table';
import { LagContext } from '../state/react';

interface FigureProps {
  title: string;
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

/** ms without a change after which a picture that nobody sees is redrawn */
const CEASED = 100;

/** Whether `content` has stayed as it is for a while. */
function useCeased(content: ReactNode, watched: boolean): boolean {
  const [settled, setSettled] = useState<ReactNode>(null);
  useEffect(() => {
    if (!watched) return;
    // Drawing what nobody sees may take its time.
    const timer = setTimeout(() => startTransition(() => setSettled(content)), CEASED);
    return () => clearTimeout(timer);
  }, [content, watched]);
  return settled === content;
}

export function Figure({
  title,
  caption,
  recorded: own,
  controls,
  overlays = [],
  table,
  stamp,
  children,
  className = '',
}: FigureProps) {
  const ref = useRef<HTMLElement>(null);
  const visible = useVisible(ref);
  const printing = usePrinting();
  const ceased = useCeased(children, !visible);
  const draw = visible || printing || ceased;
  const [drawn, setDrawn] = useState(false);
  if (draw && !drawn) setDrawn(true);
  const lag = useContext(LagContext);
  const recorded = own ?? lag?.of === 'recording';
  const [asTable, setAsTable] = useState(false);
  const heading = useId();
  return (
    <figure
      className={`figure ${className}`}
      ref={ref}
      aria-labelledby={heading}
      data-figure={figureId(title)}
      data-of={recorded ? 'recording' : lag?.of}
    >
      <header className="figure-head">
        <h3 id={heading}>{title}</h3>
        {recorded && <span className="recorded-tag">recorded</span>}
        {!recorded && lag?.of === 'run before' && <span className="recorded-tag">run before</span>}
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
            Table
          </button>
          <SaveMenu
            title={title}
            figure={ref}
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
        <div className="figure-body" data-outdated={!draw || undefined}>
          <DrawnContext value={drawn}>
            <Picture draw={draw}>
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
    <div className="table-scroll" role="region" aria-label={`${label}, as a table`} tabIndex={0}>
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
          {count(shown.length)} of {count(rows.length)} rows, the first ones
          {columns[0] === 'run' && ' of each run'}; the file that <i>Save</i> writes as CSV has them
          all.
        </p>
      )}
      {note !== undefined && <p className="table-note">{note}</p>}
    </div>
  );
}
