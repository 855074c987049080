/**
 * From an interval to a verdict: the one rule of the claims about a number.
 *
 * `fails` when the 95 % interval excludes the prediction; `holds` when it contains the prediction and is
 * narrow enough that a departure of `resolution` would have been seen (half-width at most
 * `resolution`); `too few` otherwise, also where there is no interval. A true prediction is therefore
 * called `fails` in 5 % of the runs, and with enough data any false one is.
 */
import type { Estimate } from '../../math/stats/clusters';
import type { Claim, ExperimentVerdict, Verdicts } from '../experiment';

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
    estimate: Pick<Estimate, 'estimate' | 'interval'> | null;
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

/** Of a slope on log length: how far it may be off and still be called the predicted one. */
export const SLOPE_RESOLUTION = 0.2;

/** A claim about the slope of a logarithm on log length. */
export function slopeClaim(
  claim: Pick<Claim, 'id' | 'claim' | 'n'> & {
    fitted: { slope: number; interval: [number, number] | null } | null;
    prediction: number;
    /** what is regressed on what, one sentence */
    method: string;
  },
): Claim {
  const { fitted, method, ...rest } = claim;
  return numberClaim({
    ...rest,
    nOf: 'lengths',
    estimate: fitted && { estimate: fitted.slope, interval: fitted.interval },
    resolution: SLOPE_RESOLUTION,
    method: `${method} ${BOOTSTRAP_METHOD}`,
  });
}

/** The worst verdict of all: one that fails decides, then one that rests on too little. */
export function worst(verdicts: readonly ExperimentVerdict[]): ExperimentVerdict {
  if (verdicts.includes('fails')) return 'fails';
  return verdicts.length === 0 || verdicts.includes('too few') ? 'too few' : 'holds';
}

/** @param deciding ids of the claims that answer the experiment's question; the others stand beside them */
export function judged(claims: Claim[], deciding: (id: string) => boolean = () => true): Verdicts {
  const answers = claims.filter(({ id }) => deciding(id));
  return { claims, verdict: worst(answers.map(({ verdict }) => verdict)) };
}
