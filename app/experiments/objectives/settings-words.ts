/**
 * An objective's settings in words: what is clamped and how token losses are averaged. What is clipped and
 * what the weight is stands in the registry.
 * Contract: plain functions of the settings that were used, so the words cannot disagree with the figures.
 */
import type { Aggregation, Clamp } from '../../../src/math/objectives/types';
import { signed } from '../../format/numbers';

const LOG_RATIOS: Record<Clamp['of'], string> = { token: 'log r', sequence: 'log s', sum: 'log ρ' };

/** What the library clamps before it exponentiates, besides the clip range. */
export function clampWords(clamps: readonly Clamp[]): string {
  const words = clamps.map(({ of, low, high }) => {
    const range =
      low === null
        ? `at most ${high}`
        : low === -high
          ? `within ±${high}`
          : `from ${signed(low, 3)} to ${high}`;
    return `${LOG_RATIOS[of]} ${range}`;
  });
  return words.length === 0 ? 'nothing' : words.join(', ');
}

export function aggregationWords(aggregation: Aggregation): string {
  switch (aggregation.kind) {
    case 'token-mean':
      return 'mean over all tokens';
    case 'token-sum':
      return 'sum over all tokens';
    case 'seq-mean-token-mean':
      return 'mean over responses of means over tokens';
    case 'seq-mean-token-sum':
      return 'mean over responses of sums over tokens';
    case 'seq-mean-token-sum-norm':
      return aggregation.length === null
        ? 'sums over tokens / the longest response'
        : `sums over tokens / ${aggregation.length}`;
  }
}
