/**
 * What calibration plants, and what is then true of each claim.
 *
 * `clean`: nothing but what policies are like. `edge`: departures as large as their claims' margins, where `holds` is
 * wrong. `half`: half as large, where 80 of 100 runs should be called `holds`. Four kinds of departure, each of which
 * leaves the others alone: variance that grows with the length (slopes), covariance between neighbours (covariance,
 * level), prompts, positions and means by length, and shifts of whole responses, which the law of the parts lacks.
 *
 * Contract: declarations only. Truths are closed forms; what has none is measured on many other draws (`calibrate.ts`).
 */
import { CLIPPING_CLAIMS } from '../experiments/clipping/claims';
import { DEPENDENCE_CLAIMS } from '../experiments/dependence/claims';
import { LENGTH_CLAIMS } from '../experiments/length/claims';
import type { IntervalDeclaration } from '../experiments/shared/claim';
import { VARIANCE_CLAIMS } from '../experiments/variance/claims';
import { WEIGHTS_CLAIMS } from '../experiments/weights/claims';
import { CLEAN, SPIKY, type Plan } from './planted';

/** The pages whose claims rest on d_t alone, as synthetic runs have it. */
export const PAGES = {
  variance: VARIANCE_CLAIMS,
  dependence: DEPENDENCE_CLAIMS,
  weights: WEIGHTS_CLAIMS,
  length: LENGTH_CLAIMS,
  clipping: CLIPPING_CLAIMS,
} as const;
export type PageName = keyof typeof PAGES;
export const PAGE_NAMES = Object.keys(PAGES) as PageName[];

const DECLARED = new Map<string, IntervalDeclaration>(
  Object.values(PAGES).flatMap((page) => page.map((own) => [own.id, own])),
);
/** @throws RangeError where no page that is calibrated has such a claim */
export function declared(id: string): IntervalDeclaration {
  const found = DECLARED.get(id);
  if (found === undefined) throw new RangeError(`No claim "${id}" is calibrated.`);
  return found;
}

export interface Scenario {
  name: string;
  kind: 'clean' | 'edge' | 'half';
  plan: Plan;
  pages: readonly PageName[];
  /** looks on the way to the end: ratio of one to the next; Infinity = the end only */
  step: number;
  /** the claims whose margin (or half of it) is planted */
  about: readonly string[];
  /** what is true of each claim, on its own scale, where it is known in closed form */
  truth: Readonly<Record<string, number>>;
  /** on whose draws the other truths are measured: claims of second moments are true alike of spiky tokens */
  reference: Plan;
}

/** Size of the default run, and of a pair of `npm run ledger`. */
export const SIZES = {
  default: { prompts: 64, groupSize: 8 },
  ledger: { prompts: 640, groupSize: 8 },
} as const;

const TWO: readonly PageName[] = ['variance', 'dependence'];

const NULLS: Readonly<Record<string, number>> = Object.fromEntries(
  TWO.flatMap((page) => PAGES[page].map(({ id, prediction }) => [id, prediction ?? NaN])),
);
/** Sums of normal tokens have a log-normal weight. */
const LOG_NORMAL = { 'weights.pareto': 0 } as const;

/** Nine looks at the default run, six at the ledger's. */
const STEPS = { default: 1.15, ledger: 2 } as const;

interface Departure {
  words: string;
  about: readonly string[];
  edge: Partial<Plan>;
  half: Partial<Plan>;
  truth: { edge: Record<string, number>; half: Record<string, number> };
}

const BY_LENGTH = (spread: number) => ({
  'variance.slope': -1 + spread,
  'variance.prefix-slope': -1,
  'variance.token-slope': spread,
  'variance.level': 1,
  'dependence.covariance': 0,
  'dependence.prompt': 0,
  'dependence.mean-by-length': 0,
});

