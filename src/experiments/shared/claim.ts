/**
 * Claims: declared once, before any data is looked at, and judged by one rule.
 *
 * A declaration says what is claimed and by whom, which number is estimated and how, within which margin the claim
 * counts as true and why that margin, and what would make it fail. `docs/claims.md` is made of the declarations;
 * their hash stands in every ledger and link.
 *
 * The rule (`math/stats/verdict.ts`): time-uniform intervals over prompts, all claims of a page right together in 95 %
 * of runs at every look; holds, fails, departs or undecided by where the interval lies against the margin. An
 * identity has no interval: it holds where the largest deviation is within rounding. What the data cannot speak
 * about is not applicable, with the reason.
 *
 * Contract: pure; the same measurement gives the same verdict.
 */
import { studentQuantile } from '../../math/stats/distributions';
import { ALPHA, criticalZ, tuningOf, type Measured } from '../../math/stats/anytime';
import { correlationOfLogF, logFOfCorrelation } from '../../math/stats/averaging';
import {
  type Evidence,
  evidenceOf,
  judge,
  type Margin,
  shareOfPage,
  type Verdict,
} from '../../math/stats/verdict';

import type { SourceId } from '../manifest';

export type { Verdict } from '../../math/stats/verdict';

export { SOURCES, SOURCE_IDS, type SourceId } from '../manifest';

/** Scale on which an estimate is nearest to normal; margins and figures are on the claim's own. */
const SCALES = {
  plain: { to: (x: number) => x, back: (x: number) => x },
  log: { to: (x: number) => (x > 0 ? Math.log(x) : -Infinity), back: Math.exp },
  correlation: {
    to: (x: number) => (Math.abs(x) < 1 ? Math.atanh(x) : Infinity * Math.sign(x)),
    back: Math.tanh,
  },
  /** excess kurtosis, by the logarithm of the kurtosis */
  kurtosis: {
    to: (x: number) => (x > -3 ? Math.log(x + 3) : -Infinity),
    back: (x: number) => Math.exp(x) - 3,
  },
  /** intraclass correlation, by Fisher's transform for `size` responses to a prompt */
  intraclass: {
    to: (x: number, size: number) => logFOfCorrelation(x, size),
    back: (x: number, size: number) => correlationOfLogF(x, size),
  },
} as const satisfies Record<
  string,
  { to(x: number, size: number): number; back(x: number, size: number): number }
>;
/** To the scale that a claim is judged on, and back; `size`: responses to a prompt. */
export function onScale({ scale }: IntervalDeclaration): {
  to(x: number, size: number): number;
  back(x: number, size: number): number;
} {
  return SCALES[scale];
}

/** Responses to a prompt that powers are worked out for. */
const USUAL_SIZE = 8;

interface Declared {
  /** stable, kebab-case, unique: `variance.slope` */
  id: string;
  source: SourceId;
  /** where in the source: "abstract", "section 5.2" */
  where: string;
  /** the sentence that is put to the test */
  claim: string;
  /** the number that is estimated, in words */
  estimand: string;
  estimator: string;
  /** what would make it fail */
  fails: string;
  /** of what `n` counts */
  nOf: ClaimUnit;
}

export interface IntervalDeclaration extends Declared {
  kind: 'interval';
  /** null: the claim is about the margin alone (one-sided) */
  prediction: number | null;
  margin: Margin;
  /** why this margin */
  why: string;
  scale: keyof typeof SCALES;
  /**
   * Standard deviation that one prompt of eight responses contributes on the scale where half of the margin is planted,
   * for normal tokens and for spiky ones (kurtosis 250), from simulation (`calibration/scenarios.ts`): what the smallest
   * n by power follows from. null: it depends on the policy, and the page says what it takes.
   */
  spread: readonly [normal: number, spiky: number] | null;
}

export interface IdentityDeclaration extends Declared {
  kind: 'identity';
  /** largest deviation that rounding explains, by backend where it differs; words for the document */
  tolerance: string;
}

export type ClaimDeclaration = IntervalDeclaration | IdentityDeclaration;

export type ClaimUnit = 'tokens' | 'sequences' | 'prompts' | 'lengths' | 'steps' | 'seeds';

