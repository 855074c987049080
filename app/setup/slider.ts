/**
 * Sliders over ranges that are too wide for even steps. Contract: pure; a position in [0, 1] becomes a
 * value that the field accepts, as text; ends are exact; a value that a position stands for leads
 * back to it.
 */
import type { NumberShape, SliderShape } from '../../src/settings/setting';

/** Where a special 0 ("normal") sits: beyond the upper end. */
const SPECIAL = 0.97;

export function sliderPosition(range: NumberShape, slider: SliderShape, value: number): number {
  const { low, high, zero } = range;
  if (!Number.isFinite(value)) return 0;
  if (zero !== undefined && value === 0) return 1;
  const x = Math.min(high, Math.max(low, value));
  const end = zero === undefined ? 1 : SPECIAL;
  switch (slider) {
    case 'linear':
      return (end * (x - low)) / (high - low);
    case 'log':
      return (end * Math.log(x / low)) / Math.log(high / low);
    case 'square': {
      const root = Math.sign(x) * Math.sqrt(Math.abs(x) / high);
      return low < 0 ? (end * (root + 1)) / 2 : end * root;
    }
    default:
      return slider satisfies never;
  }
}

function raw({ low, high }: NumberShape, slider: SliderShape, share: number): number {
  if (share <= 0) return low;
  if (share >= 1) return high;
  switch (slider) {
    case 'linear':
      return low + share * (high - low);
    case 'log':
      return low * (high / low) ** share;
    case 'square': {
      const root = low < 0 ? 2 * share - 1 : share;
      return Math.sign(root) * root * root * high;
    }
    default:
      return slider satisfies never;
  }
}

export function sliderText(range: NumberShape, slider: SliderShape, position: number): string {
  const { low, high, whole, zero } = range;
  if (zero !== undefined && position > (1 + SPECIAL) / 2) return '0';
  const share = zero === undefined ? position : Math.min(1, position / SPECIAL);
  const value = raw(range, slider, share);
  if (share <= 0 || share >= 1) return String(value);
  const short = slider === 'linear' ? Math.round(value * 100) / 100 : Number(value.toPrecision(2));
  const rounded = whole ? Math.round(short) : short;
  return String(Math.min(high, Math.max(low, rounded)));
}
