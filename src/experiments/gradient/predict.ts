/** The two identities predict no deviation. */
import type { MeasuredGradient } from './measure';

export type PredictedGradient = MeasuredGradient;

export const predictGradient = (measured: MeasuredGradient): PredictedGradient => measured;
