/**
 * Every figure of `../shared/peers/cases.json` (here: `peer-cases.json`) to 8 significant digits. The figures were computed independently with
 * TRL's and verl's own arithmetic. Contract: each leaf of the file is either visited by a check below or
 * the last test fails and names it.
 */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import {
  chiSquare,
  klTerms,
  mean,
  sequenceMeans,
  sequenceSums,
  type KlTerms,
} from '../diagnostics/divergence';
import {
  mismatchLogRatio,
  mismatchWeights,
  offPolicySequenceMask,
  rejectByMeanK1,
  verlEffectiveSampleSize,
} from '../diagnostics/mismatch';
import { offPolicyMetrics, sequencePerplexities } from '../diagnostics/perplexity';
import { groupAdvantages } from './advantages';
import { evaluateObjective } from './evaluate';
import type { RatioLevel, Surrogate } from './registry';
import type { Aggregation, Library, TrlClipStatistics } from './types';

const COPY = fileURLToPath(new URL('./peer-cases.json', import.meta.url));
const ORIGINAL = fileURLToPath(new URL('../../../../shared/peers/cases.json', import.meta.url));

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
/** The shared file itself where this checkout has it beside it, else the copy that travels with the code. */
const SOURCE = existsSync(ORIGINAL) ? ORIGINAL : COPY;
const cases = JSON.parse(readFileSync(SOURCE, 'utf8')) as Json;

const visited = new Set<string>();
function at(...path: (string | number)[]): Json {
  let node: Json | undefined = cases;
  for (const key of path) {
    if (Array.isArray(node) && typeof key === 'number') node = node[key];
    else if (node !== null && typeof node === 'object' && !Array.isArray(node)) node = node[key];
    else node = undefined;
    if (node === undefined) throw new Error(`peer-cases.json has no "${path.join(' > ')}".`);
  }
  return node;
}

function leaves(node: Json, path: string): string[] {
  if (node === null || typeof node !== 'object') return [path];
  return Object.entries(node).flatMap(([key, value]) => leaves(value, `${path}/${key}`));
}

/** Equal when both print the same 8 significant digits (the file holds 8). */
function same(actual: unknown, expected: Json, path: string): void {
  if (typeof expected === 'number' && typeof actual === 'number') {
    expect(Number(actual.toPrecision(8)), path).toBe(Number(expected.toPrecision(8)));
  } else if (Array.isArray(expected)) {
    const list = Array.from(actual as ArrayLike<unknown>);
    expect(list.length, path).toBe(expected.length);
    expected.forEach((value, i) => same(list[i], value, `${path}/${i}`));
  } else expect(actual, path).toBe(expected);
}

function figure(actual: unknown, ...path: (string | number)[]): void {
  const expected = at(...path);
  for (const leaf of leaves(expected, path.join('/'))) visited.add(leaf);
  same(actual, expected, path.join(' > '));
}

const ragged = (key: string) => at('inputs', key) as number[][];
const lengths = ragged('old_logps').map((row) => row.length);
const offsets = Uint32Array.from([
  0,
  ...lengths.map((_, i) => lengths.slice(0, i + 1).reduce((a, b) => a + b)),
]);
const logpOld = Float64Array.from(ragged('old_logps').flat());
const logpNew = Float64Array.from(ragged('new_logps').flat());
const logpSampler = Float64Array.from(ragged('sampler_logps').flat());
const advantage = Float64Array.from(at('inputs', 'advantages') as number[]);
const paddedWidth = at('inputs', 'padded_width_T') as number;
const maxLength = at('inputs', 'max_completion_length') as number;
const batch = { offsets, logpOld, logpNew, advantage };
for (const leaf of leaves(at('inputs'), 'inputs')) visited.add(leaf);

const rows = (values: Float64Array) =>
  lengths.map((_, i) => Array.from(values.subarray(offsets[i], offsets[i + 1])));

const TOKEN: Aggregation = { kind: 'token-mean' };
const SEQ: Aggregation = { kind: 'seq-mean-token-mean' };
const SUM: Aggregation = { kind: 'seq-mean-token-sum' };
const norm = (length: number): Aggregation => ({ kind: 'seq-mean-token-sum-norm', length });

