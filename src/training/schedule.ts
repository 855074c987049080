/** Learning rates. Contract: pure; steps count from 0. */
import type { RacerSettings, TrainingSettings } from '../link/training';

/** Linear warm-up, then constant, or cosine to zero after the last step. */
export function learningRateAt(
  { schedule, warmupSteps, steps }: TrainingSettings,
  { learningRate }: RacerSettings,
  step: number,
): number {
  const warm = Math.min(1, (step + 1) / (warmupSteps + 1));
  if (schedule === 'constant') return learningRate * warm;
  const done = Math.max(0, step - warmupSteps) / Math.max(1, steps - warmupSteps);
  return learningRate * warm * 0.5 * (1 + Math.cos(Math.PI * done));
}
