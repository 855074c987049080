/** Each finding speaks up on data made to show it, and stays silent on the same data without it. */
import { describe, expect, it } from 'vitest';
import { Random, STREAM } from '../../math/philox';
import { healthReport, type Finding } from './report';
import type { Rollouts } from '../rollouts';

interface Made {
  n?: number;
  length?: number;
  /** standard deviation of d_t */
  sigma?: number;
  round?(x: number): number;
  sampler?(logpOld: number, random: Random): number;
  advantage?: number;
  finished?: 0 | 1;
}

function make({
  n = 200,
  length = 50,
  sigma = 0.02,
  round = (x) => x,
  sampler,
  advantage,
  finished = 1,
}: Made = {}): Rollouts {
  const random = new Random(5, STREAM.synthetic);
  const tokens = n * length;
  const logpOld = Float64Array.from({ length: tokens }, () => -0.2 - 3 * random.uniform());
  const logpNew = logpOld.map((x) => round(Math.min(0, x + sigma * random.normal())));
  const rollouts: Rollouts = {
    offsets: Uint32Array.from({ length: n + 1 }, (_, i) => i * length),
    tokenIds: new Int32Array(tokens).fill(-1),
    logpOld,
    logpNew,
    group: Uint32Array.from({ length: n }, (_, i) => i >> 2),
    reward: Float64Array.from({ length: n }, (_, i) => i % 2),
    advantage: Float64Array.from({ length: n }, (_, i) => advantage ?? (i % 2 ? 1 : -1)),
    finished: new Uint8Array(n).fill(finished),
    prompts: Array.from({ length: Math.ceil(n / 4) }, (_, i) => `q${i}`),
  };
  if (sampler) rollouts.logpSampler = logpOld.map((x) => sampler(x, random));
  return rollouts;
}

const nucleus = (kept: number) => (x: number) => x - Math.log(kept);

/**
 * One token each from a softmax over 40 logits, sampled at a temperature and from its nucleus.
 * @returns also the share of the old probability that the sampler can reach
 */
function samples(n: number, temperature: number, topP: number) {
  const random = new Random(7, STREAM.synthetic);
  const logpOld = new Float64Array(n);
  const logpSampler = new Float64Array(n);
  let reachable = 0;
  for (let i = 0; i < n; i++) {
    const logits = Array.from({ length: 40 }, () => 2 * random.normal()).sort((a, b) => b - a);
    const softmax = (values: number[]) => {
      const sum = values.reduce((all, x) => all + Math.exp(x), 0);
      return values.map((x) => Math.exp(x) / sum);
    };
    const old = softmax(logits);
    const heated = softmax(logits.map((x) => x / temperature));
    let mass = 0;
    const kept = heated.filter((p) => mass < topP && (mass += p) > 0);
    let left = random.uniform() * mass;
    let token = kept.findIndex((p) => (left -= p) <= 0);
    if (token < 0) token = kept.length - 1;
    logpOld[i] = Math.log(old[token] as number);
    logpSampler[i] = Math.log((kept[token] as number) / mass);
    reachable += old.slice(0, kept.length).reduce((all, p) => all + p, 0) / n;
  }
  return { ...make({ n, length: 1 }), logpOld, logpSampler, reachable };
}

function finding(rollouts: Rollouts, id: Finding['id']): Finding {
  const found = healthReport(rollouts).findings.find((f) => f.id === id);
  if (!found) throw new Error(`No finding "${id}".`);
  return found;
}

function bf16(x: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, x);
  view.setUint16(2, 0);
  return view.getFloat32(0);
}

