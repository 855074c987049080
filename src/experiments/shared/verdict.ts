/**
 * From an interval to a verdict: the one rule of the claims about a number.
 *
 * `fails` when the 95 % interval excludes the prediction; `holds` when it contains the prediction and is
 * narrow enough that a departure of `resolution` would have been seen (half-width at most
 * `resolution`); `too few` otherwise, also where there is no interval. A true prediction is therefore
 * called `fails` in 5 % of the runs, and with enough data any false one is.
 */
import type { Estimate } from '../../math/stats/clusters';
import type { Claim, ExperimentVerdict } from '../experiment';

/** @param resolution on the scale of the interval */
export function verdictOf(
  interval: readonly [number, number] | null,
  prediction: number,
  resolution: number,
): ExperimentVerdict {
  if (!interval) return 'too few';
  const [low, high] = interval;
  if (low > prediction || high < prediction) return 'fails';
  return (high - low) / 2 <= resolution ? 'holds' : 'too few';
}

/** A claim about one number, judged by `verdictOf`. */
export function numberClaim(
  claim: Pick<Claim, 'id' | 'claim' | 'n' | 'nOf'> & {
    prediction: number;
    estimate: Estimate | null;
    resolution: number;
    /** how the interval was made, one sentence */
    method: string;
  },
): Claim {
  const { id, claim: sentence, n, nOf, prediction, estimate, resolution, method } = claim;
  const interval = estimate?.interval ?? null;
  return {
    id,
    claim: sentence,
    prediction: Number.isFinite(prediction) ? prediction : null,
    measured: estimate && Number.isFinite(estimate.estimate) ? estimate.estimate : null,
    interval,
    n,
    nOf,
    verdict: Number.isFinite(prediction) ? verdictOf(interval, prediction, resolution) : 'too few',
    rule:
      `${method} Fails when the 95 % interval excludes the prediction; holds when it contains it and ` +
      `its half-width is at most ${Number(resolution.toPrecision(3))}; otherwise too few.`,
  };
}

export const BOOTSTRAP_METHOD = '95 % interval by studentised bootstrap over prompts.';
