/**
 * Compensated summation in float64. Contract: the error does not grow with the number of terms
 * (Neumaier 1974, "Rundungsfehleranalyse einiger Verfahren zur Summation endlicher Summen").
 */

/** A running sum. Infinities and NaN come out as they would of a plain sum. */
export class CompensatedSum {
  private sum = 0;
  private lost = 0;

  add(term: number): void {
    const next = this.sum + term;
    this.lost +=
      Math.abs(this.sum) >= Math.abs(term) ? this.sum - next + term : term - next + this.sum;
    this.sum = next;
  }

  get value(): number {
    return Number.isFinite(this.sum) ? this.sum + this.lost : this.sum;
  }
}

/** Sum of values[start .. end), compensated. */
export function compensatedSum(values: ArrayLike<number>, start = 0, end = values.length): number {
  const sum = new CompensatedSum();
  for (let i = start; i < end; i++) sum.add(values[i]);
  return sum.value;
}

/** Mean of values[start .. end), compensated; NaN where there is none. */
export function compensatedMean(values: ArrayLike<number>, start = 0, end = values.length): number {
  return compensatedSum(values, start, end) / (end - start);
}

/** Mean of a - b over [start .. end), compensated: differences are taken first, then summed. */
export function compensatedMeanDifference(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  start = 0,
  end = a.length,
): number {
  const sum = new CompensatedSum();
  for (let i = start; i < end; i++) sum.add(a[i] - b[i]);
  return sum.value / (end - start);
}

/** A sum that is no finite number, in JSON. */
export type NotFinite = 'Infinity' | '-Infinity' | 'NaN';

/**
 * The exact sum of all terms, rounded once: it depends neither on their order nor on how they are split over
 * parts that are merged (Shewchuk 1997, "Adaptive precision floating-point arithmetic"; Python's `math.fsum`).
 * The value is exact unless a partial sum overflows, which comes out as an infinity or NaN.
 */
export class ExactSum {
  /** non-overlapping, ascending in size */
  private readonly parts: number[] = [];
  /** what is no finite number, summed as it is */
  private special = 0;

  add(term: number): void {
    if (!Number.isFinite(term)) {
      this.special += term;
      return;
    }
    const { parts } = this;
    let x = term;
    let kept = 0;
    for (let i = 0; i < parts.length; i++) {
      let y = parts[i];
      if (Math.abs(x) < Math.abs(y)) [x, y] = [y, x];
      const high = x + y;
      const low = y - (high - x);
      if (low !== 0) parts[kept++] = low;
      x = high;
    }
    parts.length = kept;
    if (Number.isFinite(x)) parts.push(x);
    else this.special += x;
  }

  merge(other: ExactSum): void {
    for (const part of other.parts) this.add(part);
    this.special += other.special;
  }

  get value(): number {
    if (this.special !== 0) return this.special;
    const { parts } = this;
    let i = parts.length - 1;
    if (i < 0) return 0;
    let high = parts[i];
    let low = 0;
    for (i--; i >= 0; i--) {
      const x = high;
      const y = parts[i];
      high = x + y;
      low = y - (high - x);
      if (low !== 0) break;
    }
    // Half-way cases: what lies below decides which way to round.
    const next = parts[i - 1] ?? 0;
    if (i > 0 && ((low < 0 && next < 0) || (low > 0 && next > 0))) {
      const twice = 2 * low;
      const rounded = high + twice;
      if (twice === rounded - high) high = rounded;
    }
    return high;
  }

  /** finite parts; "Infinity", "-Infinity" or "NaN" behind them where the sum is none */
  toJSON(): (number | NotFinite)[] {
    const { special, parts } = this;
    if (special === 0) return [...parts];
    return [...parts, special > 0 ? 'Infinity' : special < 0 ? '-Infinity' : 'NaN'];
  }

  static from(parts: readonly (number | string)[]): ExactSum {
    const sum = new ExactSum();
    for (const part of parts) sum.add(Number(part));
    return sum;
  }
}

/** Mean of a plain array, compensated; NaN for no values, never an exception: an empty bin is no error. */
export function mean(values: ArrayLike<number>): number {
  return compensatedSum(values) / values.length;
}

/** Sample variance with n - 1, two passes (Chan, Golub & LeVeque 1983); NaN below two values. */
export function variance(values: ArrayLike<number>): number {
  const n = values.length;
  if (n < 2) return NaN;
  const center = mean(values);
  const squares = new CompensatedSum();
  const rest = new CompensatedSum();
  for (let i = 0; i < n; i++) {
    const difference = values[i] - center;
    squares.add(difference * difference);
    rest.add(difference);
  }
  return (squares.value - (rest.value * rest.value) / n) / (n - 1);
}
