/**
 * What the papers say of training: GSPO clips two orders of magnitude more than GRPO (Zheng et al. 2025), and
 * the variance of a step's log weights is that of independent tokens. Of the rest only the sign is predicted.
 */
import type { MeasuredRace } from './measure';

export interface PredictedRace extends MeasuredRace {
  clipOrders: number;
  spread: number;
  varianceRatio: number;
}

export function predictRace(measured: MeasuredRace): PredictedRace {
  return { ...measured, clipOrders: 2, spread: 0, varianceRatio: 1 };
}
