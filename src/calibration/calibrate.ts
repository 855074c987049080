/**
 * Do verdicts err as seldom as they say? Growing runs with known truth, judged at every look by the very experiments that
 * the lab shows: coverage, false alarms per claim, per page and per ledger, false `holds` at the margin's edge, power at
 * half the margin.
 *
 * Contract: replication r of a scenario is a pure function of (scenario, r); plain counts come out.
 */
import { DEPENDENCE_CLAIMS } from '../experiments/dependence/claims';
import { dependence } from '../experiments/dependence';
import { evidenceIn, type Claim, type IntervalDeclaration } from '../experiments/shared/claim';
import { VARIANCE_CLAIMS } from '../experiments/variance/claims';
import { variance } from '../experiments/variance';
import { cpuKernels } from '../math/cpu-kernels';
import { fixedInterval } from '../math/stats/anytime';
import { eBenjaminiHochberg } from '../math/stats/verdict';
import { CLEAN, firstPrompts, plantedRollouts, plantedTokens, SPIKY, type Plan } from './planted';

/** Few points: what is calibrated is what claims rest on, the same whatever is drawn. */
const CURVES = { bins: 1, prefixLength: 0, prefixPoints: 5 };
const MAX_LAG = 16;

const PAGES = { variance: VARIANCE_CLAIMS, dependence: DEPENDENCE_CLAIMS } as const;
export type PageName = keyof typeof PAGES;
export const PAGE_NAMES = Object.keys(PAGES) as PageName[];
const DECLARED = Object.values(PAGES).flat() as readonly IntervalDeclaration[];

export interface Scenario {
  name: string;
  plan: Plan;
  /** looks on the way to the end: ratio of one to the next; Infinity = the end only */
  step: number;
  /** what is true of each claim, on its own scale; left out: not known in closed form */
  truth: Readonly<Record<string, number>>;
}

const NULL_TRUTH: Readonly<Record<string, number>> = Object.fromEntries(
  DECLARED.map(({ id, prediction }) => [id, prediction ?? 0]),
);

/** The truth where sigma^2 grows like L^spread: the slopes move, the averaging does not. */
const spreadTruth = (spread: number) => ({
  'variance.slope': -1 + spread,
  'variance.token-slope': spread,
  'variance.level': 1,
  'dependence.covariance': 0,
  'dependence.prompt': 0,
  'dependence.mean-by-length': 0,
});

const SIZES = { default: { prompts: 64, groupSize: 8 }, ledger: { prompts: 640, groupSize: 8 } };

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'clean, normal, default',
    plan: { ...CLEAN, ...SIZES.default },
    step: 1.1,
    truth: NULL_TRUTH,
  },
  {
    name: 'clean, spiky, default',
    plan: { ...SPIKY, ...SIZES.default },
    step: 1.1,
    truth: NULL_TRUTH,
  },
  {
    name: 'clean, normal, ledger',
    plan: { ...CLEAN, ...SIZES.ledger },
    step: 2,
    truth: NULL_TRUTH,
  },
  { name: 'clean, spiky, ledger', plan: { ...SPIKY, ...SIZES.ledger }, step: 2, truth: NULL_TRUTH },
  {
    name: 'at the margin, ledger',
    plan: { ...CLEAN, ...SIZES.ledger, spread: 0.2 },
    step: 2,
    truth: spreadTruth(0.2),
  },
  {
    name: 'at half the margin, default',
    plan: { ...CLEAN, ...SIZES.default, spread: 0.1 },
    step: Infinity,
    truth: spreadTruth(0.1),
  },
  {
    name: 'at half the margin, ledger',
    plan: { ...CLEAN, ...SIZES.ledger, spread: 0.1 },
    step: Infinity,
    truth: spreadTruth(0.1),
  },
];

/** Counts of one claim over the replications. */
export interface ClaimTally {
  id: string;
  /** fixed-n 95 % intervals at the end that hold the truth */
  covered: number;
  /** runs in which the 95 % time-uniform interval misses the truth at some look */
  missed: number;
  /** runs in which the verdict is wrong at some look: fails inside the margin, holds outside or at its edge */
  falseFails: number;
  falseHolds: number;
  /** at the end */
  holds: number;
  fails: number;
  departs: number;
}

export interface ScenarioReport {
  scenario: string;
  replications: number;
  claims: ClaimTally[];
  /** runs in which some claim of the page was wrong at some look */
  pages: Record<PageName, { falseFails: number; falseHolds: number }>;
  /** the last look of all runs as one ledger each: verdicts given by e-BH, and wrong ones */
  ledger: { given: number; wrong: number };
  looks: number;
}

/** Prompts at which a run is looked at. */
export function looksOf({ plan, step }: Scenario): number[] {
  const looks: number[] = [];
  if (Number.isFinite(step)) {
    for (let n = 20; n < plan.prompts; n = Math.max(n + 1, Math.ceil(n * step))) looks.push(n);
  }
  return [...looks, plan.prompts];
}

/** The claims of both pages at one look. */
async function claimsAt(plan: Plan, tokens: ReturnType<typeof plantedTokens>): Promise<Claim[]> {
  const rollouts = plantedRollouts(tokens);
  const context = { kernels: cpuKernels, seed: 1, planned: plan.prompts };
  const first = await variance.run(rollouts, CURVES, context);
  const second = await dependence.run(rollouts, { ...CURVES, maxLag: MAX_LAG }, context);
  return [...first.claims, ...second.claims];
}

