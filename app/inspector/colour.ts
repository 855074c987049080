/**
 * The diverging colour of a log-ratio. Contract: 0 is neutral; +x and -x are equally strong; the scale
 * is symmetric and shared by all tokens of a response. CSS mixes the colours, so both themes work.
 */

/** A round bound that holds nearly all |d_t|: 1, 2 or 5 times a power of ten, at least 1e-6. */
export function colourBound(logRatios: readonly number[]): number {
  const sizes = logRatios
    .map(Math.abs)
    .filter(Number.isFinite)
    .sort((a, b) => a - b);
  const high = sizes[Math.ceil(0.98 * sizes.length) - 1] ?? 0;
  const wanted = Math.max(high, 1e-6);
  const power = 10 ** Math.floor(Math.log10(wanted));
  return ([1, 2, 5].find((step) => step * power >= wanted * (1 - 1e-12)) ?? 10) * power;
}

/** CSS background of a token. */
export function tokenColour(logRatio: number, bound: number): string {
  if (Number.isNaN(logRatio)) return 'var(--surface-2)';
  const strength = Math.min(1, Math.abs(logRatio) / bound);
  const hue = logRatio > 0 ? 'var(--diverge-up)' : 'var(--diverge-down)';
  // A square root lets small ratios be seen; the legend is drawn with the same function.
  return `color-mix(in oklab, ${hue} ${(Math.sqrt(strength) * 100).toFixed(1)}%, var(--surface-2))`;
}
