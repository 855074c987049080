/** The ledger as text: counts, CSV, and file names. Contract: pure; CSV after RFC 4180, full precision. */
import type { LedgerClaim, LedgerHead } from '../../../src/engine/reproduce';
import type { ExperimentVerdict } from '../../../src/experiments/experiment';

export type Counts = Record<ExperimentVerdict, number>;

export function countsOf(claims: readonly LedgerClaim[]): Counts {
  const counts: Counts = { holds: 0, fails: 0, 'too few': 0 };
  for (const { verdict } of claims) counts[verdict]++;
  return counts;
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
  'prediction',
  'measured',
  'low',
  'high',
  'n',
  'n of',
  'verdict',
  'rule',
] as const;

function cell(value: string | number | null): string {
  if (value === null) return '';
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export function csvOf(claims: readonly LedgerClaim[]): string {
  const rows = claims.map((c) => [
    c.pair,
    c.experiment,
    c.id,
    c.claim,
    c.prediction,
    c.measured,
    c.interval?.[0] ?? null,
    c.interval?.[1] ?? null,
    c.n,
    c.nOf,
    c.verdict,
    c.rule,
  ]);
  return [COLUMNS, ...rows].map((row) => `${row.map(cell).join(',')}\r\n`).join('');
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
