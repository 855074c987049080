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
  for (let i = start; i < end; i++) sum.add(values[i] as number);
  return sum.value;
}