const run = (
  library: Library,
  surrogate: Surrogate,
  aggregation: Aggregation,
  mismatch?: Float64Array,
) => evaluateObjective(batch, { library, surrogate, aggregation }, mismatch);
const clip = (level: RatioLevel, low: number, high: number): Surrogate => ({
  kind: 'clip',
  level,
  low,
  high,
});
const ppo = (low: number, high: number): Surrogate => ({
  kind: 'clip',
  level: 'token',
  low,
  high,
  dual: 3,
});
const trlMetrics = (stats: TrlClipStatistics | null) => ({
  'clip_ratio/low_mean': stats?.lowMean,
  'clip_ratio/high_mean': stats?.highMean,
  'clip_ratio/region_mean': stats?.regionMean,
  'clip_ratio/low_min': stats?.lowMin,
  'clip_ratio/high_max': stats?.highMax,
});
function metrics(actual: Record<string, unknown>, ...path: string[]): void {
  for (const key of Object.keys(at(...path) as object)) figure(actual[key], ...path, key);
}

it('the copy is the file that was read, byte for byte', () => {
  expect(readFileSync(COPY, 'utf8')).toBe(readFileSync(SOURCE, 'utf8'));
});

describe('figures of the peers', () => {
  it('ratios', () => {
    const d = logpNew.map((b, t) => b - logpOld[t]);
    const p = sequencePerplexities(logpOld, logpNew, offsets);
    figure(rows(d), 'ratios', 'token_log_ratio');
    figure(rows(d.map(Math.exp)), 'ratios', 'token_ratio');
    figure(p.logRho, 'ratios', 'seq_log_weight_sum');
    figure(p.logWeight, 'ratios', 'seq_log_weight_mean');
    figure(p.logWeight.map(Math.exp), 'ratios', 's_geometric');
    figure(p.logRho.map(Math.exp), 'ratios', 'seq_ratio_unnormalised');
    figure(p.crossEntropyOld, 'ratios', 'ce_old');
    figure(p.crossEntropyNew, 'ratios', 'ce_theta');
    figure(p.pplOld, 'ratios', 'ppl_old');
    figure(p.pplNew, 'ratios', 'ppl_theta');
    figure(p.pplRatio, 'ratios', 'ppl_old_over_ppl_theta');
    // The peer's largest difference is one unit in the last place of a double; ours may not exceed two.
    visited.add('ratios/max_abs_s_minus_ppl_ratio');
    const largest = Math.max(
      ...Array.from(p.logWeight, (x, i) => Math.abs(Math.exp(x) - p.pplRatio[i])),
    );
    expect(largest).toBeLessThanOrEqual(2 * (at('ratios', 'max_abs_s_minus_ppl_ratio') as number));
  });

  it('REINFORCE', () => {
    const s: Surrogate = { kind: 'reinforce' };
    figure(run('verl', s, TOKEN).loss, 'objectives', 'reinforce', 'verl.token-mean(gpg default)');
    figure(
      run('verl', s, SUM).loss,
      'objectives',
      'reinforce',
      'verl.seq-mean-token-sum(reinforce fn default)',
    );
  });

  it.each([
    ['ppo_grpo_eps0.2_0.2', 0.2, 0.2],
    ['dapo_eps0.2_0.28', 0.2, 0.28],
  ])('token clip %s', (name, low, high) => {
    const path = ['objectives', name] as const;
    const s = clip('token', low, high);
    figure(run('trl', s, SEQ).loss, ...path, 'trl.grpo');
    figure(run('trl', s, TOKEN).loss, ...path, 'trl.dapo(default)');
    figure(run('trl', s, TOKEN).loss, ...path, 'trl.bnpo');
    figure(run('trl', s, norm(maxLength)).loss, ...path, 'trl.dr_grpo');
    metrics(trlMetrics(run('trl', s, SEQ).trl), ...path, 'trl.metrics');
    const v = ppo(low, high);
    figure(run('verl', v, TOKEN).loss, ...path, 'verl.token-mean(default,dualclip c=3)');
    figure(run('verl', v, SEQ).loss, ...path, 'verl.seq-mean-token-mean');
    figure(run('verl', v, SUM).loss, ...path, 'verl.seq-mean-token-sum');
    figure(run('verl', v, norm(paddedWidth)).loss, ...path, 'verl.seq-mean-token-sum-norm(T)');
    figure(run('verl', v, norm(8)).loss, ...path, 'verl.seq-mean-token-sum-norm(8)');
    const stats = run('verl', v, TOKEN).verl;
    metrics(
      {
        'actor/pg_clipfrac': stats?.clipFraction,
        'actor/pg_clipfrac_lower': stats?.clipFractionLower,
      },
      ...path,
      'verl.metrics',
    );
  });

  it('two-sided clip', () => {
    const path = ['objectives', 'grpo_two_sided_delta3'] as const;
    const s: Surrogate = { kind: 'clip', level: 'token', low: 0.2, high: 0.2, delta: 3 };
    figure(run('trl', s, TOKEN).loss, ...path, 'trl.dapo(default)');
    figure(run('trl', s, SEQ).loss, ...path, 'trl.grpo');
    metrics(trlMetrics(run('trl', s, SEQ).trl), ...path, 'trl.metrics');
  });

  it.each([
    ['gspo_eps3e-4_4e-4', 3e-4, 4e-4],
    ['gspo_eps0.2_0.2', 0.2, 0.2],
  ])('GSPO %s', (name, low, high) => {
    const path = ['objectives', name] as const;
    const s = clip('sequence', low, high);
    figure(run('trl', s, SEQ).loss, ...path, 'trl.grpo(paper setup)');
    figure(run('trl', s, TOKEN).loss, ...path, 'trl.dapo(default: length-weighted)');
    figure(run('trl', s, norm(maxLength)).loss, ...path, 'trl.dr_grpo');
    figure(run('trl', s, SUM).loss, ...path, 'trl.luspo');
    metrics(trlMetrics(run('trl', s, SEQ).trl), ...path, 'trl.metrics');
    const v = run('verl', clip('sequence-token', low, high), SEQ);
    figure(v.loss, ...path, 'verl.gspo(seq-mean-token-mean forced)');
    metrics({ 'actor/pg_clipfrac': v.verl?.clipFraction }, ...path, 'verl.metrics(token-weighted)');
  });

  it('GSPO-token and RLOO', () => {
    const token = run('trl', clip('sequence-token', 3e-4, 4e-4), SEQ);
    figure(token.loss, 'objectives', 'gspo_token_eps3e-4_4e-4', 'trl.grpo');
    metrics(
      trlMetrics(token.trl),
      'objectives',
      'gspo_token_eps3e-4_4e-4',
      'trl.metrics(token-weighted)',
    );
    const rloo = run('trl', clip('sequence-sum', 0.2, 0.2), SEQ);
    figure(rloo.loss, 'objectives', 'rloo_seq_unnormalised_eps0.2', 'trl.rloo');
    metrics(trlMetrics(rloo.trl), 'objectives', 'rloo_seq_unnormalised_eps0.2', 'trl.metrics');
  });

  it('CISPO', () => {
    const path = ['objectives', 'cispo'] as const;
    const trl = (max: number) => run('trl', { kind: 'cispo', min: null, max }, TOKEN);
    const verl = (low: number, high: number) =>
      run('verl', { kind: 'cispo', min: 1 - low, max: 1 + high }, TOKEN);
    figure(trl(5).loss, ...path, 'trl.cispo(epsilon_high=5.0)');
    figure(trl(0.2).loss, ...path, 'trl.cispo(default epsilon=0.2 => max weight 0.2)');
    figure(trl(1.2).loss, ...path, 'trl.cispo(epsilon_high=1.2)');
    figure(trl(1.2).trl?.highMean, ...path, 'trl.cispo_clip_ratio(epsilon_high=1.2)');
    figure(verl(10, 0.2).loss, ...path, 'verl.cispo(low=10,high=0.2 recipe)');
    figure(verl(0.2, 0.2).loss, ...path, 'verl.cispo(default 0.2/0.2)');
    figure(verl(10, 0.2).verl?.clipFraction, ...path, 'verl.pg_clipfrac(recipe)');
    figure(verl(0.2, 0.2).verl?.clipFraction, ...path, 'verl.pg_clipfrac(default)');
  });

  it('GMPO', () => {
    const path = ['objectives', 'gmpo'] as const;
    const gmpo = (library: Library, eps: number) =>
      run(library, { kind: 'gmpo', low: eps, high: eps }, SEQ);
    const trl = gmpo('trl', 0.4);
    figure(
      lengths.map((_, i) => trl.weight[offsets[i]]),
      ...path,
      'weights(eps=0.4)',
    );
    figure(trl.loss, ...path, 'trl.gmpo(0.4)');
    metrics(trlMetrics(trl.trl), ...path, 'trl.metrics(0.4)');
    const verl = gmpo('verl', 0.4);
    figure(verl.loss, ...path, 'verl.geo_mean(0.4)');
    figure(gmpo('verl', 0.2).loss, ...path, 'verl.geo_mean(default 0.2)');
    metrics(
      {
        'actor/pg_clipfrac': verl.verl?.clipFraction,
        'actor/pg_clipfrac_lower': verl.verl?.clipFractionLower,
      },
      ...path,
      'verl.metrics(0.4)',
    );
  });

  it('SAPO', () => {
    const path = ['objectives', 'sapo'] as const;
    const s: Surrogate = { kind: 'sapo', tauPositive: 1, tauNegative: 1.05 };
    const trl = run('trl', s, SUM);
    // loss = -f A / n under a mean of sums, so f = -n loss / A
    const gate = trl.tokenLoss.map((loss, t) => {
      const i = lengths.findIndex((_, k) => t < offsets[k + 1]);
      return (-lengths.length * loss) / advantage[i];
    });
    figure(rows(gate), ...path, 'token_gate_f');
    figure(rows(trl.gate), ...path, 'token_grad_gate_4p(1-p)');
    figure(run('trl', s, SEQ).loss, ...path, 'trl.sapo');
    figure(run('verl', s, SEQ).loss, ...path, 'verl.sapo');
  });

  it('VESPO', () => {
    const v = run(
      'trl',
      { kind: 'vespo', kPositive: 2, lambdaPositive: 3, kNegative: 3, lambdaNegative: 2 },
      TOKEN,
    );
    figure(
      lengths.map((_, i) => v.weight[offsets[i]]),
      'objectives',
      'vespo',
      'phi',
    );
    figure(v.loss, 'objectives', 'vespo', 'trl.vespo');
  });

  it('DPPO and DRO', () => {
    const dppo = (divergence: 'tv' | 'kl', eps: number) =>
      run('verl', { kind: 'dppo', divergence, low: eps, high: eps, cap: 3 }, TOKEN);
    const tv = dppo('tv', 0.2);
    figure(tv.loss, 'objectives', 'dppo_tv(0.2,c=3)', 'verl.token-mean');
    figure(tv.verl?.clipFraction, 'objectives', 'dppo_tv(0.2,c=3)', 'verl.pg_clipfrac');
    const kl = dppo('kl', 0.05);
    figure(kl.loss, 'objectives', 'dppo_kl(0.05,c=3)', 'verl.token-mean');
    figure(kl.verl?.clipFraction, 'objectives', 'dppo_kl(0.05,c=3)', 'verl.pg_clipfrac');
    const dro = run('verl', { kind: 'dro', beta: 0.05 }, TOKEN);
    figure(dro.loss, 'objectives', 'dro(beta=0.05)', 'verl.token-mean');
  });

  it('mismatch weights', () => {
    const log = mismatchLogRatio(logpOld, logpSampler);
    const sums = sequenceSums(log, offsets);
    figure(rows(log), 'mismatch', 'token_log_rho');
    figure(rows(log.map(Math.exp)), 'mismatch', 'token_rho');
    figure(sums, 'mismatch', 'seq_log_rho_sum');
    figure(sums.map(Math.exp), 'mismatch', 'seq_rho');
    figure(sequenceMeans(log, offsets).map(Math.exp), 'mismatch', 'geo_rho');
    const weights = (
      level: 'token' | 'sequence',
      outside: 'truncate' | 'mask',
      max: number,
      min = 0,
    ) => mismatchWeights(logpOld, logpSampler, offsets, { level, outside, min, max });
    // The peers applied the weights to the token clip at 0.2/0.2.
    const trl = (m: Float64Array) => run('trl', clip('token', 0.2, 0.2), TOKEN, m).loss;
    figure(
      trl(weights('sequence', 'mask', 3)),
      'mismatch',
      'trl.dapo x sequence_mask(3.0, default)',
    );
    figure(
      trl(weights('sequence', 'truncate', 3)),
      'mismatch',
      'trl.dapo x sequence_truncate(3.0)',
    );
    figure(trl(weights('token', 'truncate', 3)), 'mismatch', 'trl.dapo x token_truncate(3.0)');
    figure(trl(weights('token', 'mask', 3)), 'mismatch', 'trl.dapo x token_mask(3.0)');
    const verl = (m: Float64Array) => run('verl', ppo(0.2, 0.2), TOKEN, m).loss;
    const token = weights('token', 'truncate', 2);
    const sequence = weights('sequence', 'truncate', 2);
    figure(verl(token), 'mismatch', 'verl.token-mean x token TIS(2.0)');
    figure(verl(sequence), 'mismatch', 'verl.token-mean x seq TIS(2.0)');
    figure(
      verl(weights('token', 'mask', 2, 0.5)),
      'mismatch',
      'verl.token-mean x token IcePop(0.5_2.0)',
    );
    figure(
      verlEffectiveSampleSize(token),
      'mismatch',
      'verl.rollout_is_eff_sample_size(token TIS 2.0)',
    );
    figure(
      verlEffectiveSampleSize(sequence),
      'mismatch',
      'verl.rollout_is_eff_sample_size(seq TIS 2.0)',
    );
  });

  it('rejections', () => {
    const keep = (lower: number, upper: number, reading: 'code' | 'documentation') =>
      rejectByMeanK1(logpOld, logpSampler, offsets, lower, upper, reading);
    figure(keep(0.5, 1.5, 'code'), 'mismatch', 'seq_mean_k1 keep (verl, bounds 0.5_1.5)');
    figure(
      keep(0.5, 1.2, 'code'),
      'mismatch',
      'seq_mean_k1 keep, bounds 0.5_1.2: verl code (tests -mean log rho)',
    );
    figure(
      keep(0.5, 1.2, 'documentation'),
      'mismatch',
      'seq_mean_k1 keep, bounds 0.5_1.2: verl docs formula (tests rho_geo)',
    );
    figure(
      offPolicySequenceMask(logpOld, logpNew, offsets, advantage, 0.0005).map(Number),
      'mismatch',
      'trl.opsm keep(delta=0.0005, old used as sampler)',
    );
  });

  it.each([
    ['theta_vs_old', logpOld, logpNew],
    ['old_vs_sampler', logpSampler, logpOld],
  ])('off-policy metrics %s', (name, rollout, training) => {
    const actual: Record<string, unknown> = { ...offPolicyMetrics(rollout, training, offsets) };
    for (const key of Object.keys(at('offpolicy_metrics', name) as object)) {
      figure(actual[key], 'offpolicy_metrics', name, key);
    }
  });

  it('KL estimators', () => {
    const terms = klTerms(logpOld, logpNew);
    for (const k of ['k1', 'k2', 'k3'] as const satisfies (keyof KlTerms)[]) {
      figure(rows(terms[k]), 'kl_old_to_theta', k, 'per_token');
      figure(mean(terms[k]), 'kl_old_to_theta', k, 'token_mean');
      figure(
        mean(sequenceMeans(terms[k], offsets)),
        'kl_old_to_theta',
        k,
        'seq_mean_of_token_mean',
      );
      figure(sequenceSums(terms[k], offsets), 'kl_old_to_theta', k, 'seq_sum');
    }
    const penalty = klTerms(logpNew, logpOld);
    figure(mean(penalty.k1), 'kl_theta_to_ref(ref:=old)', 'k1_token_mean');
    figure(mean(penalty.k2), 'kl_theta_to_ref(ref:=old)', 'k2_token_mean');
    figure(mean(penalty.k3), 'kl_theta_to_ref(ref:=old)', 'k3_token_mean');
    figure(mean(terms.k1), 'actor/ppo_kl');
    expect(chiSquare(terms.k1.map((x) => -x))).toBeCloseTo(1.0306319, 6);
  });

  it('advantages', () => {
    const path = 'advantages_from_rewards[1,0,0.8]';
    const reward = [1, 0, 0.8];
    const from = (rule: 'trl' | 'verl' | 'dr_grpo' | 'rloo') =>
      groupAdvantages(reward, [7, 7, 7], rule);
    const average = mean(reward);
    figure(average, path, 'mean');
    figure(
      Math.sqrt(reward.reduce((sum, r) => sum + (r - average) ** 2, 0) / 2),
      path,
      'std_unbiased',
    );
    figure(from('trl'), path, 'trl(std+1e-4)');
    figure(from('verl'), path, 'verl(std+1e-6)');
    figure(from('dr_grpo'), path, 'dr_grpo(no std)');
    figure(from('rloo'), path, 'rloo');
  });

  afterAll(() => {
    const missed = leaves(cases, '')
      .map((leaf) => leaf.slice(1))
      .filter((leaf) => !visited.has(leaf));
    expect(missed, 'figures without a check').toEqual([]);
  });
});
