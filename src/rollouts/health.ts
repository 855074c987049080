/**
 * The health report: what stands out in a set of rollouts before anyone looks at an experiment. Contract:
 * a pure function; each finding carries the figures it rests on and the threshold it was held against.
 * Findings are observations by stated rules, not hypothesis tests; the experiments have the intervals.
 */
import {
  chiSquare,
  effectiveSampleShare,
  klTerms,
  mean,
  sequenceSums,
} from '../math/diagnostics/divergence';
import { trlClipStatistics } from '../math/objectives/clip-statistics';
import { GRPO_BAND, GSPO_BAND } from '../math/objectives/registry';
import type { RatioLevel } from '../math/objectives/types';
import { sequenceCount, tokenCount, type FloatArray, type Rollouts } from './rollouts';

export type FindingLevel = 'fine' | 'note' | 'warning';

export interface Figure {
  label: string;
  value: number;
  /** how to print it: a share in percent, a count, or a number */
  as: 'share' | 'count' | 'number';
}

export interface Finding {
  id:
    | 'on-policy'
    | 'clipping'
    | 'explosion'
    | 'sampler'
    | 'truncation'
    | 'precision'
    | 'signal'
    | 'cut';
  level: FindingLevel;
  title: string;
  detail: string;
  figures: Figure[];
}

export interface HealthReport {
  sequences: number;
  tokens: number;
  groups: number;
  findings: Finding[];
}

/** Largest |d_t| that still counts as "all ratios are 1": float32 rounding of log-probs below 100 nats. */
const ON_POLICY_LIMIT = 1e-5;
/** Share outside the band from which on one calls it always active. A clip needs the sign of A as well. */
const ALWAYS_OUTSIDE = 0.9;
/** Effective sample size over n below which weights are unusable in practice. */
const POOR_SAMPLE = 0.1;
/** nats per token between sampler and trainer that deserve attention (KL, k3). */
const SAMPLER_KL_LIMIT = 1e-3;
/** A truncating sampler raises every token's log-prob: share of tokens raised, and by how much on average. */
const RAISED_SHARE = 0.98;
const RAISED_MEAN = 1e-3;
/** Share of values on a coarse grid that gives the grid away. */
const ON_GRID = 0.99;
const GRID_SAMPLE = 20_000;

const percent = (label: string, value: number): Figure => ({ label, value, as: 'share' });
const number = (label: string, value: number): Figure => ({ label, value, as: 'number' });
const count = (label: string, value: number): Figure => ({ label, value, as: 'count' });

function share(values: ArrayLike<number>, test: (x: number) => boolean): number {
  let hits = 0;
  for (let i = 0; i < values.length; i++) if (test(values[i] as number)) hits++;
  return values.length === 0 ? 0 : hits / values.length;
}

function largest(values: ArrayLike<number>): number {
  let max = 0;
  for (let i = 0; i < values.length; i++) max = Math.max(max, Math.abs(values[i] as number));
  return max;
}

/** What is known of d_t without keeping them: a million values more would cost more than all the rest. */
interface LogRatios {
  largest: number;
  zero: number;
  /** shares of tokens */
  outsideGrpo: number;
  /** [n] */
  sums: Float64Array;
  means: Float64Array;
}

function logRatiosOf({ logpOld, logpNew, offsets }: Rollouts): LogRatios {
  const n = offsets.length - 1;
  const tokens = logpOld.length;
  const sums = new Float64Array(n);
  const means = new Float64Array(n);
  const [below, above] = edges(GRPO_BAND);
  let max = 0;
  let zeros = 0;
  let outsiders = 0;
  for (let i = 0; i < n; i++) {
    const from = offsets[i] as number;
    const to = offsets[i + 1] as number;
    let sum = 0;
    for (let t = from; t < to; t++) {
      const d = (logpNew[t] as number) - (logpOld[t] as number);
      sum += d;
      if (d === 0) zeros++;
      if (d < below || d > above) outsiders++;
      max = Math.max(max, Math.abs(d));
    }
    sums[i] = sum;
    means[i] = sum / (to - from);
  }
  return { largest: max, zero: zeros / tokens, outsideGrpo: outsiders / tokens, sums, means };
}

