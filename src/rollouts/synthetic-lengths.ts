/**
 * Response lengths of the synthetic source. Contract: minLength <= length <= maxLength; a draw beyond
 * maxLength is cut there and marked so, as a length limit does to a real response.
 *
 *   fixed       maxLength, always
 *   uniform     every length equally likely
 *   geometric   minLength + a geometric count with mean (max - min) / 4; 2 % are cut
 *   log-normal  median sqrt(min max), both limits 2.5 standard deviations away; 0.6 % are cut
 */
import type { Random } from '../math/philox';
import type { SyntheticSource } from '../settings/run';

export function drawLength(
  { lengthShape, minLength, maxLength }: SyntheticSource,
  random: Random,
): { length: number; cut: boolean } {
  const limited = (length: number): { length: number; cut: boolean } => ({
    length: Math.min(maxLength, Math.max(minLength, length)),
    cut: length > maxLength,
  });
  switch (lengthShape) {
    case 'fixed':
      return { length: maxLength, cut: false };
    case 'uniform':
      return limited(minLength + random.integer(maxLength - minLength + 1));
    case 'geometric': {
      const stop = 1 / (1 + (maxLength - minLength) / 4);
      if (stop === 1) return limited(minLength);
      return limited(minLength + Math.floor(Math.log(random.uniform()) / Math.log1p(-stop)));
    }
    case 'log-normal': {
      const sd = Math.log(maxLength / minLength) / 5;
      return limited(
        Math.round(Math.exp(Math.log(minLength * maxLength) / 2 + sd * random.normal())),
      );
    }
  }
}
