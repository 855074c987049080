/**
 * CSV that spreadsheets open and pandas reads: `pd.read_csv(file, comment="#")`.
 *
 * The stamp stands in lines that begin with `#` above the header, in the file itself, because a file beside
 * it gets lost. Quoting follows RFC 4180. Texts are JSON strings inside quotes (`json.loads` gives them back
 * exactly): a `#` in them is then no comment, a line break no new line, and no spreadsheet takes the answer
 * `=24+2;` for a formula. Numbers are written so that reading them gives the same float32 or float64; a
 * missing value is an empty cell, infinities are `inf` and `-inf`.
 */
import { stampLines, type Stamp } from './stamp';

const LINE_END = '\r\n';

/** The shortest decimal that reads back as the same float32, or nearly the shortest. */
export function float32Text(x: number): string {
  for (const digits of [7, 8]) {
    const short = Number(x.toPrecision(digits));
    if (Math.fround(short) === x) return String(short);
  }
  return String(Number(x.toPrecision(9)));
}

/** @param single whether x is a float32 */
export function numberCell(x: number | null | undefined, single = false): string {
  if (x === null || x === undefined || Number.isNaN(x)) return '';
  if (x === Infinity) return 'inf';
  if (x === -Infinity) return '-inf';
  return single ? float32Text(x) : String(x);
}

const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;

/** A text from data: a JSON string in quotes. */
export function textCell(text: string): string {
  return quoted(JSON.stringify(text));
}

/** A text of the lab's own, as it is; never one that a spreadsheet would run as a formula. */
export function labelCell(text: string): string {
  const harmless = /^[=+@\t\r]|^-(?![\d.])/.test(text) ? ` ${text}` : text;
  return /[",\r\n#]/.test(harmless) ? quoted(harmless) : harmless;
}

/** The lines above the data: what the file is, the stamp, the names of the columns. */
export function csvHead(
  what: string,
  stamp: Stamp | readonly string[] | null,
  columns: readonly string[],
): string {
  const lines = stamp === null ? [] : 'app' in stamp ? stampLines(stamp) : stamp;
  const comments = [what, ...lines];
  return [
    ...comments.map((line) => `# ${line.replaceAll(/[\r\n]+/g, ' ')}`),
    columns.map(labelCell).join(','),
    '',
  ].join(LINE_END);
}

export function csvRow(cells: readonly string[]): string {
  return cells.join(',') + LINE_END;
}

/** The table behind a figure: cells as the page shows them, typographic minus signs turned plain. */
export function tableCsv(
  what: string,
  stamp: Stamp | null,
  columns: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  return csvHead(what, stamp, columns) + rows.map((row) => csvRow(row.map(shownCell))).join('');
}

const SUPERSCRIPTS = '⁰¹²³⁴⁵⁶⁷⁸⁹';

/** "−1.2 × 10⁻⁵" is -1.2e-5 to a program. */
function shownCell(shown: string): string {
  const plain = shown
    .replaceAll('−', '-')
    .replaceAll(/ × 10(⁻?)([⁰¹²³⁴-⁹]+)/g, (_, minus: string, digits: string) => {
      const exponent = [...digits].map((digit) => SUPERSCRIPTS.indexOf(digit)).join('');
      return `e${minus === '' ? '' : '-'}${exponent}`;
    });
  const ungrouped = /^-?\d{1,3}(,\d{3})+(\.\d+)?$/.test(plain) ? plain.replaceAll(',', '') : plain;
  return labelCell(ungrouped);
}
