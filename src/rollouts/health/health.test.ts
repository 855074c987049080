/**
 * Each rule speaks up on the fault that it is about, names it, and says nothing on the same data without it; the
 * report merges; what follows from a cause is not told beside it.
 */
import { describe, expect, it } from 'vitest';
import { bandsOf } from './evidence/measure';
import { HealthTally, tallyFrom, type HealthBatch } from './evidence/tally';
import { FACTS, falseAlarms } from './calibration';
import { findingsOf, PLANTED } from './faults';
import { change, each, HEALTHY, sampler, shift, sound } from './faults/fault';
import { healthyRecipe } from './planted';
import { healthReport, reportOf, type Finding, type HealthReport } from './report';
import { RULES } from './rules';

const ids = ({ findings }: Pick<HealthReport, 'findings'>) => findings.map(({ id }) => id);
const words = ({ title, cause }: Finding) => `${title} ${cause}`;

describe('rules of the health report', () => {
  it('the healthy data under the faults raises nothing', () => {
    const plain = healthReport(sound(HEALTHY, 31));
    expect(ids(plain)).toEqual([]);
    expect(plain.passed.length).toBeGreaterThan(25);
    expect(plain).toMatchObject({ sequences: 96, groups: 12, cut: null });
  });

  it.each(PLANTED)('$id: $what', (planted) => {
    const { found, others } = findingsOf(planted, 31);
    expect(others.map((one) => one.id)).toEqual([]);
    expect(found, `finding ${planted.id}`).not.toBeNull();
    if (planted.says) expect(words(found as Finding)).toMatch(planted.says);
    expect(found?.remedy).not.toBe('');
    expect(found?.measure).not.toBe('');
  });

  it('every rule has a fault planted for it', () => {
    expect(new Set(PLANTED.map(({ id }) => id))).toEqual(new Set(RULES.map(({ id }) => id)));
  });

  it('what a rule hides are rules, and no rule hides itself', () => {
    const known = RULES.map(({ id }) => id as string);
    expect(new Set(known).size).toBe(known.length);
    for (const { id, hides } of RULES) {
      expect(known).toEqual(expect.arrayContaining([...hides]));
      expect(hides).not.toContain(id);
    }
  });

  it('names the responses and tokens that carry a finding', () => {
    const plain = sound({ ...HEALTHY, engine: null }, 31);
    const { rollouts } = plain;
    const [found] = healthReport(
      change((r) => ({ logpOld: r.logpOld.map((x, t) => (t === 100 ? x - 200 : x)) }))(plain, 0),
    ).findings;
    const i = rollouts.offsets.findIndex((end) => end > 100) - 1;
    const from = 100 - rollouts.offsets[i];
    expect(found?.tokens).toEqual([
      { at: null, step: null, group: `p${i >> 3}`, sample: i % 8, from, to: from + 1 },
    ]);
    const { excerpt } = found;
    expect(excerpt?.values.old[from - (excerpt.values.from ?? 0)]).toBeCloseTo(
      rollouts.logpOld[100] - 200,
      6,
    );
  });

  it('the band that is asked for is the one that findings are about', () => {
    const data = change((r) => ({ logpNew: r.logpOld.map((x) => x - 0.01) }))(
      sound(HEALTHY, 31),
      0,
    );
    expect(ids(healthReport(data))).toContain('clipping-always');
    const wide = healthReport(data, bandsOf({ low: 0.02, high: 0.02 }));
    expect(ids(wide)).toEqual(['clipping-never']);
    expect(wide.clipping[1]?.label).toBe('responses clipped at 0.02/0.02');
  });

  it('data that says nothing of cut responses is not data without any', () => {
    const data = sound(HEALTHY, 31);
    expect(healthReport(data).cut).toBeNull();
    expect(healthReport(data).notAsked).toContain('cut');
    expect(healthReport({ ...data, facts: { endKnown: new Uint8Array(96).fill(1) } }).cut).toBe(0);
  });

  it('tells from which step on a rule fires', () => {
    const data = sound({ ...HEALTHY, steps: 6, prompts: 60 }, 31);
    const late = change((r) => ({
      logpSampler: each(r, sampler(r), (part, i) =>
        Number(data.step?.[i]) < 3 ? part : shift(part, 1),
      ),
    }))(data, 0);
    const found = healthReport(late).findings.find(({ id }) => id === 'shifted');
    expect(found?.firstStep).toBe(3);
    expect(healthReport(late).steps.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('comes for more groups than a call takes arguments', () => {
    const n = 200_000;
    const rollouts = {
      offsets: Uint32Array.from({ length: n + 1 }, (_, i) => i),
      tokenIds: new Int32Array(n).fill(-1),
      logpOld: Float64Array.from({ length: n }, (_, i) => -0.5 - (i % 97) / 97),
      logpNew: Float64Array.from({ length: n }, (_, i) => -0.5 - (i % 89) / 89),
      group: Uint32Array.from({ length: n }, (_, i) => i),
      reward: Float64Array.from({ length: n }, (_, i) => i % 2),
      advantage: Float64Array.from({ length: n }, (_, i) => (i % 2) - 0.5),
      finished: new Uint8Array(n).fill(1),
      prompts: [],
    };
    expect(healthReport({ rollouts }).sequences).toBe(n);
  });

  it('raises no false alarm on healthy data of several kinds', () => {
    // 200 sets: npm run calibrate:health
    const { alarms } = falseAlarms(8);
    expect(alarms).toEqual([]);
    expect(FACTS.every((id) => RULES.some((rule) => rule.id === id))).toBe(true);
  }, 60_000);
});

describe('tally', () => {
  const data = sound({ ...healthyRecipe(3), prompts: 24, groupSize: 4, engine: 0.01, steps: 4 }, 3);

  /** Responses [from, to) as a batch of their own. */
  function part(from: number, to: number): HealthBatch {
    const { rollouts, groupIds, sample, step, facts } = data;
    const [a, b] = [rollouts.offsets[from], rollouts.offsets[to]];
    const { logpSampler, entropyOld, ...rest } = rollouts;
    return {
      rollouts: {
        ...rest,
        offsets: rollouts.offsets.slice(from, to + 1).map((x) => x - a),
        tokenIds: rollouts.tokenIds.slice(a, b),
        logpOld: rollouts.logpOld.slice(a, b),
        logpNew: rollouts.logpNew.slice(a, b),
        ...(logpSampler ? { logpSampler: logpSampler.slice(a, b) } : {}),
        ...(entropyOld ? { entropyOld: entropyOld.slice(a, b) } : {}),
        group: rollouts.group.slice(from, to),
        reward: rollouts.reward.slice(from, to),
        advantage: rollouts.advantage.slice(from, to),
        finished: rollouts.finished.slice(from, to),
      },
      groupIds: groupIds as string[],
      sample: Array.from(sample as Uint32Array).slice(from, to),
      step: Array.from(step as Float64Array).slice(from, to),
      facts: { endKnown: Array.from(facts?.endKnown ?? []).slice(from, to) },
    };
  }

  const tallyOf = (...batches: HealthBatch[]) => {
    const tally = new HealthTally();
    for (const batch of batches) tally.add(batch);
    return tally;
  };

  it('of parts, merged in any order and sent as JSON, is that of the whole to the last digit', () => {
    const parts = [part(64, 96), part(0, 24), part(24, 64)].map((one) => tallyOf(one));
    const merged = new HealthTally();
    for (const one of parts) merged.merge(tallyFrom(JSON.parse(JSON.stringify(one))));
    const whole = reportOf(tallyOf(data));
    const again = reportOf(merged);
    // Weights beyond float64 are kept by their scale: equal to rounding.
    const sums = ({ steps }: HealthReport) => steps.map((step) => ({ ...step, effective: 0 }));
    expect(sums(again)).toEqual(sums(whole));
    expect(again.findings).toEqual(whole.findings);
    expect(whole.distributions).toHaveLength(3);
    expect(again.distributions).toEqual(whole.distributions);
    const plain = ({ passed }: HealthReport) =>
      passed.filter(({ id }) => id !== 'explosion' && id !== 'sampler-mismatch');
    expect(plain(again)).toEqual(plain(whole));
    const effective = ({ passed }: HealthReport) =>
      passed.find(({ id }) => id === 'explosion')?.statistic as number;
    expect(effective(again)).toBeCloseTo(effective(whole), 12);
  });

  it('refuses to merge what was told other clip ranges, and JSON that is no tally', () => {
    const other = new HealthTally(bandsOf({ low: 0.1 }));
    expect(() => new HealthTally().merge(other)).toThrow('different clip ranges');
    expect(() => tallyFrom({ steps: [{}] })).toThrow();
  });
});
