/** Checkpoints as a person chooses among them. */
import type { CheckpointInfo } from '../../src/policy/manifest';

const SERIES = { supervised: '', gspo: 'GSPO ', grpo: 'GRPO ', own: '' };

export function checkpointLabel({ id, series, step, loss, accuracy }: CheckpointInfo): string {
  if (series === 'own') return id;
  const nats = loss === null ? '' : ` · ${loss.toFixed(3)} nats`;
  const right = accuracy === null ? '' : ` · ${(accuracy * 100).toFixed(0)} % right`;
  return `${SERIES[series]}step ${step.toLocaleString('en-US')}${nats}${right}`;
}
