/**
 * Verdicts (`shared/verdict.ts`): a number fails when its 95 % interval excludes the prediction, holds when it
 * contains it and is narrow enough, else too few.
 */
import type { Claim, Verdicts } from '../experiment';
import { BOOTSTRAP_METHOD, judged, numberClaim } from '../shared/verdict';
import type { WeightMeasurement } from '../shared/weight-curve';
import type { PredictedWeights } from './predict';

const KURTOSIS_RESOLUTION = 0.5;
const SHARE_RESOLUTION = 0.1;
const PARETO_RESOLUTION = 0.35;

export function weightsClaims({
  sequences,
  prefix: { points: prefixes },
  excessKurtosis: kurtosis,
  usableLength,
  usableLengthInterval,
  predictedUsableLength: usable,
}: PredictedWeights): Verdicts {
  const last = prefixes.at(-1);
  const rho = last?.unnormalised;
  const s = last?.sequence;
  const at = last ? ` at ${last.length} tokens` : '';
  const n = last?.sequences ?? 0;
  const shareClaim = (id: string, name: string, own: WeightMeasurement | undefined): Claim =>
    numberClaim({
      id,
      claim: `The effective sample size of ${name} over n is that of a log-normal${at}.`,
      prediction: own?.predictedShare ?? NaN,
      estimate: own
        ? {
            estimate: own.effectiveShare,
            interval: own.shareInterval,
          }
        : null,
      n,
      nOf: 'sequences',
      resolution: SHARE_RESOLUTION,
      method: `(sum w)^2 / (n sum w^2) over prefixes of equal length. ${BOOTSTRAP_METHOD}`,
    });
  return judged([
    numberClaim({
      id: 'weights.kurtosis',
      claim: 'The log weight is normal once its length is taken out: excess kurtosis 0.',
      prediction: 0,
      estimate: kurtosis,
      n: sequences,
      nOf: 'sequences',
      resolution: KURTOSIS_RESOLUTION,
      method: `Excess kurtosis of sqrt(L) (log s - mean). ${BOOTSTRAP_METHOD}`,
    }),
    shareClaim('weights.sequence-share', 's', s),
    shareClaim('weights.unnormalised-share', 'the unnormalised weight', rho),
    numberClaim({
      id: 'weights.usable-length',
      claim: `The unnormalised weight wastes half of the responses from ln 2 / sigma^2 tokens on.`,
      prediction: usable,
      estimate:
        usableLength === null
          ? null
          : {
              estimate: usableLength,
              interval: usableLengthInterval,
            },
      n: prefixes.length,
      nOf: 'lengths',
      resolution: usable / 2,
      method:
        'Length at which its effective share falls under 0.5; the interval is where the ends of the ' +
        "shares' 95 % intervals do.",
    }),
    numberClaim({
      id: 'weights.pareto',
      claim: `The tail of the unnormalised weight is that of a log-normal${at} (Pareto k-hat).`,
      prediction: rho?.predictedParetoK ?? NaN,
      estimate: rho
        ? {
            estimate: rho.pareto.k,
            interval: Number.isFinite(rho.pareto.k)
              ? [
                  rho.pareto.k - 1.96 * rho.pareto.standardError,
                  rho.pareto.k + 1.96 * rho.pareto.standardError,
                ]
              : null,
          }
        : null,
      n: rho?.pareto.tail ?? 0,
      nOf: 'sequences',
      resolution: PARETO_RESOLUTION,
      method:
        'Generalised Pareto fit to the largest weights (Zhang & Stephens 2009), asymptotic interval ' +
        'for independent responses.',
    }),
  ]);
}
