/**
 * What a referee would try on the verdicts: seventeen kinds of data whose truth is known, each for a fault that verdicts
 * once had. Small here; `CHECK_FULL=1` (`npm run test:full`) draws more runs and larger ones. `npm run calibrate` counts
 * how often verdicts err; here the rules are held.
 */
import { describe, expect, it } from 'vitest';
import { CLAIM_FAMILIES } from '../experiments/claims';
import { CLIPPING_CLAIMS } from '../experiments/clipping/claims';
import { PAPER_BANDS } from '../experiments/clipping/objective';
import type { Claim } from '../experiments/experiment';
import { measureRace } from '../experiments/race/measure';
import { RACE_CLAIMS } from '../experiments/race/claims';
import { runExperiment } from '../experiments/registry';
import { intervalCount, judgedAt } from '../experiments/shared/claim';
import { geometricLengthBins } from '../experiments/shared/length-bins';
import { cpuKernels } from '../math/cpu-kernels';
import { anytimeInterval, fixedInterval, logEvidence, tuningOf } from '../math/stats/anytime';
import { paretoByPrompts } from '../math/stats/pareto';
import { eBenjaminiHochberg, evidenceOf } from '../math/stats/verdict';
import { Random, STREAM } from '../math/philox';
import type { Rollouts } from '../rollouts/rollouts';
import type { ShippedSeries } from '../training/series';
import { calibrateScenario } from './calibrate';
import { CLEAN, plantedRollouts, plantedTokens, SPIKY, type Plan } from './planted';
import { declared, PAGES, SCENARIOS, type PageName, type Scenario } from './scenarios';

const FULL = (process.env['CHECK_FULL'] ?? '') !== '';
const sized = (small: number, full: number): number => (FULL ? full : small);
const SLOW = FULL ? 1_800_000 : 120_000;

/** More than this of n happen once in a thousand times where each has probability p. */
function atMost(n: number, p = 0.05): number {
  let [term, sum, k] = [(1 - p) ** n, (1 - p) ** n, 0];
  while (sum < 0.999) {
    term *= ((n - k) / (k + 1)) * (p / (1 - p));
    k++;
    sum += term;
  }
  return k;
}

const scenario = (name: string): Scenario => {
  const found = SCENARIOS.find((own) => own.name === name);
  if (!found) throw new Error(`no scenario "${name}"`);
  return found;
};

const planted = (plan: Partial<Plan>): Rollouts =>
  plantedRollouts(plantedTokens({ ...CLEAN, prompts: 300, ...plan }));

async function claimsOf(
  page: PageName | 'objectives',
  rollouts: Rollouts,
  seed = 1,
): Promise<Map<string, Claim>> {
  const context = { kernels: cpuKernels, seed };
  const { claims } = await runExperiment(page, rollouts, undefined, context);
  return new Map(claims.map((claim) => [claim.id, claim]));
}

const verdictIn = (claims: ReadonlyMap<string, Claim>, id: string) => claims.get(id)?.verdict;
/** Claims that say that something is there. */
const alarms = (claims: ReadonlyMap<string, Claim>): string[] =>
  [...claims.values()]
    .filter(({ verdict }) => verdict === 'fails' || verdict === 'departs')
    .map(({ id }) => id);

/** Those, and claims that hold though their prediction is excluded. */
const detections = (claims: ReadonlyMap<string, Claim>): string[] => [
  ...alarms(claims),
  ...[...claims.values()].filter(({ detected }) => detected).map(({ id }) => id),
];