describe('health report', () => {
  it('is quiet about sound data', () => {
    const sound = make({ sigma: 2e-3, sampler: (x, random) => x + 1e-3 * random.normal() });
    expect(healthReport(sound).findings.filter((f) => f.level === 'warning')).toEqual([]);
    expect(healthReport(sound)).toMatchObject({ sequences: 200, tokens: 10_000, groups: 50 });
  });

  it.each<[Finding['id'], string, Made, string]>([
    ['on-policy', 'old = new', { sigma: 0 }, 'All ratios are 1'],
    ['clipping', 'huge steps', { sigma: 5, length: 1 }, 'nearly always active'],
    ['explosion', 'long responses, wide ratios', { sigma: 0.5, length: 400 }, 'explode'],
    ['sampler', 'another temperature', { sampler: (x) => x * 1.2 }, 'disagree'],
    ['explosion', 'weights beyond what a float64 holds', { sigma: 20, length: 400 }, 'explode'],
    ['explosion', 'one of eight that holds all', { n: 8, sigma: 1, length: 400 }, 'explode'],
    ['sampler', 'a nucleus, which k3 does not see', { sampler: nucleus(0.99) }, 'disagree'],
    [
      'sampler',
      'little per token that adds up',
      { length: 5000, n: 40, sampler: (x, random) => x + 0.04 * random.normal() },
      'disagree',
    ],
    ['truncation', 'renormalised nucleus', { sampler: nucleus(0.95) }, 'truncated'],
    [
      'truncation',
      'a nucleus under the noise of another engine',
      { sampler: (x, random) => nucleus(0.99)(x) + 0.02 * random.normal() },
      'truncated',
    ],
    ['range', 'a masked logit', { round: (x) => (x < -3.19 ? -1e9 : x) }, 'fillers'],
    ['precision', 'bfloat16', { round: bf16 }, 'rounded'],
    ['precision', 'four decimals', { round: (x) => Math.round(x * 1e4) / 1e4 }, 'rounded'],
    ['signal', 'equal rewards', { advantage: 0 }, 'no signal'],
  ])('%s: warns of %s', (id, _, made, title) => {
    const found = finding(make(made), id);
    expect(found.level).toBe('warning');
    expect(found.title).toContain(title);
    expect(found.figures.length).toBeGreaterThan(0);
  });

  it('notes when clipping is never active and when responses were cut', () => {
    expect(finding(make({ sigma: 1e-6 }), 'clipping').title).toBe('Clipping is never active');
    expect(finding(make({ finished: 0 }), 'cut').level).toBe('note');
  });

  it('an agreeing sampler is no truncated one, and no sampler means no finding about it', () => {
    expect(finding(make({ sampler: (x) => x }), 'truncation').title).toContain('No sign');
    const noisy = make({ sampler: (x, random) => x + 0.05 * random.normal() });
    expect(finding(noisy, 'truncation').level).toBe('fine');
    expect(finding(noisy, 'sampler').level).toBe('warning');
    const few = make({ n: 3, length: 4, sampler: (x, random) => x + 0.1 * random.normal() });
    expect(finding(few, 'truncation').title).toContain('Too little');
    const ids = healthReport(make()).findings.map((f) => f.id);
    expect(ids).not.toContain('sampler');
  });

  it.each([
    [0.8, 1, 'No sign'],
    [1.25, 1, 'No sign'],
    [1, 0.95, 'truncated'],
    [0.8, 0.95, 'truncated'],
  ])('tells a temperature from a nucleus: T %f, top-p %f', (temperature, topP, title) => {
    const sampled = samples(8000, temperature, topP);
    const found = finding(sampled, 'truncation');
    expect(found.title).toContain(title);
    expect(found.figures[0]?.value).toBeCloseTo(sampled.reachable, 2);
    expect(finding(sampled, 'sampler').level).toBe('warning');
  });

  it('says whether it is the length that makes ratios explode', () => {
    const long = make({ sigma: 0.2, length: 600, n: 100 });
    const mixed = (shift: (i: number) => number) => {
      const offsets = [0];
      for (let i = 0; i < 100; i++) offsets.push((offsets.at(-1) as number) + (i % 2 ? 500 : 20));
      const tokens = offsets.at(-1) as number;
      const logpOld = long.logpOld.slice(0, tokens);
      const logpNew = long.logpNew.slice(0, tokens);
      for (let i = 0; i < 100; i++)
        logpNew[offsets[i] as number] = (logpNew[offsets[i] as number] as number) - shift(i);
      return { ...long, offsets: Uint32Array.from(offsets), logpOld, logpNew };
    };
    const grown = finding(
      mixed(() => 0),
      'explosion',
    );
    expect(grown.detail).toContain('It grows with length');
    const [short, wide] = grown.figures.filter(({ label }) => label.startsWith('root mean'));
    expect(short?.label).toContain('shortest third (L 20 to 20)');
    expect((wide?.value as number) / (short?.value as number)).toBeCloseTo(
      Math.sqrt(500 / 20),
      -0.5,
    );
    const single = finding(
      mixed((i) => (i % 10 < 2 ? 40 : 0)),
      'explosion',
    );
    expect(single.detail).toContain('does not grow with length');
    expect(finding(long, 'explosion').detail).toContain('Lengths differ too little');
  });

  it('six decimals are enough', () => {
    const six = make({ round: (x) => Math.round(x * 1e6) / 1e6 });
    expect(finding(six, 'precision').level).toBe('fine');
  });

  it('gives the figure behind the sentence', () => {
    const { figures } = finding(make({ sampler: (x) => x - Math.log(0.9) }), 'truncation');
    const reached = figures.find((f) => f.label.startsWith('old probability'));
    expect(reached?.value).toBeCloseTo(0.9, 10);
  });
});
