/** The report to send on: HTML that is whole, runs and loads nothing, and keeps the run's data to itself. */
import { describe, expect, it } from 'vitest';
import { reportHtml } from './documents';
import { PLANTED } from './faults';
import { change, HEALTHY, sound } from './faults/fault';
import { healthReport, type HealthReport } from './report';

const HOSTILE = `"><script>alert('x')</script>&<img src=x onerror=alert(1)>`;

const planted = (id: string) => {
  const found = PLANTED.find((one) => one.id === id);
  if (!found) throw new Error(`no planted fault ${id}`);
  return found.fault(sound({ ...HEALTHY, ...found.recipe }, 31), 31);
};

/** One token overflows, in a group and a file whose names are hostile. */
function hostile(): HealthReport {
  const batch = planted('overflow-token');
  const n = batch.rollouts.group.length;
  return healthReport({
    ...batch,
    groupIds: Array.from(new Set(batch.rollouts.group), (g) => `${HOSTILE}${g}`),
    facts: {
      ...batch.facts,
      files: [`secret-run${HOSTILE}.jsonl`],
      file: new Uint8Array(n),
      place: Array.from({ length: n }, (_, i) => i + 1),
    },
  });
}

const html = (report: HealthReport, withData: boolean) =>
  reportHtml(report, { withData, made: '2030-01-02' });

const VOID = new Set(['meta', 'rect', 'circle', 'polyline']);

/** Every tag closes the one that is open, every attribute is quoted, and no text holds a bare angle bracket. */
function expectWhole(text: string): void {
  const open: string[] = [];
  const rest = text
    .replace(/^<!doctype html>\n/, '')
    .replace(/<style>[^<]*<\/style>/, '')
    .replace(/<(\/?)([a-z0-9]+)((?: [a-zA-Z-]+="[^"<>]*")*)(\/?)>/g, (_, end, name: string) => {
      if (end === '/') expect(name).toBe(open.pop());
      else if (!VOID.has(name)) open.push(name);
      return '';
    });
  expect(open).toEqual([]);
  expect(rest).not.toMatch(/[<>]/);
  expect(rest).not.toMatch(/&(?!amp;|lt;|gt;|quot;)/);
  expect(text).not.toMatch(/<script|<img|<link|<iframe|<object|javascript:|https?:|url\(/i);
}

const figures = (text: string) => text.split('<figure>').slice(1);

describe('the report in one HTML file', () => {
  it.each([false, true])('is whole and runs nothing, with hostile names; data: %s', (withData) => {
    const report = hostile();
    expect(report.findings.map(({ id }) => id)).toContain('overflow-token');
    const text = html(report, withData);
    expectWhole(text);
    expect(text.includes('&lt;script&gt;')).toBe(withData);
  });

  it('without data names no group, file or response and draws no single tokens; asked for, it does', () => {
    const report = hostile();
    const bare = html(report, false);
    expect(bare).not.toMatch(/secret-run|onerror|alert|response \d+ of|Log-probs per token/);
    const full = html(report, true);
    expect(full).toMatch(/secret-run.*number \d+/);
    expect(full).toMatch(/response \d+ of/);
    expect(figures(full).filter((one) => one.includes('Log-probs per token'))).toHaveLength(1);
  });

  it('has its figures without data too: each finding’s rule, the log ratios, the steps', () => {
    const { findings, ...rest } = healthReport(planted('growing-mismatch'));
    const text = html({ ...rest, findings }, false);
    expectWhole(text);
    const drawn = figures(text);
    expect(findings.map(({ id }) => id)).toEqual(['growing-mismatch']);
    for (const title of [
      'dashed: the threshold',
      'over the training steps',
      'Mean log ratio of a response',
      'Log ratio of a token',
      'Log old - log sampler',
    ]) {
      expect(drawn.filter((one) => one.includes(title), title)).toHaveLength(1);
    }
    for (const one of drawn) {
      expect(one).not.toMatch(/NaN|Infinity/);
      expect(one.match(/<(rect|polyline|circle)/g)?.length).toBeGreaterThan(1);
    }
  });

  it('says of healthy data that nothing stands out, with its figures', () => {
    const text = html(healthReport(sound(HEALTHY, 31)), false);
    expectWhole(text);
    expect(text).toContain('Nothing stands out.');
    expect(figures(text)).toHaveLength(3);
  });
});

describe('how log ratios are spread', () => {
  it('is the spread that was put in, and says what lies beyond', () => {
    const wide = change((r, random) => ({
      logpNew: r.logpOld.map((x) => x + 0.5 + 0.01 * random.normal()),
    }))(sound({ ...HEALTHY, prompts: 60 }, 31), 31);
    const { distributions } = healthReport(wide);
    const tokens = distributions.find(({ of }) => of === 'tokens');
    if (!tokens) throw new Error('no distribution of tokens');
    const { bins, limit, beyond, n, band } = tokens;
    expect(n).toBe(wide.rollouts.logpOld.length);
    expect(beyond).toBeLessThan(0.005);
    expect(bins.reduce((a, b) => a + b, 0) + beyond).toBeCloseTo(1, 9);
    const at = (i: number) => ((i + 0.5) / bins.length) * 2 * limit - limit;
    const mean = bins.reduce((sum, share, i) => sum + share * at(i), 0) / (1 - beyond);
    expect(mean).toBeCloseTo(0.5, 2);
    expect(bins.slice(0, bins.length >> 1).every((share) => share === 0)).toBe(true);
    expect(band).toEqual([Math.log1p(-0.2), Math.log1p(0.2)]);
  });

  it('is not drawn where all ratios are 1', () => {
    const same = change((r) => ({ logpNew: r.logpOld }))(sound(HEALTHY, 31), 0);
    expect(healthReport(same).distributions.map(({ of }) => of)).toEqual(['sampler']);
  });
});
