/**
 * What a calibration says as a whole: which coverages miss the band, by how much, and how many would do
 * so by chance. Contract: pure; exact binomial probabilities.
 */
import { COVERAGE_BAND, isCalibrated, type ScenarioReport } from './calibrate';
import type { Coverage } from './coverage';

const LEVEL = 0.95;

export interface Miss {
  scenario: string;
  estimator: string;
  coverage: number;
  /** distance to the nearer end of the band; below it negative */
  by: number;
  /** whether its 95 % interval excludes the band, so that chance is no excuse */
  beyondChance: boolean;
}

export interface CalibrationSummary {
  estimators: number;
  inBand: number;
  /** mean over the estimators */
  meanCoverage: number;
  /** how many would lie outside the band if each covered exactly 95 % of the time */
  missesByChance: number;
  misses: Miss[];
}

/** P(hits / n in the band) for hits ~ Binomial(n, p) */
export function chanceInBand(n: number, p: number): number {
  const [low, high] = COVERAGE_BAND;
  let log = n * Math.log1p(-p);
  let inside = 0;
  for (let hits = 0; hits <= n; hits++) {
    // as `isCalibrated` compares, rounding included
    if (hits / n >= low && hits / n <= high) inside += Math.exp(log);
    log += Math.log((n - hits) / (hits + 1)) + Math.log(p / (1 - p));
  }
  return inside;
}

function missOf(scenario: string, c: Coverage): Miss[] {
  const verdict = isCalibrated(c);
  if (verdict === 'yes') return [];
  const { estimator, coverage } = c;
  const [low, high] = COVERAGE_BAND;
  const by = coverage < low ? coverage - low : coverage - high;
  return [{ scenario, estimator, coverage, by, beyondChance: verdict === 'no' }];
}

export function summarise(reports: readonly ScenarioReport[]): CalibrationSummary {
  const all = reports.flatMap(({ scenario, coverage }) =>
    coverage.map((c) => ({ scenario, c })).filter(({ c }) => c.replications > 0),
  );
  const misses = all.flatMap(({ scenario, c }) => missOf(scenario, c));
  return {
    estimators: all.length,
    inBand: all.length - misses.length,
    meanCoverage: all.reduce((sum, { c }) => sum + c.coverage, 0) / all.length,
    missesByChance: all.reduce((sum, { c }) => sum + 1 - chanceInBand(c.replications, LEVEL), 0),
    misses,
  };
}
