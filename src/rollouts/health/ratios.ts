/**
 * What the health report finds in the ratios of the two policies: whether there are any, what the published
 * bands make of them, and whether the unnormalised weight is of use. One pass over the tokens.
 */
import { chiSquare, effectiveSampleShareOfLogs } from '../../math/diagnostics/divergence';
import { trlClipStatistics } from '../../math/objectives/clip-statistics';
import { GRPO_BAND, GSPO_BAND, type RatioLevel } from '../../math/objectives/registry';
import type { Rollouts } from '../rollouts';
import { largest, number, percent, share, type Figure, type Finding } from './finding';

/** Largest |d_t| that still counts as "all ratios are 1": float32 rounding of log-probs below 100 nats. */
const ON_POLICY_LIMIT = 1e-5;
/** Share outside the band from which on one calls it always active. A clip needs the sign of A as well. */
const ALWAYS_OUTSIDE = 0.9;
/** Effective sample size over n below which weights are unusable in practice. */
const POOR_SAMPLE = 0.1;
/** From here on most responses are worth something. */
const FAIR_SAMPLE = 0.5;
/** Longest and shortest third are compared where they are this far apart in length. */
const LENGTH_CONTRAST = 1.5;

/** What is known of d_t without keeping them: a million values more would cost more than all the rest. */
export interface LogRatios {
  largest: number;
  zero: number;
  /** shares of tokens */
  outsideGrpo: number;
  /** [n] */
  sums: Float64Array;
  means: Float64Array;
}

export function logRatiosOf({ logpOld, logpNew, offsets }: Rollouts): LogRatios {
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

export function onPolicy({ largest: max, zero }: LogRatios): Finding {
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

export function clipping(rollouts: Rollouts, { outsideGrpo, means }: LogRatios): Finding {
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

/** Whether so few responses carry the weight that an estimate from them is worth little. */
export function isPoor(effectiveShare: number, n: number): boolean {
  // Of a handful of responses even one is more than a tenth.
  const least = Math.max(POOR_SAMPLE * n, Math.min(2, n / 2));
  return !(effectiveShare * n >= least);
}

interface Third {
  lengths: [number, number];
  /** root mean square of log rho: drift and spread alike */
  size: number;
}

function third(members: readonly number[], lengths: Uint32Array, sums: Float64Array): Third {
  const squares = members.reduce((sum, i) => sum + (sums[i] as number) ** 2, 0);
  return {
    lengths: [lengths[members[0] as number] as number, lengths[members.at(-1) as number] as number],
    size: Math.sqrt(squares / members.length),
  };
}

/** The shortest and the longest third of the responses; null where lengths hardly differ. */
function thirds(offsets: Uint32Array, sums: Float64Array): [Third, Third] | null {
  const n = sums.length;
  const lengths = Uint32Array.from(sums, (_, i) => (offsets[i + 1] ?? 0) - (offsets[i] ?? 0));
  const order = Array.from(lengths, (_, i) => i).sort(
    (a, b) => (lengths[a] as number) - (lengths[b] as number) || a - b,
  );
  const size = Math.floor(n / 3);
  if (size < 3) return null;
  const short = third(order.slice(0, size), lengths, sums);
  const long = third(order.slice(-size), lengths, sums);
  return long.lengths[0] >= LENGTH_CONTRAST * short.lengths[1] ? [short, long] : null;
}

function lengthFigures(byLength: [Third, Third] | null): Figure[] {
  return (byLength ?? []).map(({ lengths: [from, to], size }, i) =>
    number(
      `root mean square of log rho, ${i === 0 ? 'shortest' : 'longest'} third (L ${from} to ${to})`,
      size,
    ),
  );
}

export function explosion({ offsets }: Rollouts, { sums, means }: LogRatios): Finding {
  const n = sums.length;
  const rho = effectiveSampleShareOfLogs(sums);
  const byLength = thirds(offsets, sums);
  const figures = [
    percent('effective sample size of rho over n', rho),
    percent('effective sample size of s over n', effectiveSampleShareOfLogs(means)),
    number('largest |log rho|', largest(sums)),
    number('largest |log s|', largest(means)),
    number('chi-square of rho', chiSquare(sums)),
    ...lengthFigures(byLength),
  ];
  const withLength =
    byLength === null
      ? 'Lengths differ too little here to tell what of it they make.'
      : byLength[1].size > LENGTH_CONTRAST * byLength[0].size
        ? 'It grows with length: log rho is a sum over tokens.'
        : 'It does not grow with length here: a few tokens or prompts make it, not the sum.';
  if (isPoor(rho, n)) {
    return {
      id: 'explosion',
      level: 'warning',
      title: 'Unnormalised sequence ratios explode',
      detail: `A few responses carry all of the weight rho = exp(sum d); compare the length-normalised s. ${withLength}`,
      figures,
    };
  }
  const fair = rho >= FAIR_SAMPLE;
  return {
    id: 'explosion',
    level: fair ? 'fine' : 'note',
    title: fair
      ? 'Unnormalised sequence ratios are usable'
      : 'Unnormalised sequence ratios waste responses',
    detail: fair
      ? 'The effective sample size of rho = exp(sum d) is a fair part of the responses.'
      : `Weighted by rho = exp(sum d), fewer than half of the responses count. ${withLength}`,
    figures,
  };
}