/** One line of a page and of the ledger: plain data. */
export interface Claim {
  id: string;
  /** the declaration's sentence */
  claim: string;
  source: SourceId;
  /** predicted value; null where the claim is a bound */
  prediction: number | null;
  /** ends of the margin on the claim's scale; null where infinite, or for identities */
  margin: [number | null, number | null] | null;
  /** estimate in the same unit; null where there is none */
  measured: number | null;
  /** time-uniform interval at the level of its family, or null */
  interval: [number, number] | null;
  /** how many observations the measurement rests on, and of what */
  n: number;
  nOf: ClaimUnit;
  verdict: Verdict;
  /** holds, though the prediction itself is excluded: detected, too small to matter */
  detected: boolean;
  /** prompts (steps of a race) in the data, and how many would settle `departs` or `undecided`; null: out of reach */
  clusters: number;
  settledBy: number | null;
  /** what a reader must know about this one measurement: why it is not applicable, at which length it was taken */
  note: string | null;
  /** the verdict was given when the run had this many prompts, and is kept; null: it is of this look */
  keptFrom: number | null;
  /** how the verdict follows, in words, shown on the page */
  rule: string;
  /** the estimate on its working scale: what a ledger judges again at its own level */
  working: Working | null;
}

export interface Working extends Measured {
  /** tuning of the confidence sequence */
  r: number;
  /** responses to a prompt, where the scale depends on it */
  size: number;
}

/** A page's claims, as its file declares them. */
export function declare<const T extends readonly ClaimDeclaration[]>(declarations: T): T {
  return declarations;
}

/** Claims of one family that an interval decides: they share its 5 %. */
export const intervalCount = (family: readonly ClaimDeclaration[]): number =>
  family.filter(({ kind }) => kind === 'interval').length;

const digits = (x: number): string =>
  x !== 0 && (Math.abs(x) < 1e-3 || Math.abs(x) >= 1e4)
    ? x.toExponential(1)
    : String(Number(x.toPrecision(3)));

export function marginWords({ low, high }: Margin): string {
  if (low === -Infinity) return `at most ${digits(high)}`;
  if (high === Infinity) return `at least ${digits(low)}`;
  return `${digits(low)} to ${digits(high)}`;
}

const percent = (share: number): string => `${Number((100 * share).toPrecision(3))} %`;

function ruleOf(declaration: IntervalDeclaration, family: number): string {
  const { estimand, estimator, margin } = declaration;
  const own = percent(1 - ALPHA / Math.max(1, family));
  return (
    `${estimand} ${estimator} Interval: ${own}, valid at every look; with the ${family === 1 ? 'one claim' : `${family} claims`} of ` +
    `this page all are right together in 95 % of runs. Margin: ${marginWords(margin)}. Holds when the whole ` +
    'interval lies inside the margin, fails when it lies outside, departs when it excludes the prediction but ' +
    'straddles an edge of the margin; otherwise undecided.'
  );
}

/** What all claims of one answer share. */
export interface Family {
  declarations: readonly ClaimDeclaration[];
  /** prompts that the run will have; the confidence sequences are tuned to a quarter of them */
  planned: number;
}

function scaledMargin({ margin, scale }: IntervalDeclaration, size: number): Margin {
  const { to } = SCALES[scale];
  return { low: to(margin.low, size), high: to(margin.high, size) };
}

const finite = (x: number): number | null => (Number.isFinite(x) ? x : null);

/** Base of every claim about a declaration, without a verdict. */
function blank(declaration: ClaimDeclaration, n: number, note: string | null): Claim {
  const interval = declaration.kind === 'interval' ? declaration : null;
  return {
    id: declaration.id,
    claim: declaration.claim,
    source: declaration.source,
    prediction: interval === null ? 0 : interval.prediction,
    margin: interval && [finite(interval.margin.low), finite(interval.margin.high)],
    measured: null,
    interval: null,
    n,
    nOf: declaration.nOf,
    verdict: 'not applicable',
    detected: false,
    clusters: 0,
    settledBy: null,
    note,
    keptFrom: null,
    rule: '',
    working: null,
  };
}