/** Sizes of what is planted were found by drawing 20,000 prompts and more (`truths` in the report says what came out). */
export const DEPARTURES: readonly Departure[] = [
  {
    words: 'variance grows with length',
    about: ['variance.slope', 'variance.token-slope'],
    edge: { spread: 0.2 },
    half: { spread: 0.1 },
    truth: { edge: BY_LENGTH(0.2), half: BY_LENGTH(0.1) },
  },
  {
    words: 'neighbours covary',
    about: ['variance.level', 'dependence.covariance'],
    edge: { rho: 0.0984, tau: 0.0337 },
    half: { rho: 0.0512, tau: 0.0201 },
    truth: { edge: {}, half: {} },
  },
  {
    words: 'prompts, positions, means by length',
    about: ['dependence.prompt', 'dependence.position', 'dependence.mean-by-length'],
    edge: { tau: 0.0651, drift: 160 ** 0.101, meanByLength: 0.0515 },
    half: { tau: 0.0395, drift: 160 ** 0.0505, meanByLength: 0.0213 },
    truth: { edge: {}, half: {} },
  },
  {
    words: 'whole responses shift',
    about: ['dependence.law'],
    edge: { own: 0.0873 },
    half: { own: 0.058 },
    truth: { edge: {}, half: {} },
  },
];

const TOKENS = { normal: CLEAN, spiky: SPIKY } as const;
const TOKEN_NAMES = ['normal', 'spiky'] as const;
const SIZE_NAMES = ['default', 'ledger'] as const;

export const SCENARIOS: readonly Scenario[] = [
  ...SIZE_NAMES.flatMap((size) =>
    TOKEN_NAMES.map((tokens): Scenario => ({
      name: `clean, ${tokens}, ${size}`,
      kind: 'clean',
      plan: { ...TOKENS[tokens], ...SIZES[size] },
      pages: PAGE_NAMES,
      step: STEPS[size],
      about: [],
      truth: tokens === 'normal' ? { ...NULLS, ...LOG_NORMAL } : NULLS,
      reference: TOKENS[tokens],
    })),
  ),
  {
    name: 'clean, normal, far apart, default',
    kind: 'clean',
    plan: { ...CLEAN, ...SIZES.default, sigma: 0.2 },
    pages: ['weights', 'length', 'clipping'],
    step: STEPS.default,
    about: [],
    truth: LOG_NORMAL,
    reference: { ...CLEAN, sigma: 0.2 },
  },
  ...DEPARTURES.flatMap((own) =>
    TOKEN_NAMES.map((tokens): Scenario => ({
      name: `at the margin: ${own.words}, ${tokens}, ledger`,
      kind: 'edge',
      plan: { ...TOKENS[tokens], ...SIZES.ledger, ...own.edge },
      pages: TWO,
      step: STEPS.ledger,
      about: own.about,
      truth: own.truth.edge,
      reference: { ...CLEAN, ...own.edge },
    })),
  ),
  {
    name: 'at the margin: tails, ledger',
    kind: 'edge',
    plan: { ...CLEAN, ...SIZES.ledger, kurtosis: 12 },
    pages: ['weights'],
    step: STEPS.ledger,
    about: ['weights.kurtosis'],
    truth: {},
    reference: { ...CLEAN, kurtosis: 12 },
  },
  {
    name: 'at the margin: noise that does not cancel, ledger',
    kind: 'edge',
    plan: { ...CLEAN, ...SIZES.ledger, sigma: 0.226 },
    pages: ['length'],
    step: STEPS.ledger,
    about: ['length.cancels'],
    truth: {},
    reference: { ...CLEAN, sigma: 0.226 },
  },
  ...DEPARTURES.flatMap((own) =>
    SIZE_NAMES.flatMap((size) =>
      TOKEN_NAMES.map((tokens): Scenario => ({
        name: `at half the margin: ${own.words}, ${tokens}, ${size}`,
        kind: 'half',
        plan: { ...TOKENS[tokens], ...SIZES[size], ...own.half },
        pages: TWO,
        step: Infinity,
        about: own.about,
        truth: own.truth.half,
        reference: { ...CLEAN, ...own.half },
      })),
    ),
  ),
];

/** Prompts at which a run is looked at. */
export function looksOf({ plan, step }: Scenario): number[] {
  const looks: number[] = [];
  if (Number.isFinite(step)) {
    for (let n = 20; n < plan.prompts; n = Math.max(n + 1, Math.ceil(n * step))) looks.push(n);
  }
  return [...looks, plan.prompts];
}
