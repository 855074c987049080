/** The ledger as text: counts, CSV, and file names. Contract: pure; CSV after RFC 4180, full precision. */
import type { LedgerClaim, LedgerHead } from '../../../src/engine/headless/reproduce';
import { csvHead, csvRow, labelCell, numberCell } from '../../../src/export/csv';
import type { Verdict } from '../../../src/experiments/experiment';

export type Counts = Record<Verdict, number>;

export function countsOf(claims: readonly LedgerClaim[]): Counts {
  const counts: Counts = {
    holds: 0,
    fails: 0,
    departs: 0,
    undecided: 0,
    'not applicable': 0,
  };
  for (const { verdict } of claims) counts[verdict]++;
  return counts;
}

/** "3 hold, 1 fails, 2 depart, 4 are undecided, 1 does not apply" */
export function countWords(counts: Counts): string {
  const of = (n: number, one: string, many: string) =>
    n === 0 ? [] : [`${n} ${n === 1 ? one : many}`];
  return [
    ...of(counts.holds, 'holds', 'hold'),
    ...of(counts.fails, 'fails', 'fail'),
    ...of(counts.departs, 'departs', 'depart'),
    ...of(counts.undecided, 'is undecided', 'are undecided'),
    ...of(counts['not applicable'], 'does not apply', 'do not apply'),
  ].join(', ');
}

/** "quick, 80 prompts × 4 responses a pair" */
export function sizeWords({ size, prompts, groupSize }: LedgerHead): string {
  const name = { full: 'full', quick: 'quick', 'quick-software': 'quick, for a software GPU' }[
    size
  ];
  return `${name}, ${prompts} prompts × ${groupSize} responses a pair`;
}

const COLUMNS = [
  'pair',
  'experiment',
  'id',
  'claim',
  'source',
  'prediction',
  'margin low',
  'margin high',
  'measured',
  'low',
  'high',
  'n',
  'n of',
  'verdict',
  'detected',
  'settled by',
  'note',
  'recorded',
  'rule',
] as const;

/** What a stranger needs to make the same ledger again, in lines above it. */
function provenance(head: LedgerHead, link: string): string[] {
  const { app, seed, backend, kernels, adapter, policies } = head;
  return [
    `GSPO Lab ${app}, https://arxiv.org/abs/2510.23142`,
    `link: ${link}`,
    `seed: ${seed}`,
    `size: ${sizeWords(head)}`,
    ...policies.map(({ name, sha256 }) => `sha256 ${name}: ${sha256}`),
    `sha256 of the claims: ${head.claimsHash}`,
    `backend: policy on ${backend}, kernels on ${kernels}, ${adapter}`,
  ];
}

/** @param from null: without provenance */
export function csvOf(
  claims: readonly LedgerClaim[],
  from: { head: LedgerHead; link: string } | null,
): string {
  const rows = claims.map((c) => [
    labelCell(c.pair),
    labelCell(c.experiment),
    labelCell(c.id),
    labelCell(c.claim),
    c.source,
    numberCell(c.prediction),
    numberCell(c.margin?.[0]),
    numberCell(c.margin?.[1]),
    numberCell(c.measured),
    numberCell(c.interval?.[0]),
    numberCell(c.interval?.[1]),
    String(c.n),
    c.nOf,
    c.verdict,
    c.detected ? 'yes' : 'no',
    numberCell(c.settledBy),
    labelCell(c.note ?? ''),
    c.recorded ? 'yes' : 'no',
    labelCell(c.rule),
  ]);
  const lines = from === null ? [] : provenance(from.head, from.link);
  return csvHead('Ledger of claims', lines, COLUMNS) + rows.map(csvRow).join('');
}

/** Where the strip shows a value: 0.5 is the prediction; both ends of the interval lie inside. */
export function stripOf({ prediction, measured, interval }: LedgerClaim): {
  at: number;
  low: number;
  high: number;
} | null {
  if (prediction === null || measured === null || interval === null) return null;
  if (![measured, ...interval].every(Number.isFinite)) return null;
  const reach = Math.max(
    Math.abs(interval[0] - prediction),
    Math.abs(interval[1] - prediction),
    Math.abs(measured - prediction),
  );
  const share = (x: number) => (reach > 0 ? 0.5 + (0.45 * (x - prediction)) / reach : 0.5);
  return { at: share(measured), low: share(interval[0]), high: share(interval[1]) };
}