function onPolicy({ largest: max, zero }: LogRatios): Finding {
  const still = max <= ON_POLICY_LIMIT;
  return {
    id: 'on-policy',
    level: still ? 'warning' : 'fine',
    title: still ? 'All ratios are 1' : 'The policies differ',
    detail: still
      ? 'Old and new log-probs agree to rounding: this is on-policy data, every objective reduces to REINFORCE and nothing can be learned about clipping. Log the new log-probs after at least one update.'
      : 'Old and new log-probs differ, so ratios carry information.',
    figures: [number('largest |log ratio|', max), percent('tokens with ratio exactly 1', zero)],
  };
}

function clipShare(
  rollouts: Rollouts,
  level: RatioLevel,
  band: { low: number; high: number },
): number {
  const { low, high } = band;
  return trlClipStatistics({ kind: 'clip', level, low, high }, rollouts)?.regionMean ?? 0;
}

/** Of log-ratios. */
const edges = ({ low, high }: { low: number; high: number }) =>
  [Math.log1p(-low), Math.log1p(high)] as const;

/** Share of ratios outside the band, whatever the sign of the advantage. */
function outside(log: Float64Array, band: { low: number; high: number }): number {
  const [below, above] = edges(band);
  return share(log, (x) => x < below || x > above);
}

function clipping(rollouts: Rollouts, { outsideGrpo, means }: LogRatios): Finding {
  const grpo = clipShare(rollouts, 'token', GRPO_BAND);
  const gspo = clipShare(rollouts, 'sequence', GSPO_BAND);
  const outsideGspo = outside(means, GSPO_BAND);
  const figures = [
    percent(`GRPO, tokens clipped at ${GRPO_BAND.low}`, grpo),
    percent(`GSPO, responses clipped at ${GSPO_BAND.low}/${GSPO_BAND.high}`, gspo),
    percent('token ratios outside the GRPO band', outsideGrpo),
    percent('sequence weights outside the GSPO band', outsideGspo),
  ];
  if (grpo === 0 && gspo === 0) {
    return {
      id: 'clipping',
      level: 'note',
      title: 'Clipping is never active',
      detail: 'Neither band clips anything here: with these updates the clip range has no effect.',
      figures,
    };
  }
  if (outsideGrpo > ALWAYS_OUTSIDE || outsideGspo > ALWAYS_OUTSIDE) {
    return {
      id: 'clipping',
      level: 'warning',
      title: 'Clipping is nearly always active',
      detail: `More than ${ALWAYS_OUTSIDE * 100} % of the ratios lie outside a published band: whether a response counts is decided by the sign of its advantage and of its ratio, hardly by their size. The band is too narrow for the distance between these policies.`,
      figures,
    };
  }
  return {
    id: 'clipping',
    level: 'fine',
    title: 'Clipping is active for some',
    detail: 'The published bands clip part of the data.',
    figures,
  };
}

function explosion({ sums, means }: LogRatios): Finding {
  const rho = effectiveSampleShare(sums.map(Math.exp));
  const s = effectiveSampleShare(means.map(Math.exp));
  const poor = rho < POOR_SAMPLE;
  return {
    id: 'explosion',
    level: poor ? 'warning' : rho < 0.5 ? 'note' : 'fine',
    title: poor
      ? 'Unnormalised sequence ratios explode'
      : 'Unnormalised sequence ratios are usable',
    detail: poor
      ? `A few responses carry all of the weight rho = exp(sum d): its effective sample size is below ${POOR_SAMPLE * 100} % of the responses, while the length-normalised s keeps its own. Sums over tokens grow with length.`
      : 'The effective sample size of rho = exp(sum d) is a fair part of the responses.',
    figures: [
      percent('effective sample size of rho over n', rho),
      percent('effective sample size of s over n', s),
      number('largest |log rho|', largest(sums)),
      number('largest |log s|', largest(means)),
      number('chi-square of rho', chiSquare(sums)),
    ],
  };
}

