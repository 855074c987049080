/** Numbers in formulas. */

/** Plain TeX number: `1.0431`, `-2.1 \times 10^{-7}`. */
export function texNumber(x: number, digits: number): string {
  if (Number.isNaN(x)) return String.raw`\text{not a number}`;
  if (!Number.isFinite(x)) return x > 0 ? String.raw`\infty` : String.raw`-\infty`;
  if (x === 0) return '0';
  const [mantissa, exponent] = x.toExponential(digits - 1).split('e');
  const power = Number(exponent);
  if (power < -3 || power > 5) return String.raw`${mantissa} \times 10^{${power}}`;
  return x.toFixed(Math.max(0, digits - 1 - power));
}
