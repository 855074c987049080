/**
 * Sliders over ranges that are too wide for even steps. Contract: pure; a position in [0, 1] becomes a
 * value that the field accepts, as text; ends are exact; a value that a position stands for leads
 * back to it.
 */
import type { FieldSpec, SyntheticField } from './fields';

/** even steps; even ratios; finer and finer towards 0 */
export type SliderShape = 'linear' | 'log' | 'square';

export const SYNTHETIC_SLIDERS = {
  prompts: 'log',
  groupSize: 'log',
  minLength: 'log',
  maxLength: 'log',
  mu: 'square',
  sigma: 'square',
  rho: 'linear',
  tau: 'square',
  tailDegrees: 'log',
  drift: 'log',
} as const satisfies Record<Exclude<SyntheticField, 'seed'>, SliderShape>;

/** Where a special 0 ("normal") sits: beyond the upper end. */
const SPECIAL = 0.97;

export function sliderPosition(
  field: FieldSpec<string>,
  shape: SliderShape,
  value: number,
): number {
  const { low, high, zeroMeans } = field;
  if (!Number.isFinite(value)) return 0;
  if (zeroMeans !== undefined && value === 0) return 1;
  const x = Math.min(high, Math.max(low, value));
  const end = zeroMeans === undefined ? 1 : SPECIAL;
  switch (shape) {
    case 'linear':
      return (end * (x - low)) / (high - low);
    case 'log':
      return (end * Math.log(x / low)) / Math.log(high / low);
    case 'square': {
      const root = Math.sign(x) * Math.sqrt(Math.abs(x) / high);
      return low < 0 ? (end * (root + 1)) / 2 : end * root;
    }
    default:
      return shape satisfies never;
  }
}

function raw({ low, high }: FieldSpec<string>, shape: SliderShape, share: number): number {
  if (share <= 0) return low;
  if (share >= 1) return high;
  switch (shape) {
    case 'linear':
      return low + share * (high - low);
    case 'log':
      return low * (high / low) ** share;
    case 'square': {
      const root = low < 0 ? 2 * share - 1 : share;
      return Math.sign(root) * root * root * high;
    }
    default:
      return shape satisfies never;
  }
}

export function sliderText(field: FieldSpec<string>, shape: SliderShape, position: number): string {
  const { low, high, whole, zeroMeans } = field;
  if (zeroMeans !== undefined && position > (1 + SPECIAL) / 2) return '0';
  const share = zeroMeans === undefined ? position : Math.min(1, position / SPECIAL);
  const value = raw(field, shape, share);
  if (share <= 0 || share >= 1) return String(value);
  const short = shape === 'linear' ? Math.round(value * 100) / 100 : Number(value.toPrecision(2));
  const rounded = whole ? Math.round(short) : short;
  return String(Math.min(high, Math.max(low, rounded)));
}