describe('what is looked at again and again', { timeout: SLOW }, () => {
  it('1. leaves the intervals of a page right together, and fails nothing that is true', async () => {
    const own: Scenario = {
      ...scenario('clean, spiky, default'),
      pages: ['variance', 'dependence'],
      step: sized(1.8, 1.15),
    };
    const runs = sized(16, 200);
    const { pages } = await calibrateScenario(own, runs, { reference: 0 });
    const over = [pages.variance, pages.dependence].flatMap((page) => page ?? []);
    const sum = (of: (page: (typeof over)[number]) => number) =>
      over.reduce((all, page) => all + of(page), 0);
    expect(over).toHaveLength(2);
    expect(sum(({ falseFails }) => falseFails)).toBeLessThanOrEqual(atMost(2 * runs));
    expect(sum(({ missed }) => missed)).toBeLessThanOrEqual(atMost(2 * runs));
  });

  it('2. is not called equivalent where a slope of -0.8 is true and a fifth is the margin', async () => {
    const runs = sized(3, 100);
    let [holds, fails] = [0, 0];
    for (let seed = 1; seed <= runs; seed++) {
      const claims = await claimsOf('variance', planted({ spread: 0.2, prompts: 400, seed }));
      if (verdictIn(claims, 'variance.slope') === 'holds') holds++;
      if (verdictIn(claims, 'variance.slope') === 'fails') fails++;
    }
    expect(holds).toBeLessThanOrEqual(atMost(runs, 0.0125));
    expect(fails).toBeLessThanOrEqual(atMost(runs, 0.0125));
    // nor does a departure that is known to be small fail
    const small = await claimsOf('variance', planted({ spread: 0.08, prompts: 400 }));
    expect(small.get('variance.token-slope')).toMatchObject({ verdict: 'holds', detected: true });
  });

  it('3. has one verdict, whatever the seed', async () => {
    const rollouts = planted({ ...SPIKY, prompts: 40 });
    for (const page of ['variance', 'dependence', 'weights'] as const) {
      const first = [...(await claimsOf(page, rollouts)).values()];
      for (let seed = 2; seed <= 20; seed++) {
        expect([...(await claimsOf(page, rollouts, seed)).values()]).toEqual(first);
      }
    }
  });
});

describe('many claims', { timeout: SLOW }, () => {
  it('4. share the 5 % of a page', async () => {
    const rollouts = planted({ prompts: 64 });
    for (const page of ['variance', 'dependence', 'weights', 'length', 'clipping'] as const) {
      const share = 0.05 / intervalCount(PAGES[page]);
      for (const claim of (await claimsOf(page, rollouts)).values()) {
        const { id, working, interval } = claim;
        if (working === null || interval === null) continue;
        const alone = anytimeInterval(working, tuningOf(64), share) as [number, number];
        expect(judgedAt(claim, declared(id), share).interval, id).toEqual(interval);
        if (declared(id).scale === 'plain') expect(interval, id).toEqual(alone);
      }
    }
  });

  it('5. give a ledger of eighteen claims that lie on their margins a verdict in 5 of 100 at most', () => {
    const ledgers = sized(400, 4000);
    const random = new Random(11, STREAM.synthetic);
    const r = tuningOf(200);
    let [wrong, naive] = [0, 0];
    for (let ledger = 0; ledger < ledgers; ledger++) {
      const evidence = Array.from({ length: 18 }, () => {
        const measured = {
          estimate: 0.2 + 0.02 * random.normal(),
          standardError: 0.02,
          clusters: 200,
          df: Infinity,
        };
        const { holds, fails } = evidenceOf(measured, { low: -0.2, high: 0.2 }, r);
        const [low, high] = fixedInterval(measured, 0.05) as [number, number];
        return { e: Math.max(holds, fails), excluded: low > 0.2 || high < 0.2 };
      });
      if (eBenjaminiHochberg(evidence.map(({ e }) => e)).given > 0) wrong++;
      if (evidence.some(({ excluded }) => excluded)) naive++;
    }
    expect(wrong / ledgers).toBeLessThan(0.05);
    // what it is held against: one interval each, looked at once
    expect(naive / ledgers).toBeGreaterThan(0.4);
    expect(logEvidence({ estimate: 1, standardError: NaN, clusters: 3, df: 2 }, 0, r)).toBe(0);
  });

  it('6. are no repeats: no two of a page, or of two pages, are one number', async () => {
    const draws = sized(12, 60);
    const estimates = new Map<string, number[]>();
    for (let seed = 1; seed <= draws; seed++) {
      const rollouts = planted({ sigma: 0.15, rho: 0.2, tau: 0.05, prompts: 40, seed });
      for (const page of ['variance', 'dependence', 'weights', 'length', 'clipping'] as const) {
        for (const { id, working } of (await claimsOf(page, rollouts)).values()) {
          estimates.set(id, [...(estimates.get(id) ?? []), working?.estimate ?? NaN]);
        }
      }
    }
    const whole = [...estimates].filter(([, own]) => own.every(Number.isFinite));
    expect(whole.length).toBeGreaterThan(12);
    whole.forEach(([id, own], k) => {
      for (const [other, theirs] of whole.slice(0, k)) {
        expect(Math.abs(correlation(own, theirs)), `${id} and ${other}`).toBeLessThan(0.99);
      }
    });
  });
});