/** @param measured on the declaration's scale (`log`: of the logarithm) */
export function intervalClaim(
  declaration: IntervalDeclaration,
  family: Family,
  measured: Measured,
  n: number,
  { note = null, size = USUAL_SIZE }: { note?: string | null; size?: number } = {},
): Claim {
  const r = tuningOf(family.planned);
  const count = intervalCount(family.declarations);
  const rule = ruleOf(declaration, count);
  const { estimate, standardError, clusters, df } = measured;
  const working: Working | null =
    Number.isFinite(estimate) && standardError > 0
      ? { estimate, standardError, clusters, df, r, size }
      : null;
  const out = { ...blank(declaration, n, note), clusters, rule, working };
  if (working === null) {
    return {
      ...out,
      measured: finite(SCALES[declaration.scale].back(estimate, size)),
      verdict: Number.isFinite(estimate) ? 'undecided' : 'not applicable',
      note: Number.isFinite(estimate)
        ? `An interval needs 20 prompts; there are ${clusters}.`
        : (note ?? 'It is not defined on these data.'),
    };
  }
  return judged(out, declaration, shareOfPage(count));
}

/**
 * A claim judged once, by a study whose size was fixed before it ran: Student's t over its units, Bonferroni over the
 * claims of the study.
 * @param values one a unit (a seed), on the declaration's scale
 */
export function fixedClaim(
  declaration: IntervalDeclaration,
  family: readonly ClaimDeclaration[],
  values: readonly number[],
): Claim {
  const n = values.length;
  const alpha = shareOfPage(intervalCount(family));
  const { estimand, estimator, margin, scale, prediction } = declaration;
  const { to, back } = SCALES[scale];
  const base: Claim = {
    ...blank(declaration, n, null),
    clusters: n,
    rule:
      `${estimand} ${estimator} Interval: ${percent(1 - alpha)}, of a study whose size was fixed before it ran; with ` +
      `the ${intervalCount(family)} claims of this study all are right together in 95 % of studies. Margin: ` +
      `${marginWords(margin)}. Holds when the whole interval lies inside the margin, fails when it lies outside; ` +
      'otherwise undecided.',
  };
  if (n === 0) return { ...base, note: 'No seed has all of its runs yet.' };
  const estimate = values.reduce((sum, x) => sum + x, 0) / n;
  const measured = back(estimate, USUAL_SIZE);
  if (n < 2) {
    return { ...base, measured, verdict: 'undecided', note: 'An interval needs two seeds.' };
  }
  const deviation = Math.sqrt(values.reduce((sum, x) => sum + (x - estimate) ** 2, 0) / (n - 1));
  const half = (size: number) =>
    (studentQuantile(1 - alpha / 2, size - 1) * deviation) / Math.sqrt(size);
  const [low, high] = [estimate - half(n), estimate + half(n)];
  const [from, until] = [to(margin.low, USUAL_SIZE), to(margin.high, USUAL_SIZE)];
  const inside = from <= low && high <= until;
  const outside = high < from || low > until;
  const off =
    prediction !== null &&
    (prediction < back(low, USUAL_SIZE) || prediction > back(high, USUAL_SIZE));
  const room = Math.min(Math.abs(estimate - from), Math.abs(estimate - until));
  let settledBy: number | null = null;
  for (let size = n; size <= 1000 && settledBy === null; size++) {
    if (half(size) < room) settledBy = size;
  }
  return {
    ...base,
    measured,
    interval: [back(low, USUAL_SIZE), back(high, USUAL_SIZE)],
    verdict: inside ? 'holds' : outside ? 'fails' : off ? 'departs' : 'undecided',
    settledBy,
  };
}

/** The claim with the verdict that its working estimate gives at this alpha. */
function judged(claim: Claim, declaration: IntervalDeclaration, alpha: number): Claim {
  if (claim.working === null) return claim;
  const { back, to } = SCALES[declaration.scale];
  const { r, size, ...measured } = claim.working;
  const { prediction } = declaration;
  const own = judge(
    measured,
    prediction === null ? null : to(prediction, size),
    scaledMargin(declaration, size),
    r,
    alpha,
  );
  return {
    ...claim,
    measured: back(measured.estimate, size),
    interval: own.interval && [back(own.interval[0], size), back(own.interval[1], size)],
    verdict: own.verdict,
    detected: own.detected && own.verdict === 'holds',
    settledBy: own.settledBy === null ? null : Math.ceil(own.settledBy),
  };
}

/** Judged again as one of a larger family: a ledger's. */
export function judgedAt(claim: Claim, declaration: ClaimDeclaration, alpha: number): Claim {
  return declaration.kind === 'interval' ? judged(claim, declaration, alpha) : claim;
}

