/**
 * The health report: what stands out in a set of rollouts before anyone looks at an experiment. Contract:
 * a pure function; each finding carries the figures it rests on and the threshold it was held against.
 * Findings are observations by stated rules, not hypothesis tests; the experiments have the intervals.
 */
import { sequenceCount, tokenCount, withSampler, type Rollouts } from '../rollouts';
import type { Finding } from './finding';
import { clipping, explosion, logRatiosOf, onPolicy } from './ratios';
import { sampler } from './sampler';
import { cut, precision, range, signal } from './values';

export type { Figure, Finding, FindingLevel } from './finding';

export interface HealthReport {
  sequences: number;
  tokens: number;
  groups: number;
  findings: Finding[];
}

/** @param rollouts at least one response, none of them empty */
export function healthReport(rollouts: Rollouts): HealthReport {
  const logRatios = logRatiosOf(rollouts);
  const known = withSampler(rollouts);
  return {
    sequences: sequenceCount(rollouts),
    tokens: tokenCount(rollouts),
    groups: rollouts.prompts.length,
    findings: [
      onPolicy(logRatios),
      clipping(rollouts, logRatios),
      explosion(rollouts, logRatios),
      ...(known ? sampler(known, known.logpSampler) : []),
      range(rollouts),
      precision(rollouts),
      signal(rollouts),
      cut(rollouts),
    ],
  };
}
