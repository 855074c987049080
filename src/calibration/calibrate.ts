/**
 * Do verdicts err as seldom as they say? Growing runs with known truth, judged at every look by the very experiments that
 * the lab shows: coverage, false alarms per claim, per page and per ledger, false `holds` at the margin's edge, power at
 * half the margin.
 *
 * Contract: replication r of a scenario is a pure function of (scenario, r); plain counts come out. What is true of a
 * claim without a closed form is the mean of its estimates over other draws, with its standard error.
 */
import { clipping } from '../experiments/clipping';
import { dependence } from '../experiments/dependence';
import type { ExperimentContext } from '../experiments/experiment';
import { length } from '../experiments/length';
import {
  evidenceIn,
  onScale,
  type Claim,
  type IntervalDeclaration,
} from '../experiments/shared/claim';
import { CURVE_DEFAULTS } from '../experiments/shared/settings';
import { variance } from '../experiments/variance';
import { weights } from '../experiments/weights';
import { cpuKernels } from '../math/cpu-kernels';
import { fixedInterval } from '../math/stats/anytime';
import { eBenjaminiHochberg } from '../math/stats/verdict';
import type { Rollouts } from '../rollouts/rollouts';
import {
  firstPrompts,
  plantedRollouts,
  plantedTokens,
  type Plan,
  type PlantedTokens,
} from './planted';
import { declared, looksOf, PAGES, type PageName, type Scenario } from './scenarios';

/** Few points: what is calibrated is what claims rest on, the same whatever is drawn. */
const CURVES = { bins: 1, prefixLength: 0, prefixPoints: 5 };
const MAX_LAG = 16;

type Page = (rollouts: Rollouts, context: ExperimentContext) => Promise<{ claims: Claim[] }>;

const RUN: Record<PageName, Page> = {
  variance: (rollouts, context) => variance.run(rollouts, CURVES, context),
  dependence: (rollouts, context) =>
    dependence.run(rollouts, { ...CURVES, maxLag: MAX_LAG }, context),
  weights: (rollouts, context) => weights.run(rollouts, CURVES, context),
  // its slope is over the points that are drawn
  length: (rollouts, context) => length.run(rollouts, { ...CURVE_DEFAULTS, bins: 1 }, context),
  clipping: (rollouts, context) =>
    clipping.run(rollouts, { ...clipping.defaults, objectives: ['gspo'], gridPoints: 2 }, context),
};

/** Counts of one claim over the replications. */
export interface ClaimTally {
  id: string;
  /** on the claim's own scale; null: not known, and wrong verdicts are not counted */
  truth: number | null;
  /** of `truth`, from other draws, on the claim's working scale; 0 where it is a closed form */
  truthError: number;
  /** runs with an interval at the end, and those of them whose fixed-n 95 % interval holds the truth */
  judged: number;
  covered: number;
  /** runs in which the time-uniform interval, at the page's level, misses the truth at some look */
  missed: number;
  /** runs in which the verdict is wrong at some look: fails inside the margin, holds outside or at its edge */
  falseFails: number;
  falseHolds: number;
  /** at the end */
  holds: number;
  fails: number;
  departs: number;
}

export interface PageTally {
  falseFails: number;
  falseHolds: number;
  missed: number;
}

export interface ScenarioReport {
  scenario: string;
  kind: Scenario['kind'];
  about: readonly string[];
  plan: Plan;
  replications: number;
  looks: number;
  claims: ClaimTally[];
  /** runs in which, at some look, some claim of the page had a wrong verdict, or an interval that misses the truth */
  pages: Partial<Record<PageName, PageTally>>;
  /** the last look of each run as a ledger of its own: verdicts given by e-BH, wrong ones, and the sum of their shares */
  ledger: { given: number; wrong: number; shares: number };
}

interface Truth {
  /** on the claim's own scale */
  value: number;
  error: number;
}

