/**
 * Kish's effective sample size of weights that no float64 holds, from their logarithms, bit by bit. Contract:
 * (sum w)^2 / (n sum w^2); merged parts equal one pass to rounding.
 */
export class LogWeights {
  private n = 0;
  private largest = -Infinity;
  /** of exp(log w - largest) */
  private sum = 0;
  private squares = 0;

  add(log: number): void {
    if (log > this.largest) this.rescale(log);
    const w = Math.exp(log - this.largest);
    this.n++;
    this.sum += w;
    this.squares += w * w;
  }

  merge({ n, largest, sum, squares }: LogWeights): void {
    if (n === 0) return;
    if (largest > this.largest) this.rescale(largest);
    const scale = Math.exp(largest - this.largest);
    this.n += n;
    this.sum += sum * scale;
    this.squares += squares * scale * scale;
  }

  /** In (0, 1]; NaN of nothing. */
  effectiveShare(): number {
    return this.n === 0 ? NaN : (this.sum * this.sum) / (this.n * this.squares);
  }

  toJSON(): { largest: number; n: number; sum: number; squares: number } | null {
    const { n, largest, sum, squares } = this;
    return n === 0 ? null : { largest, n, sum, squares };
  }

  static from(json: ReturnType<LogWeights['toJSON']>): LogWeights {
    const out = new LogWeights();
    if (json) Object.assign(out, { ...json });
    return out;
  }

  private rescale(largest: number): void {
    const scale = this.n === 0 ? 0 : Math.exp(this.largest - largest);
    this.sum *= scale;
    this.squares *= scale * scale;
    this.largest = largest;
  }
}
