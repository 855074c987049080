/**
 * A ledger as Markdown: claims by source, one line each, one column per policy pair. Contract: pure; what it says is in
 * the ledger.
 */
import type { Ledger, LedgerClaim } from '../src/engine/headless/reproduce';
import { SOURCE_IDS, SOURCES } from '../src/experiments/manifest';

/** Three digits, as a person would write them: no exponent between 0.001 and 10,000. */
function digits(x: number): string {
  if (x === 0) return '0';
  const size = Math.abs(x);
  if (size < 1e-3 || size >= 1e4) return x.toExponential(1).replace('e+', 'e');
  return String(Number(x.toPrecision(3)));
}

function cell(claim: LedgerClaim | undefined): string {
  if (claim === undefined) return '';
  const { verdict, measured, interval, detected, settledBy, nOf } = claim;
  const word = verdict === 'fails' ? '**fails**' : verdict;
  if (measured === null || verdict === 'not applicable') return word;
  const between = interval === null ? '' : ` [${interval.map(digits).join(', ')}]`;
  const small = detected ? ', detected, too small to matter' : '';
  const open = interval !== null && (verdict === 'undecided' || verdict === 'departs');
  const more = !open
    ? ''
    : settledBy === null
      ? '; at an edge of the margin, a million prompts would not settle it'
      : `; ${settledBy} ${nOf === 'steps' ? 'blocks of steps' : 'prompts'} would settle it`;
  return `${word}, ${digits(measured)}${between}${small}${more}`;
}

const row = (cells: readonly string[]) =>
  `| ${cells.map((text) => text.replaceAll('|', '\\|')).join(' | ')} |`;

function marginWords({ margin }: LedgerClaim): string {
  if (margin === null) return 'identity';
  const [low, high] = margin;
  if (low === null) return `at most ${digits(high ?? NaN)}`;
  if (high === null) return `at least ${digits(low)}`;
  return `${digits(low)} to ${digits(high)}`;
}

function table(ledger: Ledger, claims: readonly LedgerClaim[]): string[] {
  const lines = new Map(claims.map((claim) => [claim.id, claim]));
  return [
    row(['claim', 'predicted', 'margin', ...ledger.pairs.map(({ title }) => title)]),
    row(['---', '---', '---', ...ledger.pairs.map(() => '---')]),
    ...[...lines.values()].map((first) =>
      row([
        `${first.claim} \`${first.id}\`${first.recorded ? ' (recorded while training)' : ''}`,
        first.prediction === null ? 'a bound' : digits(first.prediction),
        marginWords(first),
        ...ledger.pairs.map((pair) =>
          cell(claims.find((own) => own.pair === pair.id && own.id === first.id)),
        ),
      ]),
    ),
  ];
}

export function ledgerMarkdown(ledger: Ledger): string {
  const { pairs, claims, seed, size, prompts, groupSize, backend, policies, multiplicity } = ledger;
  const of = (verdict: LedgerClaim['verdict']) =>
    claims.filter((claim) => claim.verdict === verdict).length;
  return [
    '# Ledger',
    '',
    `\`npm run ${size === 'quick' ? 'reproduce -- --quick' : 'ledger'}\`: seed ${seed}, policy on ${backend}, size ${size}, ${prompts} prompts x ` +
      `${groupSize} responses a pair. Of ${claims.length} claims ${of('holds')} hold, ${of('fails')} fail, ` +
      `${of('departs')} depart, ${of('undecided')} are undecided, ${of('not applicable')} do not apply.`,
    '',
    `${multiplicity.method} Here ${multiplicity.claims} claims rest on intervals, ${multiplicity.given} verdicts were ` +
      `given, ${digits(multiplicity.expectedWrong)} at most are expected to be wrong.`,
    '',
    `What each claim is, its margin and why, its estimator: [claims.md](claims.md), SHA-256 \`${ledger.claimsHash.slice(0, 16)}\`.`,
    '',
    `The ${pairs.length} pairs rest on ${ledger.samples} samples of responses: pairs with one old policy are judged on ` +
      'the same responses and are no independent evidence of what concerns these alone.',
    '',
    ...pairs.map(
      (pair) => `- ${pair.title}: \`${pair.old}\` and \`${pair.new}\` of ${pair.policy}`,
    ),
    '',
    ...SOURCE_IDS.flatMap((source) => {
      const own = claims.filter((claim) => claim.source === source);
      if (own.length === 0) return [];
      const { title, name } = SOURCES[source];
      return [`## ${title}: ${name}`, '', ...table(ledger, own), ''];
    }),
    `SHA-256: ${policies.map(({ name, sha256 }) => `${name} \`${sha256.slice(0, 16)}\``).join(', ')}.`,
    '',
  ].join('\n');
}