function sampler(rollouts: Rollouts, logpSampler: FloatArray): Finding[] {
  const { k1, k3 } = klTerms(logpSampler, rollouts.logpOld);
  const kl = mean(k3);
  const sums = sequenceSums(k1, rollouts.offsets);
  const ess = effectiveSampleShare(sums.map((x) => Math.exp(-x)));
  const apart = kl > SAMPLER_KL_LIMIT;
  // Sampling from the renormalised nucleus adds -log(kept mass) >= 0 to every token, never less than 0.
  const shift = mean(k1);
  const raised = share(k1, (x) => x >= 0);
  const truncated = raised >= RAISED_SHARE && shift > RAISED_MEAN;
  return [
    {
      id: 'sampler',
      level: apart ? 'warning' : 'fine',
      title: apart ? 'Sampler and trainer disagree' : 'Sampler and trainer agree',
      detail: apart
        ? `KL(sampler || old) is above ${SAMPLER_KL_LIMIT} nats per token: other precision, another engine, another temperature or stale weights. Consider mismatch weights.`
        : `KL(sampler || old) is at most ${SAMPLER_KL_LIMIT} nats per token.`,
      figures: [
        number('KL(sampler || old), k3, nats per token', kl),
        number('mean log sampler - log old', shift),
        percent('effective sample size of sequence weights over n', ess),
      ],
    },
    {
      id: 'truncation',
      level: truncated ? 'warning' : 'fine',
      title: truncated
        ? 'The sampler looks truncated (top-p, top-k or min-p)'
        : 'No sign of a truncating sampler',
      detail: truncated
        ? "Nearly every token is more probable under the sampler than under the old policy, never less: the signature of renormalising after cutting the tail. The sampler's log-probs are those of another distribution than the trainer's."
        : 'Differences between sampler and old policy go both ways, or are negligible.',
      figures: [
        percent('tokens at least as probable under the sampler', raised),
        number('mean shift, nats', shift),
      ],
    },
  ];
}

const bits = new DataView(new ArrayBuffer(4));
/** True for a value that bfloat16 holds exactly. */
function isBf16(x: number): boolean {
  if (Math.fround(x) !== x) return false;
  bits.setFloat32(0, x);
  return bits.getUint16(2) === 0;
}

function precision(rollouts: Rollouts): Finding {
  // A grid shows in any sample; the first tokens of a large file are enough.
  const informative = rollouts.logpNew.subarray(0, GRID_SAMPLE).filter((x) => x !== 0);
  const bf16 = share(informative, isBf16);
  const decimals = [2, 3, 4, 5].find(
    (k) =>
      share(informative, (x) => Math.abs(x * 10 ** k - Math.round(x * 10 ** k)) < 1e-6) > ON_GRID,
  );
  const coarse = informative.length > 0 && (bf16 > ON_GRID || decimals !== undefined);
  const figures = [percent('new log-probs that bfloat16 holds exactly', bf16)];
  if (decimals !== undefined) figures.push(count('decimals', decimals));
  return {
    id: 'precision',
    level: coarse ? 'warning' : 'fine',
    title: coarse ? 'Log-probs are rounded coarsely' : 'Log-probs have enough digits',
    detail: coarse
      ? "GSPO's band is a few times 1e-4 wide; rounding to bfloat16 or to five or fewer decimals can move a response across it. Write float32 or at least six decimals (see the precision experiment)."
      : 'No coarse grid found in the log-probs.',
    figures,
  };
}

function signal(rollouts: Rollouts): Finding {
  const zero = share(rollouts.advantage, (a) => a === 0);
  const unknown = share(rollouts.reward, Number.isNaN);
  const flat = zero > 0.5;
  const figures = [percent('responses with advantage 0', zero)];
  if (unknown > 0) figures.push(percent('responses without a reward', unknown));
  return {
    id: 'signal',
    level: flat ? 'warning' : 'fine',
    title: flat ? 'Most responses carry no signal' : 'Advantages carry signal',
    detail: flat
      ? 'More than half of the advantages are 0 (groups in which every response got the same reward): they take part in denominators but not in gradients.'
      : 'Less than half of the advantages are 0.',
    figures,
  };
}

function cut(rollouts: Rollouts): Finding {
  const open = share(rollouts.finished, (x) => x === 0);
  return {
    id: 'cut',
    level: open > 0.1 ? 'note' : 'fine',
    title: open > 0.1 ? 'Many responses were cut at the length limit' : 'Few responses were cut',
    detail:
      'A cut response has the longest length by construction; length curves mix its effect with that of length.',
    figures: [percent('responses cut at the limit', open)],
  };
}

/** @param rollouts at least one response, none of them empty */
export function healthReport(rollouts: Rollouts): HealthReport {
  const logRatios = logRatiosOf(rollouts);
  return {
    sequences: sequenceCount(rollouts),
    tokens: tokenCount(rollouts),
    groups: rollouts.prompts.length,
    findings: [
      onPolicy(logRatios),
      clipping(rollouts, logRatios),
      explosion(logRatios),
      ...(rollouts.logpSampler ? sampler(rollouts, rollouts.logpSampler) : []),
      precision(rollouts),
      signal(rollouts),
      cut(rollouts),
    ],
  };
}