/** The claims of the scenario's pages. */
async function claimsOf(
  tokens: PlantedTokens,
  pages: readonly PageName[],
  planned: number,
): Promise<Claim[]> {
  const rollouts = plantedRollouts(tokens);
  const claims: Claim[] = [];
  for (const page of pages) {
    const answer = await RUN[page](rollouts, { kernels: cpuKernels, seed: 1, planned });
    claims.push(...answer.claims);
  }
  return claims;
}

const REFERENCE_PROMPTS = 1000;
/** k-hat depends on how many weights there are, so that no other size says what is true of it. */
const OF_ITS_SIZE = 'weights.pareto';

/** Means over `runs` draws of 1,000 prompts of a plan, each on its working scale; NaN where one of them has none. */
async function measuredTruths(
  plan: Plan,
  pages: readonly PageName[],
  runs: number,
): Promise<Map<string, { mean: number; error: number }>> {
  const found = new Map<string, number[]>();
  for (let r = 1; r <= runs; r++) {
    const own = { ...plan, prompts: REFERENCE_PROMPTS, seed: plan.seed + 15_485_863 * r };
    for (const { id, working } of await claimsOf(plantedTokens(own), pages, own.prompts)) {
      const estimates = found.get(id) ?? [];
      estimates.push(working?.estimate ?? NaN);
      found.set(id, estimates);
    }
  }
  return new Map(
    [...found].map(([id, estimates]) => {
      const mean = estimates.reduce((sum, x) => sum + x / runs, 0);
      const spread = estimates.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (runs - 1);
      return [id, { mean, error: Math.sqrt(spread / runs) }];
    }),
  );
}

/** Scenarios share what is true of them. */
const known = new Map<string, ReturnType<typeof measuredTruths>>();

/** What is true of each claim: closed forms, and means over `runs` other draws. */
async function truthsOf(scenario: Scenario, runs: number): Promise<Map<string, Truth>> {
  const ids: string[] = scenario.pages.flatMap((page) => PAGES[page].map(({ id }) => id));
  const truths = new Map(
    Object.entries(scenario.truth).map(([id, value]): [string, Truth] => [id, { value, error: 0 }]),
  );
  const open = ids.filter((id) => !truths.has(id) && id !== OF_ITS_SIZE);
  if (open.length === 0 || runs < 2) return truths;
  const pages = scenario.pages.filter((page) => PAGES[page].some(({ id }) => open.includes(id)));
  const key = JSON.stringify([scenario.reference, pages, runs]);
  let found = known.get(key);
  if (found === undefined)
    known.set(key, (found = measuredTruths(scenario.reference, pages, runs)));
  for (const [id, { mean, error }] of await found) {
    if (!open.includes(id) || !Number.isFinite(mean)) continue;
    truths.set(id, { value: onScale(declared(id)).back(mean, scenario.plan.groupSize), error });
  }
  return truths;
}

/** As near to the margin's edge as this share of it counts as on it, where `holds` and `fails` are both wrong. */
const EDGE = 0.03;

const slack = ({ margin }: IntervalDeclaration): number =>
  Number.isFinite(margin.high - margin.low) ? (EDGE * (margin.high - margin.low)) / 2 : 0;
const wrongFails = (own: IntervalDeclaration, truth: number): boolean =>
  truth >= own.margin.low - slack(own) && truth <= own.margin.high + slack(own);
const wrongHolds = (own: IntervalDeclaration, truth: number): boolean =>
  truth <= own.margin.low + slack(own) || truth >= own.margin.high - slack(own);

