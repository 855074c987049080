/**
 * Verdicts (`shared/verdict.ts`): fails when the 95 % interval excludes the prediction, holds when it contains
 * it and is no wider than the resolution on either side, else too few. The page's verdict, independence as a
 * whole, fails when the autocorrelation or the ICC does, holds when both hold, by 97.5 % intervals: two
 * questions are asked at once, and with 95 % intervals one clean run in ten would be called dependent
 * (Bonferroni). Which law: each is held to its level (1) and its tilt over log length (0), on natural lengths.
 */
import type { Claim, ExperimentVerdict, Verdicts } from '../experiment';
import { BOOTSTRAP_METHOD, numberClaim, verdictOf, worst } from '../shared/verdict';
import type { LawCheck } from './measure';
import type { PredictedDependence } from './predict';

const LEVEL_RESOLUTION = 0.2;
const TILT_RESOLUTION = 0.2;
const CORRELATION_RESOLUTION = 0.1;

export interface DependenceVerdicts extends Verdicts {
  which: 'naive' | 'corrected' | 'both' | 'neither' | 'too few';
}

export function dependenceClaims(predicted: PredictedDependence): DependenceVerdicts {
  const { natural, joint } = predicted;
  return {
    claims: claimsOf(predicted),
    verdict: worst([
      verdictOf(joint.neighbours, 0, CORRELATION_RESOLUTION),
      verdictOf(joint.icc, 0, CORRELATION_RESOLUTION),
    ]),
    which: whichLaw(lawVerdict(natural.naive), lawVerdict(natural.corrected)),
  };
}

function lawVerdict({ level, tilt }: LawCheck): ExperimentVerdict {
  return worst([
    verdictOf(level?.interval ?? null, 1, LEVEL_RESOLUTION),
    verdictOf(tilt?.interval ?? null, 0, TILT_RESOLUTION),
  ]);
}

function whichLaw(
  naive: ExperimentVerdict,
  corrected: ExperimentVerdict,
): DependenceVerdicts['which'] {
  if (naive === 'too few' || corrected === 'too few') return 'too few';
  if (naive === 'holds') return corrected === 'holds' ? 'both' : 'naive';
  return corrected === 'holds' ? 'corrected' : 'neither';
}

function claimsOf({
  lags: points,
  integratedAutocorrelation: integrated,
  intraclassCorrelation: icc,
  natural,
  prompts,
  tokens,
}: PredictedDependence): Claim[] {
  const first = points[0];
  const sequences = natural.points.reduce((sum, point) => sum + point.sequences, 0);
  const law = (which: 'naive' | 'corrected', sentence: string): Claim[] => [
    numberClaim({
      id: `dependence.${which}`,
      claim: `Var[log s] is ${sentence}.`,
      prediction: 1,
      estimate: natural[which].level,
      n: sequences,
      nOf: 'sequences',
      resolution: LEVEL_RESOLUTION,
      method: `Measured over predicted variance, geometric mean over lengths. ${BOOTSTRAP_METHOD}`,
    }),
    numberClaim({
      id: `dependence.${which}-tilt`,
      claim: `Var[log s] follows the length as ${sentence} does.`,
      prediction: 0,
      estimate: natural[which].tilt,
      n: natural.points.length,
      nOf: 'lengths',
      resolution: TILT_RESOLUTION,
      method: `Slope of log(measured / predicted) on log length. ${BOOTSTRAP_METHOD}`,
    }),
  ];
  return [
    numberClaim({
      id: 'dependence.autocorrelation',
      claim: 'Neighbouring token log-ratios are uncorrelated.',
      prediction: 0,
      estimate: first
        ? {
            estimate: first.autocorrelation,
            interval: first.interval,
          }
        : null,
      n: tokens,
      nOf: 'tokens',
      resolution: CORRELATION_RESOLUTION,
      method: `Autocorrelation at lag 1. ${BOOTSTRAP_METHOD}`,
    }),
    numberClaim({
      id: 'dependence.effective-length',
      claim: 'A response is worth as many independent tokens as it has: L_eff = L.',
      prediction: 1,
      estimate: integrated,
      n: tokens,
      nOf: 'tokens',
      resolution: LEVEL_RESOLUTION,
      method: `L / L_eff = 1 + 2 sum rho_k over the automatic window. ${BOOTSTRAP_METHOD}`,
    }),
    numberClaim({
      id: 'dependence.icc',
      claim: 'Responses to one prompt are independent: their log weights share no prompt effect.',
      prediction: 0,
      estimate: icc,
      n: prompts,
      nOf: 'prompts',
      resolution: CORRELATION_RESOLUTION,
      method: `Intraclass correlation of log s, one-way analysis of variance. ${BOOTSTRAP_METHOD}`,
    }),
    ...law('naive', 'sigma^2/L, the law of independent tokens'),
    ...law(
      'corrected',
      'sigma^2/L (1 + 2 sum (1 - k/L) rho_k) + tau^2, the law corrected for dependence',
    ),
  ];
}
