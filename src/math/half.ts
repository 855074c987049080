/**
 * IEEE 754 half precision as its 16 bits, for tensors that ONNX files and onnxruntime hold as float16. Contract:
 * `fromHalf` is exact; `toHalf` rounds to nearest, ties to even, beyond 65,504 to infinity. (`Float16Array` is not
 * yet in every browser nor in Node 20.)
 */

const EXPONENT_BIAS = 15;
const FRACTION_BITS = 10;
/** Exponent of the smallest steps, those of subnormal numbers. */
const LEAST_EXPONENT = 1 - EXPONENT_BIAS;
const INFINITE = 0x7c00;
const NOT_A_NUMBER = 0x7e00;

export function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> FRACTION_BITS) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  if (exponent === 0) return sign * fraction * 2 ** (LEAST_EXPONENT - FRACTION_BITS);
  return sign * (1 + fraction / 1024) * 2 ** (exponent - EXPONENT_BIAS);
}

/** To nearest, ties to even. */
export function nearestEven(x: number): number {
  const below = Math.floor(x);
  const over = x - below;
  return over > 0.5 || (over === 0.5 && below % 2 !== 0) ? below + 1 : below;
}

export function toHalf(x: number): number {
  const sign = x < 0 || Object.is(x, -0) ? 0x8000 : 0;
  const size = Math.abs(x);
  if (Number.isNaN(x)) return NOT_A_NUMBER;
  if (size === Infinity) return sign | INFINITE;
  // Below 1 the logarithm may round up to the next power; the quotient then says so.
  let exponent = Math.max(LEAST_EXPONENT, Math.floor(Math.log2(size)));
  if (exponent > LEAST_EXPONENT && size < 2 ** exponent) exponent--;
  // In steps of this exponent's spacing: 1,024 to 2,047 of them, fewer where subnormal. A carry runs into the exponent.
  const steps = nearestEven(size / 2 ** (exponent - FRACTION_BITS));
  const bits = ((exponent - LEAST_EXPONENT) << FRACTION_BITS) + steps;
  return sign | Math.min(bits, INFINITE);
}

/** @param bits as onnxruntime hands out a float16 tensor */
export function floatsFromHalves(bits: Uint16Array): Float32Array<ArrayBuffer> {
  return Float32Array.from(bits, fromHalf);
}
