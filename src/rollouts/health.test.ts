/** Each finding speaks up on data made to show it, and stays silent on the same data without it. */
import { describe, expect, it } from 'vitest';
import { Random, STREAM } from '../math/philox';
import { healthReport, type Finding } from './health';
import type { Rollouts } from './rollouts';

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
    ['truncation', 'renormalised nucleus', { sampler: (x) => x - Math.log(0.95) }, 'truncated'],
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
    expect(finding(make({ sampler: (x) => x }), 'truncation').level).toBe('fine');
    const noisy = make({ sampler: (x, random) => x + 0.01 + 0.05 * random.normal() });
    expect(finding(noisy, 'truncation').level).toBe('fine');
    expect(finding(noisy, 'sampler').level).toBe('warning');
    const ids = healthReport(make()).findings.map((f) => f.id);
    expect(ids).not.toContain('sampler');
  });

  it('six decimals are enough', () => {
    const six = make({ round: (x) => Math.round(x * 1e6) / 1e6 });
    expect(finding(six, 'precision').level).toBe('fine');
  });

  it('gives the figure behind the sentence', () => {
    const { figures } = finding(make({ sampler: (x) => x - Math.log(0.9) }), 'truncation');
    const shift = figures.find((f) => f.label.startsWith('mean shift'));
    expect(shift?.value).toBeCloseTo(-Math.log(0.9), 10);
  });
});