function correlation(x: readonly number[], y: readonly number[]): number {
  const mean = (own: readonly number[]) => own.reduce((sum, a) => sum + a / own.length, 0);
  const [mx, my] = [mean(x), mean(y)];
  let [xx, xy, yy] = [0, 0, 0];
  x.forEach((a, i) => {
    const b = y[i];
    xx += (a - mx) ** 2;
    xy += (a - mx) * (b - my);
    yy += (b - my) ** 2;
  });
  return xy / Math.sqrt(xx * yy);
}

describe('every response', { timeout: SLOW }, () => {
  it('7. counts, the shortest too, and those most of all where they carry the variance', async () => {
    const tokens = plantedTokens({ ...CLEAN, prompts: sized(120, 640), minLength: 3 });
    const { offsets, logRatio } = tokens;
    const lengths = offsets.subarray(1).map((end, i) => end - offsets[i]);
    let [squares, singles] = [0, 0];
    lengths.forEach((length, i) => {
      const own = logRatio.subarray(offsets[i], offsets[i + 1]);
      // the shortest move as one: Var[log s] is L times sigma^2 / L
      if (length <= 8) own.fill(own[0]);
      const sum = own.reduce((a, b) => a + b, 0);
      squares += (sum * sum) / length;
      singles += own.reduce((a, b) => a + b * b, 0) / length;
    });
    const short = lengths.filter((length) => length <= 8).length;
    expect(short / lengths.length).toBeGreaterThan(0.15);
    const claims = await claimsOf('variance', plantedRollouts(tokens));
    const level = claims.get('variance.level');
    expect(level?.n).toBe(lengths.length);
    expect((level?.measured as number) / (squares / singles)).toBeCloseTo(1, 1);
    expect(level?.measured).toBeGreaterThan(1.5);
    const binned = geometricLengthBins(lengths, 10);
    expect(binned.reduce((sum, { members }) => sum + members.length, 0)).toBe(lengths.length);
    expect(binned[0]).toMatchObject({ minLength: 3, maxLength: 3 });
    // what the prefixes leave out is named with its share
    expect(claims.get('variance.prefix-slope')?.note).toMatch(
      /shorter responses .* % of the squared/,
    );
  });
});

describe('nothing is true or false by construction', { timeout: SLOW }, () => {
  it('8. of equal lengths and a window as long as they are, the law is right and slopes do not apply', async () => {
    const runs = sized(2, 40);
    for (let seed = 1; seed <= runs; seed++) {
      const rollouts = planted({ minLength: 20, maxLength: 20, prompts: 200, seed });
      const claims = await claimsOf('dependence', rollouts);
      expect(alarms(claims)).toEqual([]);
      const law = claims.get('dependence.law')?.working;
      expect(Math.abs((law?.estimate ?? NaN) / (law?.standardError ?? NaN))).toBeLessThan(4);
      expect(verdictIn(claims, 'dependence.law-tilt')).toBe('not applicable');
      const variance = await claimsOf('variance', rollouts);
      expect(verdictIn(variance, 'variance.slope')).toBe('not applicable');
      expect(alarms(variance)).toEqual([]);
    }
  });

  it('9. one step apart, what cannot be told apart is not judged', async () => {
    const claims = await claimsOf('weights', planted({ sigma: 2e-3, prompts: 200 }));
    expect(claims.get('weights.unnormalised-share')).toMatchObject({
      verdict: 'not applicable',
      note: expect.stringMatching(/^Nothing to tell apart/) as string,
    });
    expect(alarms(claims)).toEqual([]);
    const clipping = await claimsOf('clipping', planted({ sigma: 2e-3, prompts: 200 }));
    expect(verdictIn(clipping, 'clipping.two-orders')).toBe('not applicable');
    expect(verdictIn(clipping, 'clipping.grpo-outside')).toBe('not applicable');
  });

  it('10. a control without any effect fails nothing, and what contradicts itself is no claim', async () => {
    for (const page of ['length', 'weights', 'objectives'] as const) {
      expect(alarms(await claimsOf(page, planted({ prompts: 150 })))).toEqual([]);
    }
    const all = Object.values(CLAIM_FAMILIES).flat();
    for (const { id, claim } of all) {
      expect(id).not.toMatch(/usable-length|jensen-slope|naive-tilt|sequence-share/);
      expect(claim).not.toMatch(/perplexity does not depend|less likely/i);
    }
  });
});

