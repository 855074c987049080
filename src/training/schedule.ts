/**
 * What a step does that its settings fix beforehand: learning rate, minibatches. Contract: pure;
 * steps count from 0.
 */
import type { RacerSettings, TrainingSettings } from '../settings/training';
import { Random, STREAM } from '../math/philox';

/** Indices 0..n - 1 in random order, cut into minibatches of as equal a size as possible. */
export function minibatchesOf(settings: TrainingSettings, step: number, n: number): number[][] {
  const order = Array.from({ length: n }, (_, i) => i);
  const random = new Random(settings.seed, STREAM.minibatches, step);
  for (let i = n - 1; i > 0; i--) {
    const j = random.integer(i + 1);
    [order[i], order[j]] = [order[j], order[i]];
  }
  const k = settings.minibatches;
  return Array.from({ length: k }, (_, b) =>
    order.slice(Math.floor((b * n) / k), Math.floor(((b + 1) * n) / k)),
  );
}

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