export async function calibrateScenario(
  scenario: Scenario,
  replications: number,
  { reference = 20, onReplication = () => {} }: { reference?: number; onReplication?(): void } = {},
): Promise<ScenarioReport> {
  const truths = await truthsOf(scenario, reference);
  const tallies = new Map<string, ClaimTally>();
  for (const page of scenario.pages) {
    for (const { id } of PAGES[page]) {
      const truth = truths.get(id);
      tallies.set(id, {
        id,
        truth: truth?.value ?? null,
        truthError: truth?.error ?? 0,
        ...{ judged: 0, covered: 0, missed: 0, falseFails: 0, falseHolds: 0 },
        ...{ holds: 0, fails: 0, departs: 0 },
      });
    }
  }
  const pages = Object.fromEntries(
    scenario.pages.map((page) => [page, { falseFails: 0, falseHolds: 0, missed: 0 }]),
  ) as ScenarioReport['pages'];
  const ledger = { given: 0, wrong: 0, shares: 0 };
  const looks = looksOf(scenario);
  for (let r = 1; r <= replications; r++) {
    const plan = { ...scenario.plan, seed: scenario.plan.seed + 7919 * r };
    const tokens = plantedTokens(plan);
    const wrong = { fails: new Set<string>(), holds: new Set<string>(), missed: new Set<string>() };
    let last: Claim[] = [];
    for (const prompts of looks) {
      last = await claimsOf(firstPrompts(tokens, prompts), scenario.pages, plan.prompts);
      for (const claim of last) {
        const truth = truths.get(claim.id)?.value;
        if (truth === undefined) continue;
        const own = declared(claim.id);
        if (claim.verdict === 'fails' && wrongFails(own, truth)) wrong.fails.add(claim.id);
        if (claim.verdict === 'holds' && wrongHolds(own, truth)) wrong.holds.add(claim.id);
        if (claim.interval && (claim.interval[0] > truth || claim.interval[1] < truth)) {
          wrong.missed.add(claim.id);
        }
      }
    }
    for (const claim of last) {
      const tally = tallies.get(claim.id);
      if (tally === undefined) continue;
      const truth = truths.get(claim.id)?.value;
      if (claim.verdict === 'holds') tally.holds++;
      if (claim.verdict === 'fails') tally.fails++;
      if (claim.verdict === 'departs') tally.departs++;
      if (wrong.fails.has(claim.id)) tally.falseFails++;
      if (wrong.holds.has(claim.id)) tally.falseHolds++;
      if (wrong.missed.has(claim.id)) tally.missed++;
      if (truth === undefined || claim.working === null) continue;
      tally.judged++;
      if (covers(claim, truth)) tally.covered++;
    }
    for (const page of scenario.pages) {
      const own = pages[page];
      const some = (set: Set<string>) => PAGES[page].some(({ id }) => set.has(id));
      if (own === undefined) continue;
      if (some(wrong.fails)) own.falseFails++;
      if (some(wrong.holds)) own.falseHolds++;
      if (some(wrong.missed)) own.missed++;
    }
    addLedger(ledger, last, truths);
    onReplication();
  }
  const { name, kind, about, plan } = scenario;
  return {
    ...{ scenario: name, kind, about, plan, replications, looks: looks.length },
    claims: [...tallies.values()],
    pages,
    ledger,
  };
}

/** Whether the fixed-n 95 % interval holds the truth. */
function covers({ id, working }: Claim, truth: number): boolean {
  if (working === null) return false;
  const interval = fixedInterval(working, 0.05);
  const at = onScale(declared(id)).to(truth, working.size);
  return interval !== null && interval[0] <= at && interval[1] >= at;
}

function addLedger(
  ledger: ScenarioReport['ledger'],
  claims: readonly Claim[],
  truths: ReadonlyMap<string, Truth>,
): void {
  const judged = claims.flatMap((claim) => {
    const declaration = declared(claim.id);
    const evidence = evidenceIn(claim, declaration);
    const truth = truths.get(claim.id)?.value;
    return evidence === null || truth === undefined ? [] : [{ declaration, evidence, truth }];
  });
  const size = ({ evidence }: (typeof judged)[number]) => Math.max(evidence.holds, evidence.fails);
  const { given } = eBenjaminiHochberg(judged.map(size));
  const wrong = [...judged]
    .sort((a, b) => size(b) - size(a))
    .slice(0, given)
    .filter(({ declaration, evidence, truth }) =>
      evidence.fails > evidence.holds
        ? wrongFails(declaration, truth)
        : wrongHolds(declaration, truth),
    ).length;
  ledger.given += given;
  ledger.wrong += wrong;
  ledger.shares += given > 0 ? wrong / given : 0;
}
