/**
 * A ledger as Markdown: one line per claim, one column per policy pair. Contract: pure; what it says is
 * in the ledger. `intoDocument` puts it between two marks of a document, so that the README's table is
 * made by a command and never by hand.
 */
import type { Ledger, LedgerClaim } from '../src/engine/headless/reproduce';

export const BEGIN = '<!-- ledger: made by `npm run ledger` -->';
export const END = '<!-- end of the ledger -->';

/** Three digits, as a person would write them: no exponent between 0.001 and 10,000. */
function digits(x: number): string {
  if (x === 0) return '0';
  const size = Math.abs(x);
  if (size < 1e-3 || size >= 1e4) return x.toExponential(1).replace('e+', 'e');
  return String(Number(x.toPrecision(3)));
}

/** @param against whether the pairs' predictions differ, so that each is named */
function cell(claim: LedgerClaim | undefined, against: boolean): string {
  if (claim === undefined) return '';
  const { verdict, prediction, measured, interval } = claim;
  const word = verdict === 'fails' ? '**fails**' : verdict;
  if (measured === null) return word;
  const between = interval === null ? '' : ` [${interval.map(digits).join(', ')}]`;
  const predicted = against && prediction !== null ? ` against ${digits(prediction)}` : '';
  return `${word}, ${digits(measured)}${between}${predicted}`;
}

/** Claims name the length at which they were tested; that differs from pair to pair. */
const withoutLength = (claim: string) => claim.replace(/ at \d+ tokens/, '').replace(/\.$/, '');

const row = (cells: readonly string[]) =>
  `| ${cells.map((text) => text.replaceAll('|', '\\|')).join(' | ')} |`;

export function ledgerMarkdown(ledger: Ledger): string {
  const { pairs, claims, seed, size, prompts, groupSize, backend, policies } = ledger;
  const lines = new Map(
    claims.map(({ id, claim, recorded }) => [
      id,
      withoutLength(claim) + (recorded ? ' (recorded while training)' : ''),
    ]),
  );
  const rows = [...lines].map(([id, claim]) => {
    const own = pairs.map((pair) => claims.find((c) => c.pair === pair.id && c.id === id));
    const [prediction = null, ...others] = new Set(own.map((c) => c?.prediction ?? null));
    const differ = others.length > 0;
    const predicted = prediction === null || differ ? '' : ` (${digits(prediction)})`;
    return row([claim + predicted, ...own.map((c) => cell(c, differ))]);
  });
  const table = [
    row(['claim (prediction)', ...pairs.map(({ title }) => title)]),
    row(['---', ...pairs.map(() => '---')]),
    ...rows,
  ];
  const counts = (['holds', 'fails', 'too few'] as const).map(
    (verdict) => claims.filter((c) => c.verdict === verdict).length,
  );
  return [
    `\`npm run ledger\`: seed ${seed}, policy on ${backend}, size ${size}, ${prompts} prompts x ` +
      `${groupSize} responses a pair. Of ${claims.length} claims ${counts[0]} hold, ${counts[1]} fail, ` +
      `${counts[2]} rest on too few data.`,
    '',
    ...pairs.map(
      (pair) => `- ${pair.title}: \`${pair.old}\` and \`${pair.new}\` of ${pair.policy}`,
    ),
    '',
    ...table,
    '',
    `SHA-256: ${policies.map(({ name, sha256 }) => `${name} \`${sha256.slice(0, 16)}\``).join(', ')}.`,
  ].join('\n');
}

/**
 * The document with `markdown` between its marks.
 * @returns undefined where it has no marks
 */
export function intoDocument(document: string, markdown: string): string | undefined {
  const from = document.indexOf(BEGIN);
  const to = document.indexOf(END, from);
  if (from < 0 || to < 0) return undefined;
  return `${document.slice(0, from + BEGIN.length)}\n\n${markdown}\n\n${document.slice(to)}`;
}