/** Log e-values of what an interval decides; null for identities and where nothing could be measured. */
export function evidenceIn(claim: Claim, declaration: ClaimDeclaration): Evidence | null {
  if (claim.working === null || declaration.kind !== 'interval') return null;
  const { r, size, ...measured } = claim.working;
  return evidenceOf(measured, scaledMargin(declaration, size), r);
}

/** @param n 0: nothing to compare */
export function identityClaim(
  declaration: IdentityDeclaration,
  largest: number | null,
  tolerance: number,
  n: number,
  note: string | null = null,
): Claim {
  const out = blank(declaration, n, note);
  if (n === 0 || largest === null) {
    return { ...out, note: note ?? 'There is nothing to compare.' };
  }
  return {
    ...out,
    measured: largest,
    verdict: largest <= tolerance ? 'holds' : 'fails',
    rule:
      `${declaration.estimand} ${declaration.estimator} An identity needs no interval: it holds when the largest ` +
      `deviation is at most ${tolerance}, what rounding explains, and fails otherwise.`,
  };
}

export function notApplicable(declaration: ClaimDeclaration, why: string, n = 0): Claim {
  return blank(declaration, n, why);
}

/** Share of runs in which the claim's verdict should be `holds` where the departure is half of its margin. */
export const POWER = 0.8;
/** of the standard normal */
const POWER_Z = 0.8416;

/**
 * Prompts of eight responses from which on a departure of half the margin is called `holds` with probability POWER,
 * for normal tokens and for spiky ones; null where the declaration does not say how prompts spread.
 */
export function smallestN(
  declaration: IntervalDeclaration,
  family: number,
): [normal: number | null, spiky: number | null] | null {
  const { prediction, scale, spread } = declaration;
  if (spread === null) return null;
  const { low, high } = declaration.margin;
  const to = (x: number): number => SCALES[scale].to(x, USUAL_SIZE);
  // from a truth half-way to an edge, on the claim's own scale, to that edge
  const roomTo = (edge: number): number => Math.abs(to(edge) - to(((prediction ?? 0) + edge) / 2));
  const room = Math.min(roomTo(low), roomTo(high));
  const alpha = shareOfPage(family);
  const need = (own: number): number | null => {
    for (let n = 20; n < 1e7; n = Math.ceil(n * 1.02)) {
      const half = criticalZ(n, tuningOf(n), alpha);
      if (((half + POWER_Z) * own) / Math.sqrt(n) <= room) return n;
    }
    return null;
  };
  return [need(spread[0]), need(spread[1])];
}

/** Claims of one family by id: what a `claims.ts` is written with. */
export function judgeFamily<const T extends readonly ClaimDeclaration[]>(
  declarations: T,
  planned: number,
) {
  type Id = T[number]['id'];
  const family: Family = { declarations, planned };
  const of = (id: Id): ClaimDeclaration =>
    declarations.find((own) => own.id === id) as ClaimDeclaration;
  return {
    /** @param measured on the declaration's scale; null: not applicable, for the reason in `note` */
    interval(
      id: Id,
      measured: Measured | null,
      n: number,
      options: { note?: string | null; size?: number } = {},
    ): Claim {
      const declaration = of(id) as IntervalDeclaration;
      return measured === null
        ? notApplicable(declaration, options.note ?? 'It is not defined on these data.', n)
        : intervalClaim(declaration, family, measured, n, options);
    },
    identity(id: Id, largest: number | null, tolerance: number, n: number, note?: string): Claim {
      return identityClaim(of(id) as IdentityDeclaration, largest, tolerance, n, note ?? null);
    },
    none: (id: Id, why: string, n = 0): Claim => notApplicable(of(id), why, n),
  };
}

/** fails, then departs, then undecided decides; what does not apply is left out. */
const ORDER: readonly Verdict[] = ['fails', 'departs', 'undecided', 'holds'];

/** The worst verdict of all. */
export function worst(verdicts: readonly Verdict[]): Verdict {
  return ORDER.find((verdict) => verdicts.includes(verdict)) ?? 'not applicable';
}

/** @param deciding ids of the claims that answer the experiment's question; the others stand beside them */
export function judgedPage(
  claims: Claim[],
  deciding: (id: string) => boolean = () => true,
): { claims: Claim[]; verdict: Verdict; deciding: string[] } {
  const answers = claims.filter(({ id }) => deciding(id));
  return {
    claims,
    verdict: worst(answers.map(({ verdict }) => verdict)),
    deciding: answers.map(({ id }) => id),
  };
}
