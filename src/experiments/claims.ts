/**
 * All claims, as declared: what `docs/claims.md` is made of, and what a ledger and a link name by hash.
 *
 * Contract: declarations stand in the `claims.ts` of each experiment and nowhere else; the hash changes with every
 * word, margin or rule of them.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { ALPHA } from '../math/stats/anytime';
import { CLIPPING_CLAIMS } from './clipping/claims';
import { DEPENDENCE_CLAIMS } from './dependence/claims';
import { ENTROPY_CLAIMS } from './entropy/claims';
import { EQUIVALENCE_CLAIMS } from './equivalence/claims';
import { EXPERTS_CLAIMS } from './experts/claims';
import { GRADIENT_CLAIMS } from './gradient/claims';
import { LENGTH_CLAIMS } from './length/claims';
import type { ExperimentId } from './manifest';
import { MISMATCH_CLAIMS } from './mismatch/claims';
import { NUMERICS_CLAIMS } from './numerics/claims';
import { OBJECTIVES_CLAIMS } from './objectives/claims';
import { PRECISION_CLAIMS } from './precision/claims';
import { RACE_CLAIMS } from './race/claims';
import {
  intervalCount,
  marginWords,
  POWER,
  smallestN,
  SOURCE_IDS,
  SOURCES,
  type ClaimDeclaration,
} from './shared/claim';
import { STABILITY_CLAIMS } from './stability';
import { VARIANCE_CLAIMS } from './variance/claims';
import { WEIGHTS_CLAIMS } from './weights/claims';

/** By page: the claims that share one page's 5 %. */
export const CLAIM_FAMILIES: Record<
  ExperimentId | 'train' | 'stability',
  readonly ClaimDeclaration[]
> = {
  equivalence: EQUIVALENCE_CLAIMS,
  entropy: ENTROPY_CLAIMS,
  variance: VARIANCE_CLAIMS,
  dependence: DEPENDENCE_CLAIMS,
  weights: WEIGHTS_CLAIMS,
  length: LENGTH_CLAIMS,
  clipping: CLIPPING_CLAIMS,
  gradient: GRADIENT_CLAIMS,
  precision: PRECISION_CLAIMS,
  objectives: OBJECTIVES_CLAIMS,
  experts: EXPERTS_CLAIMS,
  mismatch: MISMATCH_CLAIMS,
  numerics: NUMERICS_CLAIMS,
  train: RACE_CLAIMS,
  stability: STABILITY_CLAIMS,
};

const BY_ID = new Map(
  Object.values(CLAIM_FAMILIES).flatMap((family) => family.map((own) => [own.id, own] as const)),
);

export const declarationOf = (id: string): ClaimDeclaration | undefined => BY_ID.get(id);

/** SHA-256 of all declarations, hex. */
export function claimsHash(): string {
  const text = JSON.stringify(CLAIM_FAMILIES, (_, value: unknown) =>
    value === Infinity || value === -Infinity ? String(value) : value,
  );
  const bytes = sha256(new TextEncoder().encode(text));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** First 32 bits of the hash: what a link has room for. */
export const claimsWord = (): number => Number.parseInt(claimsHash().slice(0, 8), 16);

function nWords(declaration: ClaimDeclaration, family: readonly ClaimDeclaration[]): string {
  if (declaration.kind === 'identity') return 'any';
  if (declaration.nOf === 'seeds')
    return 'depends on how seeds differ; the page says how many it takes';
  const n = smallestN(declaration, intervalCount(family));
  if (n === null) return 'depends on the policies; the page says what it takes';
  const [normal, spiky] = n.map((own) => (own === null ? 'out of reach' : `${own}`));
  return `${normal} prompts of 8 responses with normal tokens, ${spiky} with spiky ones`;
}

function entry(
  page: string,
  declaration: ClaimDeclaration,
  family: readonly ClaimDeclaration[],
): string {
  const { id, claim, where, estimand, estimator, fails } = declaration;
  const rows: [string, string][] = [
    ['where', where],
    ['page', page],
    ['estimand', estimand],
    ['estimator', estimator],
  ];
  if (declaration.kind === 'interval') {
    const { prediction, margin, why } = declaration;
    rows.push(
      ['prediction', prediction === null ? 'a bound only' : String(prediction)],
      ['margin', `${marginWords(margin)}. ${why}`],
      [
        'level',
        `${ALPHA} shared by ${intervalCount(family)} claims of the page, ` +
          (declaration.nOf === 'seeds' ? 'of a study of a fixed size' : 'at every look'),
      ],
      [`smallest n (power ${POWER} at half the margin)`, nWords(declaration, family)],
    );
  } else {
    rows.push(['kind', 'identity'], ['tolerance', declaration.tolerance]);
  }
  rows.push(['fails with', fails]);
  return [
    `### ${id}`,
    '',
    `${claim}`,
    '',
    ...rows.map(([name, words]) => `- **${name}**: ${words}`),
    '',
  ].join('\n');
}

/** `docs/claims.md`. */
export function claimsDocument(): string {
  const all = Object.entries(CLAIM_FAMILIES).flatMap(([page, family]) =>
    family.map((declaration) => ({ page, family, declaration })),
  );
  return [
    '# Claims',
    '',
    'Made by `npm run claims` from the declarations in `src/experiments/*/claims.ts`, which were written down before ' +
      'the data is looked at. Their hash stands in every ledger and link:',
    '',
    `\`${claimsHash()}\``,
    '',
    'A claim **holds** when its whole interval lies inside the margin (where the prediction itself is excluded: ' +
      'detected, too small to matter), **fails** when it lies outside, **departs** when the prediction is excluded ' +
      'but the interval straddles an edge of the margin, and is **undecided** otherwise; it is **not applicable** ' +
      'where the data cannot speak. Intervals are confidence sequences over prompts: valid however often one looks. ' +
      'The claims of a page are right together in 95 % of runs; in a ledger an expected 5 % at most of the verdicts ' +
      'given are wrong (e-BH).',
    '',
    ...SOURCE_IDS.flatMap((source) => {
      const own = all.filter(({ declaration }) => declaration.source === source);
      if (own.length === 0) return [];
      const { title, name } = SOURCES[source];
      return [
        `## ${title}: ${name}`,
        '',
        ...own.map(({ page, declaration, family }) => entry(page, declaration, family)),
      ];
    }),
  ].join('\n');
}