const wrongFails = ({ margin }: IntervalDeclaration, truth: number): boolean =>
  truth >= margin.low && truth <= margin.high;
/** on the edge counts as outside: there `holds` is wrong as well */
const wrongHolds = ({ margin }: IntervalDeclaration, truth: number): boolean =>
  truth <= margin.low + 1e-9 || truth >= margin.high - 1e-9;

export async function calibrateScenario(
  scenario: Scenario,
  replications: number,
  onReplication: () => void = () => {},
): Promise<ScenarioReport> {
  const tallies = new Map(
    DECLARED.map(({ id }): [string, ClaimTally] => [
      id,
      { id, covered: 0, missed: 0, falseFails: 0, falseHolds: 0, holds: 0, fails: 0, departs: 0 },
    ]),
  );
  const pages = {
    variance: { falseFails: 0, falseHolds: 0 },
    dependence: { falseFails: 0, falseHolds: 0 },
  };
  const ledger = { given: 0, wrong: 0 };
  const looks = looksOf(scenario);
  for (let r = 1; r <= replications; r++) {
    const plan = { ...scenario.plan, seed: scenario.plan.seed + 7919 * r };
    const tokens = plantedTokens(plan);
    const wrong = { fails: new Set<string>(), holds: new Set<string>(), missed: new Set<string>() };
    let last: Claim[] = [];
    for (const prompts of looks) {
      last = await claimsAt(plan, firstPrompts(tokens, prompts));
      for (const claim of last) {
        const declaration = DECLARED.find(({ id }) => id === claim.id) as IntervalDeclaration;
        const truth = scenario.truth[claim.id];
        if (truth === undefined) continue;
        if (claim.verdict === 'fails' && wrongFails(declaration, truth)) wrong.fails.add(claim.id);
        if (claim.verdict === 'holds' && wrongHolds(declaration, truth)) wrong.holds.add(claim.id);
        if (claim.interval && (claim.interval[0] > truth || claim.interval[1] < truth)) {
          wrong.missed.add(claim.id);
        }
      }
    }
    for (const claim of last) {
      const tally = tallies.get(claim.id) as ClaimTally;
      const truth = scenario.truth[claim.id];
      if (claim.verdict === 'holds') tally.holds++;
      if (claim.verdict === 'fails') tally.fails++;
      if (claim.verdict === 'departs') tally.departs++;
      if (wrong.fails.has(claim.id)) tally.falseFails++;
      if (wrong.holds.has(claim.id)) tally.falseHolds++;
      if (wrong.missed.has(claim.id)) tally.missed++;
      if (truth !== undefined && claim.working !== null && covers(claim, truth)) tally.covered++;
    }
    for (const page of PAGE_NAMES) {
      const own = (set: Set<string>) => PAGES[page].some(({ id }) => set.has(id));
      if (own(wrong.fails)) pages[page].falseFails++;
      if (own(wrong.holds)) pages[page].falseHolds++;
    }
    addLedger(ledger, last, scenario);
    onReplication();
  }
  return {
    scenario: scenario.name,
    replications,
    claims: [...tallies.values()],
    pages,
    ledger,
    looks: looks.length,
  };
}

/** Whether the fixed-n 95 % interval holds the truth; both on the working scale, where `log` is the only other. */
function covers(claim: Claim, truth: number): boolean {
  const declaration = DECLARED.find(({ id }) => id === claim.id) as IntervalDeclaration;
  const { working } = claim;
  if (working === null) return false;
  const own = fixedInterval(working, 0.05);
  // log F and Fisher's z are 0 where the correlation is: scenarios with closed truths have no other
  const scaled = declaration.scale === 'log' ? Math.log(truth) : truth;
  return own !== null && own[0] <= scaled && own[1] >= scaled;
}

function addLedger(
  ledger: ScenarioReport['ledger'],
  claims: readonly Claim[],
  scenario: Scenario,
): void {
  const judged = claims.flatMap((claim) => {
    const declaration = DECLARED.find(({ id }) => id === claim.id) as IntervalDeclaration;
    const evidence = evidenceIn(claim, declaration);
    const truth = scenario.truth[claim.id];
    return evidence === null || truth === undefined ? [] : [{ declaration, evidence, truth }];
  });
  const size = ({ evidence }: (typeof judged)[number]) => Math.max(evidence.holds, evidence.fails);
  const { given } = eBenjaminiHochberg(judged.map(size));
  const first = [...judged].sort((a, b) => size(b) - size(a)).slice(0, given);
  ledger.given += given;
  ledger.wrong += first.filter(({ declaration, evidence, truth }) =>
    evidence.fails > evidence.holds
      ? wrongFails(declaration, truth)
      : wrongHolds(declaration, truth),
  ).length;
}

/** Wilson's score interval for a share, 95 %. */
export function wilson(hits: number, n: number, z = 1.96): [number, number] {
  if (n === 0) return [0, 1];
  const share = hits / n;
  const center = (share + (z * z) / (2 * n)) / (1 + (z * z) / n);
  const half =
    (z / (1 + (z * z) / n)) * Math.sqrt((share * (1 - share)) / n + (z * z) / (4 * n * n));
  return [center - half, center + half];
}
