/**
 * An objective's settings in words: what is clipped and clamped, what the weight is, how token losses are
 * averaged.
 * Contract: plain functions of the settings that were used, so the words cannot disagree with the figures.
 */
import type { Aggregation, Clamp, RatioLevel, Surrogate } from '../../../src/math/objectives/types';
import { signed } from '../../format/numbers';
import { epsilonText } from '../objective-views';

const RATIOS: Record<RatioLevel, string> = {
  token: 'token ratio r',
  sequence: 'sequence weight s',
  'sequence-token': 'sequence weight s, token by token',
  'sequence-sum': 'unnormalised ratio ρ',
};

export function clippedWords(surrogate: Surrogate): string {
  switch (surrogate.kind) {
    case 'clip': {
      const { level, low, high, dual, delta } = surrogate;
      const more = [
        ...(dual === undefined ? [] : [`dual clip at ${dual}`]),
        ...(delta === undefined ? [] : [`ratio capped at ${delta}`]),
      ];
      const band = `${RATIOS[level]}, ε ${epsilonText(low)} / ${epsilonText(high)}`;
      return [band, ...more].join(', ');
    }
    case 'gmpo':
      return `log r at −${surrogate.low} / ${surrogate.high}, before the mean`;
    case 'cispo':
      return `weight r at most ${surrogate.max}${surrogate.min === null ? '' : `, at least ${surrogate.min}`}; gradient stays`;
    case 'dppo':
      return `tokens whose ${surrogate.divergence === 'tv' ? 'total variation' : 'binary KL'} exceeds ${surrogate.low}`;
    case 'sapo':
      return `nothing: soft gate, τ ${surrogate.tauPositive} / ${surrogate.tauNegative}`;
    case 'reinforce':
    case 'vespo':
    case 'dro':
      return 'nothing';
  }
}

export function weightWords(surrogate: Surrogate): string {
  switch (surrogate.kind) {
    case 'clip':
      return surrogate.level === 'token' ? 'r' : surrogate.level === 'sequence-sum' ? 'ρ' : 's';
    case 'gmpo':
      return 'geometric mean of clipped r';
    case 'cispo':
      return 'sg[clamp(r)]';
    case 'sapo':
      return 'r';
    case 'vespo':
      return 'sg[gamma weight of ρ]';
    case 'dppo':
      return `sg[min(r, ${surrogate.cap})]`;
    case 'reinforce':
      return '1';
    case 'dro':
      return `1, minus β d with β ${surrogate.beta}`;
  }
}

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