const PARTS = [
  'dependence.covariance',
  'dependence.prompt',
  'dependence.mean-by-length',
  'dependence.position',
] as const;

describe('what is planted is named for what it is, and for nothing else', { timeout: SLOW }, () => {
  it.each([
    ['11. a mean that moves with the length', { meanByLength: 0.2 }, 'dependence.mean-by-length'],
    ['12. spikes', { kurtosis: 250 }, null],
    ['13. variance by position', { drift: 6 }, 'dependence.position'],
    ['14. correlated neighbours', { rho: 0.3 }, 'dependence.covariance'],
    ['15. what a prompt does to all its responses', { tau: 0.15 }, 'dependence.prompt'],
  ] satisfies [string, Partial<Plan>, (typeof PARTS)[number] | null][])(
    '%s',
    async (_name, plan, expected) => {
      const runs = sized(expected === null ? 4 : 1, 20);
      let others = 0;
      for (let seed = 1; seed <= runs; seed++) {
        const claims = await claimsOf('dependence', planted({ ...plan, seed: 100 + seed }));
        const named = PARTS.filter((id) => verdictIn(claims, id) === 'fails');
        expect(named).toEqual(expected === null ? [] : [expected]);
        const found = expected === null ? detections(claims) : alarms(claims);
        if (found.some((id) => id !== expected)) others++;
      }
      expect(others).toBeLessThanOrEqual(runs > 4 ? atMost(runs) : 0);
    },
  );
});

describe('tails', { timeout: SLOW }, () => {
  it('16. k-hat counts prompts and distinct responses: what is drawn twice says nothing twice', () => {
    const random = new Random(5, STREAM.synthetic);
    const weights: number[] = [];
    const prompts: number[] = [];
    for (let g = 0; g < 64; g++) {
      const shared = 0.3 * random.normal();
      for (let j = 0; j < 8; j++) {
        weights.push(shared + 0.5 * random.normal());
        prompts.push(g);
      }
    }
    const once = paretoByPrompts(weights, prompts);
    const twice = paretoByPrompts([...weights, ...weights], [...prompts, ...prompts]);
    expect(twice).toEqual(once);
    expect(once.distinct).toBe(512);
    // leaving prompts out, not weights: what a prompt shares makes k-hat less certain
    expect(once.clusters).toBe(64);
  });
});

describe('the race', () => {
  it('17. is told by ratios of means, token for token, at bands that are named', () => {
    expect(PAPER_BANDS).toEqual({
      gspo: { low: 3e-4, high: 4e-4 },
      grpo: { low: 0.2, high: 0.27 },
    });
    const words = RACE_CLAIMS.find(({ id }) => id === 'series.clip-shares')?.claim;
    expect(words).toMatch(/ten times the published/);
    expect(CLIPPING_CLAIMS.map(({ id }) => id)).toContain('clipping.ranges');
    // ratios from 0.1 to 1000: their geometric mean is 10, the ratio of means 64 of steps that all predict the same
    const ratios = [0.1, 1, 10, 100, 1000].flatMap((ratio) => Array<number>(16).fill(ratio));
    const steps = ratios.map((ratio, t) => ({
      step: t + 1,
      entropy: 0.1,
      gradientNorm: 1 + (t % 3),
      // as TRL counts responses, and as verl counts tokens
      clip: { trl: 0.5, verl: 0.02 + 0.001 * (t % 2) },
      weights: { variance: 1e-4 * ratio, predictedVariance: 1e-4 },
    }));
    const racer = (name: string, verl: number) =>
      ({
        name,
        start: { id: 'a', accuracy: null },
        end: { id: 'b', accuracy: null },
        series: {
          steps: steps.map((own) => ({
            ...own,
            clip: { ...own.clip, verl: own.clip.verl * verl },
          })),
        },
      }) as unknown as ShippedSeries;
    const race = measureRace([racer('gspo', 1), racer('grpo', 0.01)]);
    expect(race.pair?.clipOrders.estimate).toBeCloseTo(2, 6);
    const mean = ratios.reduce((a, b) => a + b, 0) / ratios.length;
    // less the jackknife's bias: ten blocks with one that carries nearly all
    expect(Math.exp(race.racers[0]?.varianceRatio.estimate ?? NaN) / mean).toBeGreaterThan(0.8);
  });
});
