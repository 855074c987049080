/**
 * Number formats that log-probs get stored in. Contract: `roundTo` rounds a float64 to the nearest value of
 * the format (ties to even), exactly as a direct conversion would; no overflow handling beyond what
 * log-probs (0 .. -1e4) need.
 */

/** A float format, or a number of decimals. */
export type NumberFormat = 'fp32' | 'bf16' | 'fp16' | number;

/** Bits of the significand with the hidden one, and the smallest normal exponent. */
const FORMATS = {
  fp32: { digits: 24, minExponent: -126 },
  bf16: { digits: 8, minExponent: -126 },
  fp16: { digits: 11, minExponent: -14 },
} as const;

/** floor(log2 |x|), exact for normal doubles. */
function exponentOf(x: number): number {
  const size = Math.abs(x);
  let exponent = Math.floor(Math.log2(size));
  // log2 may round up to the next integer just below a power of two, or down just above it.
  if (2 ** exponent > size) exponent--;
  else if (2 ** (exponent + 1) <= size) exponent++;
  return exponent;
}

/** Distance between neighbouring values of the format around x. */
export function spacing(x: number, format: NumberFormat): number {
  if (typeof format === 'number') return 10 ** -format;
  const { digits, minExponent } = FORMATS[format];
  const exponent = x === 0 ? minExponent : Math.max(exponentOf(x), minExponent);
  return 2 ** (exponent - digits + 1);
}

function roundHalfEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  if (rest < 0.5) return floor;
  if (rest > 0.5) return floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}

export function roundTo(x: number, format: NumberFormat): number {
  if (x === 0 || !Number.isFinite(x)) return x;
  if (typeof format === 'number') return Math.round(x * 10 ** format) / 10 ** format;
  const step = spacing(x, format);
  return roundHalfEven(x / step) * step;
}
