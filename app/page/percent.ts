/** Axes and numbers that are shares. */
import { linearScale, type Scale } from '../charts/scale';
import { percent, significant } from '../format/numbers';

/** Linear from 0 to `high`, ticks in percent. */
export function percentScale(high = 1): Scale {
  const scale = linearScale([0, high], 5);
  return {
    ...scale,
    ticks: scale.ticks.map(({ value }) => ({
      value,
      label: `${Number((value * 100).toFixed(4))} %`,
    })),
  };
}

/** Two decimals of percent; a share too small for them keeps three digits, and none is none. */
export function shareText(share: number): string {
  if (share === 0) return '0 %';
  return Math.abs(share) < 1e-3 ? `${significant(share * 100, 3)} %` : percent(share, 2);
}
