/**
 * Runs the calibration. Contract: deterministic for given replications; progress is reported after
 * every replication, so that a caller can print and estimate.
 */
import { CoverageTally, VerdictTally, type Coverage } from './coverage';
import { sampleReadings } from './samples';
import { replicate, SCENARIOS, type Scenario } from './scenarios';

/** Nominal 95 % intervals are called calibrated when their coverage lies in here. */
export const COVERAGE_BAND: readonly [number, number] = [0.93, 0.97];

export interface ScenarioReport {
  scenario: string;
  coverage: Coverage[];
  verdicts: VerdictTally;
}

export async function calibrateScenario(
  scenario: Scenario,
  replications: number,
  onReplication: () => void = () => {},
): Promise<ScenarioReport> {
  const coverage = new CoverageTally();
  const verdicts = new VerdictTally();
  for (let r = 1; r <= replications; r++) {
    const replication = await replicate(scenario, r);
    for (const reading of replication.readings) coverage.add(reading);
    for (const { name, verdict } of replication.verdicts) verdicts.add(name, verdict);
    onReplication();
  }
  return { scenario: scenario.name, coverage: coverage.summary(), verdicts };
}

export function calibrateSamples(
  replications: number,
  onReplication: () => void = () => {},
): ScenarioReport {
  const coverage = new CoverageTally();
  for (let r = 1; r <= replications; r++) {
    for (const reading of sampleReadings(r)) coverage.add(reading);
    onReplication();
  }
  return { scenario: SAMPLES, coverage: coverage.summary(), verdicts: new VerdictTally() };
}

export const SAMPLES = 'plain samples';
export const SCENARIO_NAMES: readonly string[] = [...SCENARIOS.map(({ name }) => name), SAMPLES];

/**
 * @param names of SCENARIO_NAMES; others are ignored
 * @returns one report after the other, as each scenario is done
 */
export async function* calibrateAll(
  replications: number,
  names: readonly string[] = SCENARIO_NAMES,
  onProgress: (done: number, total: number, what: string) => void = () => {},
): AsyncGenerator<ScenarioReport, void, undefined> {
  const scenarios = SCENARIOS.filter(({ name }) => names.includes(name));
  const withSamples = names.includes(SAMPLES);
  const total = (scenarios.length + (withSamples ? 1 : 0)) * replications;
  let done = 0;
  for (const scenario of scenarios) {
    yield await calibrateScenario(scenario, replications, () =>
      onProgress(++done, total, scenario.name),
    );
  }
  if (withSamples) {
    yield calibrateSamples(replications, () => onProgress(++done, total, SAMPLES));
  }
}

/** Inside the band, or off it by less than the replications can tell. */
export function isCalibrated({ coverage, coverageInterval }: Coverage): 'yes' | 'unclear' | 'no' {
  const [low, high] = COVERAGE_BAND;
  if (coverage >= low && coverage <= high) return 'yes';
  return coverageInterval[1] < low || coverageInterval[0] > high ? 'no' : 'unclear';
}
