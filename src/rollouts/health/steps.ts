/**
 * The figures of each training step, for the chart over steps and for what grows. Contract: steps that files do
 * not name are left out; plain data, smallest step first.
 */
import { Evidence } from './evidence/evidence';
import type { HealthTally } from './evidence/tally';

export interface StepFigures {
  step: number;
  responses: number;
  tokens: number;
  /** KL(sampler || old) by k3, nats per token; null without sampler log-probs */
  samplerKl: number | null;
  /** mean of old / sampler */
  reach: number | null;
  /** root mean square of d_t, nats */
  ratioSize: number;
  /** shares outside the bands */
  tokensOutside: number;
  responsesOutside: number;
  /** effective sample size of rho over n */
  effective: number;
  /** mean of -log pi_old, nats per token */
  nll: number;
  meanReward: number | null;
}

function figuresOf(step: number, e: Evidence): StepFigures {
  const [responses, tokens] = [e.count('responses'), e.count('tokens')];
  const sampled = e.hasSampler();
  const rewarded = e.sum('rewarded');
  return {
    step,
    responses,
    tokens,
    samplerKl: sampled ? e.pairSum('so', 'k3') / tokens : null,
    reach: sampled ? 1 + e.pairSum('so', 'forward') / tokens : null,
    ratioSize: Math.sqrt(e.sum('d2') / tokens),
    tokensOutside: e.count('tokensOutside') / tokens,
    responsesOutside: e.count('responsesOutside') / responses,
    effective: e.tally.weights.rho.effectiveShare(),
    nll: e.sum('nllOld') / tokens,
    meanReward: rewarded > 0 ? e.sum('reward') / rewarded : null,
  };
}

/** Each named step as evidence of its own, smallest first. */
export function stepEvidence({
  steps,
  bands,
}: HealthTally): { step: number; evidence: Evidence }[] {
  return [...steps]
    .flatMap(([step, tally]) =>
      step === null ? [] : [{ step, evidence: new Evidence(tally, bands) }],
    )
    .sort((a, b) => a.step - b.step);
}

export function stepFigures(tally: HealthTally): StepFigures[] {
  return stepEvidence(tally).map(({ step, evidence }) => figuresOf(step, evidence));
}
