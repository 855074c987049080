/**
 * Calibration of estimators that take plain samples: the Pareto shape and the correlation. Contract:
 * replication r is a pure function of r; truths in closed form.
 */
import { Random, STREAM } from '../math/philox';
import {
  addToCluster,
  ClusterBootstrap,
  newClusterSums,
  transformed,
} from '../math/stats/clusters';
import { paretoTail } from '../math/stats/pareto';
import { fisherZ } from '../math/stats/statistics';
import type { Reading } from './coverage';

const PARETO_SHAPES = [0.2, 0.5, 0.9];
const PARETO_SAMPLE = 4000;
const CORRELATIONS = [0, 0.7];
const PROMPTS = 150;
const RESPONSES = 4;

/**
 * Generalised Pareto samples: the exceedances over any threshold are generalised Pareto with the same
 * shape (its defining property), so k-hat has an exact truth.
 */
function paretoReadings(random: Random): Reading[] {
  return PARETO_SHAPES.map((shape) => {
    const logWeights = Float64Array.from({ length: PARETO_SAMPLE }, () =>
      Math.log(Math.expm1(-shape * Math.log(random.uniform())) / shape),
    );
    const { k, standardError } = paretoTail(logWeights);
    return {
      estimator: `Pareto k-hat (k = ${shape})`,
      truth: shape,
      estimate: k,
      interval: [k - 1.96 * standardError, k + 1.96 * standardError],
    };
  });
}

/** Pairs with a given correlation, half of whose variance is shared within a prompt. */
function correlationReadings(random: Random, seed: number): Reading[] {
  return CORRELATIONS.map((truth) => {
    const sums = newClusterSums(PROMPTS, 6);
    const other = Math.sqrt(1 - truth * truth);
    for (let g = 0; g < PROMPTS; g++) {
      const sharedX = random.normal();
      const sharedY = random.normal();
      for (let j = 0; j < RESPONSES; j++) {
        const x = (sharedX + random.normal()) / Math.SQRT2;
        const noise = (sharedY + random.normal()) / Math.SQRT2;
        const y = truth * x + other * noise;
        addToCluster(sums, g, [1, x, y, x * x, x * y, y * y]);
      }
    }
    const { estimate, interval } = transformed(
      new ClusterBootstrap({ seed }).estimate(sums, fisherZ),
      Math.tanh,
    );
    return { estimator: `correlation (r = ${truth})`, truth, estimate, interval };
  });
}

export function sampleReadings(replication: number): Reading[] {
  const random = new Random(replication, STREAM.synthetic, 0xca11b);
  return [...paretoReadings(random), ...correlationReadings(random, replication)];
}
