/**
 * The identity: (prod r_t)^(1/L) = PPL_old / PPL_theta = exp(H_old - H_theta), so every form deviates from
 * exp(mean d_t) by rounding only.
 */
import type { MeasuredEquivalence } from './measure';

/** Of float32 kernels, the bound that they are tested to; of float64. */
const TOLERANCE = { webgpu: 1e-5, cpu: 1e-12 } as const;

export interface PredictedEquivalence extends MeasuredEquivalence {
  /** largest relative deviation that rounding makes */
  tolerance: number;
  /** correlation of the Shannon-entropy change with dH over sequences; null if unknown */
  shannonCorrelation: number | null;
}

export function predictEquivalence(measured: MeasuredEquivalence): PredictedEquivalence {
  const { shannon, kernels } = measured;
  return {
    ...measured,
    tolerance: TOLERANCE[kernels],
    shannonCorrelation:
      shannon && Number.isFinite(shannon.estimate) ? Math.tanh(shannon.estimate) : null,
  };
}
